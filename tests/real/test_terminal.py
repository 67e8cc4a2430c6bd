"""Real programs on real pseudo-terminals, the ill-behaved ones above all."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

import pytest

from orchestro.errors import SpawnError, TerminalClosed
from orchestro.terminal.recording import MAX_RECORDED
from orchestro.terminal.stream import MAX_TEXT
from orchestro.terminal.terminal import Terminal, WaitFailed

T = TypeVar("T")


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(asyncio.wait_for(coroutine, 30))


def alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] not in ("Z", "X")
    except OSError:
        return False


def test_a_dialogue_with_a_shell_script() -> None:
    async def scenario() -> None:
        async with Terminal(["sh", "-c", 'printf "name? "; read x; echo "hello $x"']) as t:
            await t.expect(r"name\? ")
            await t.send("Ada")
            await t.expect("hello Ada")
            assert await t.exit(0) == 0

    run(scenario())


def test_an_echo_never_satisfies_a_wait() -> None:
    async def scenario(command: str, ready: str, line: str) -> None:
        async with Terminal(command, env={**os.environ, "HOME": "/nonexistent"}) as t:
            await t.expect(ready)
            await t.send(line)
            before = t.now
            await t.expect("done")
            assert t.now - before > 0.25

    run(scenario("sh", r"[$#] $", "sleep 0.3; echo done"))
    run(scenario("bash --norc", r"[$#] $", "sleep 0.3; echo done"))
    run(scenario(f"{sys.executable} -q", ">>> ", "import time; time.sleep(0.3); print('done')"))


def test_typing_ahead_of_a_line_editor_is_still_no_output() -> None:
    async def scenario() -> None:
        async with Terminal(f"{sys.executable} -q") as t:
            await t.send("import time; time.sleep(0.3); print('do' + 'ne' if 0 else 'done')")
            before = t.now
            await t.expect("^done")
            assert t.now - before > 0.25

    run(scenario())


def test_shells_with_marks_give_exact_output_and_exit_codes() -> None:
    async def scenario() -> None:
        async with Terminal("bash --norc") as t:
            for line, text, code in (
                ("cd /", "", 0),
                ("pwd; false", "/\n", 1),
                ("printf abc", "abc", 0),
                ("(exit 42)", "", 42),
                ("printf '%s\\n' one two", "one\ntwo\n", 0),
            ):
                await t.send(line)
                await t.wait_for(Finished())
                assert t.command is not None
                assert (t.command.text, t.command.code, t.command.exact) == (text, code, True)

    run(scenario())


class Finished:
    what = "the end of the command"

    def probe(self, terminal: Terminal) -> Any:
        from orchestro.terminal.probe import Held, NotYet

        command = terminal.command
        return Held("ended") if command is not None and command.finished else NotYet("still running")


@pytest.mark.parametrize(
    ("query", "answer"),
    [
        pytest.param(r"\033[c", r"\[\?[0-9;]*c", id="DA1"),
        pytest.param(r"\033[>c", r"\[>[0-9;]*c", id="DA2"),
        pytest.param(r"\033[5n", r"\[0n", id="DSR status"),
        pytest.param(r"\033[6n", r"\[[0-9]+;[0-9]+R", id="DSR cursor"),
        pytest.param(r"\033]11;?\033\\", r"\]11;rgb:", id="OSC 11"),
        pytest.param(r"\033]10;?\a", r"\]10;rgb:", id="OSC 10"),
        pytest.param(r"\033[?u", r"\[\?[0-9]+u", id="kitty keyboard"),
    ],
)
def test_the_terminal_answers_reports(query: str, answer: str) -> None:
    script = (
        "import sys,os,tty,re\n"
        "tty.setraw(0)\n"
        "os.write(1, sys.argv[1].encode().decode('unicode_escape').encode('latin1'))\n"
        "got = b''\n"
        "while not re.search(sys.argv[2].encode(), got): got += os.read(0, 100)\n"
        "os.write(1, b'answered\\r\\n')\n"
    )

    async def scenario() -> None:
        async with Terminal([sys.executable, "-c", script, query, answer]) as t:
            await t.expect("answered")

    run(scenario())


def test_a_flood_is_bounded_in_memory_and_said() -> None:
    async def scenario() -> None:
        async with Terminal(["sh", "-c", "yes 0123456789012345678901234567890123456789 | head -c 12000000"]) as t:
            await t.exit(0, timeout=25)
            assert len(t.output) <= 2 * MAX_TEXT
            assert t.output_cut > 0
            assert t.screen.lines()[0].startswith("0123456789")
        recorded = sum(len(data) for _, code, data in t.recording.entries if code == "o")
        assert recorded <= MAX_RECORDED + (1 << 20)
        assert {finding.code for finding in t.findings()} >= {"output-cut", "recording-cut"}

    run(scenario())


def test_half_a_character_and_binary_rubbish_do_no_harm() -> None:
    async def scenario() -> None:
        async with Terminal(["sh", "-c", r"printf 'caf\303'; head -c 5000 /dev/urandom; printf '\n\033[mend\n'"]) as t:
            await t.exit(0)
            assert len(t.screen.lines()) == 24

    run(scenario())


def test_a_program_that_ignores_every_polite_signal_is_gone_afterwards() -> None:
    async def scenario() -> tuple[int, int]:
        t = Terminal(["sh", "-c", "trap '' TERM HUP INT; echo ready; while :; do sleep 0.05; done"])
        await t.start()
        await t.expect("ready")
        assert t._driver is not None
        pid = t._driver.pid
        await t.close(grace_s=0.1)
        assert t.exit_code is not None
        return pid, t.exit_code

    pid, code = run(scenario())
    assert code == -signal.SIGKILL
    assert not alive(pid)


@pytest.mark.skipif(sys.platform != "linux", reason="daemons outside the session are found through /proc")
def test_children_left_behind_are_killed_and_named(tmp_path: Path) -> None:
    script = f"""
    (trap '' HUP; echo $BASHPID > {tmp_path}/a; sleep 600) &
    setsid sh -c 'echo $$ > {tmp_path}/b; exec sleep 600' < /dev/null > /dev/null 2>&1 &
    while [ ! -s {tmp_path}/a ] || [ ! -s {tmp_path}/b ]; do :; done
    """

    async def scenario() -> Terminal:
        async with Terminal(["bash", "-c", script], env={**os.environ, "ORCHESTRO_MARK": f"t-{tmp_path.name}"}) as t:
            await t.wait_for(Ended())
        return t

    t = run(scenario())
    pids = [int((tmp_path / name).read_text()) for name in "ab"]
    assert not any(alive(pid) for pid in pids)
    assert set(pids) <= set(t.orphans)
    assert "orphan-process" in {finding.code for finding in t.findings()}


class Ended:
    what = "the end"

    def probe(self, terminal: Terminal) -> Any:
        from orchestro.terminal.probe import Held, NotYet

        return Held("ended") if terminal.exit_code is not None else NotYet("runs")


def test_output_just_before_the_end_is_not_lost() -> None:
    async def scenario() -> None:
        async with Terminal(["sh", "-c", "seq 1 5000; echo last"]) as t:
            await t.expect("last")

    run(scenario())


def test_a_wait_ends_at_once_when_the_program_has_ended() -> None:
    async def scenario() -> None:
        async with Terminal(["sh", "-c", "exit 3"], timeout=20) as t:
            with pytest.raises(WaitFailed) as failed:
                await t.expect("never")
            assert not failed.value.timed_out
            assert t.exit_code == 3
            with pytest.raises(TerminalClosed):
                await t.send("too late")

    run(scenario())


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (["no-such-program-xyz"], "no such program"),
        (["/etc/passwd"], "not executable"),
        (["/"], "directory"),
        ([], "empty"),
        (["a\0b"], "NUL character"),
    ],
)
def test_what_cannot_be_started_says_why(command: list[str], reason: str) -> None:
    async def scenario() -> None:
        async with Terminal(command):
            pass

    with pytest.raises(SpawnError, match=reason):
        run(scenario())


def test_a_directory_of_its_own_is_entered_without_moving_this_process(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with Terminal(["sh", "-c", "pwd"], cwd=tmp_path) as t:
            await t.expect(tmp_path.name)

    here = os.getcwd()
    run(scenario())
    assert os.getcwd() == here


def test_a_full_screen_program_sees_size_resize_and_keys() -> None:
    async def scenario() -> None:
        script = (
            "import curses\n"
            "def main(s):\n"
            "    while True:\n"
            "        rows, cols = s.getmaxyx()\n"
            "        s.addstr(0, 0, f'{cols}x{rows} ')\n"
            "        s.addstr(2, 0, curses.keyname(s.getch()).decode() + ' ')\n"
            "curses.wrapper(main)\n"
        )
        async with Terminal(
            [sys.executable, "-c", script], size=(70, 20), env={**os.environ, "TERM": "xterm-256color"}
        ) as t:
            await t.see("70x20")
            await t.press("up")
            await t.see("KEY_UP")
            await t.resize(60, 15)
            await t.see("KEY_RESIZE")
            await t.see("60x15")
            await t.press("f5")
            await t.see("KEY_F(5)")

    run(scenario())


def test_a_paste_is_bracketed_when_asked_for() -> None:
    async def scenario() -> None:
        script = r"stty -echo; printf '\033[?2004hready'; read -r x; printf %s \"$x\" | od -c; printf '\033[?2004l'"
        async with Terminal(["sh", "-c", script]) as t:
            await t.expect("ready")
            await t.paste("two words")
            await t.press("enter")
            await t.expect(r"033 +\[ +2 +0 +0 +~ +t +w +o")

    run(scenario())


def test_a_large_input_is_delivered_whole() -> None:
    async def scenario() -> None:
        async with Terminal(["sh", "-c", "stty raw -echo; echo ready; head -c 300000 | wc -c"]) as t:
            await t.expect("ready")
            await t.type("x" * 300_000)
            await t.expect("300000")

    run(scenario())
