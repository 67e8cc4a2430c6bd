"""Text since the last input, and the output of the last command."""

from __future__ import annotations

from orchestro.terminal.stream import MAX_TEXT, Stream

A, B, C = b"\x1b]133;A\x07", b"\x1b]133;B\x07", b"\x1b]133;C\x07"


def done(code: int) -> bytes:
    return b"\x1b]133;D;%d\x07" % code


def shell(*chunks: bytes) -> Stream:
    stream = Stream()
    for chunk in chunks:
        stream.feed(chunk)
    return stream


def enter(stream: Stream, line: str, *, canonical: bool = False, echo: bool = False) -> None:
    stream.mark_input(line, entered=True, canonical=canonical, echo=echo)


def test_what_is_typed_at_a_marked_prompt_is_no_output() -> None:
    stream = shell(A + b"$ " + B)
    enter(stream, "sleep 1; echo done")
    stream.feed(b"sleep 1; echo done\r\n" + C)
    assert stream.output == ""
    assert stream.busy
    stream.feed(b"done\r\n" + done(0) + A + b"$ " + B)
    assert stream.output == "done\n$ "
    command = stream.command(False, None)
    assert command is not None
    assert (command.text, command.code, command.finished, command.exact) == ("done\n", 0, True, True)


def test_redraws_of_the_input_line_do_not_count() -> None:
    stream = shell(A + b"$ " + B)
    enter(stream, "echo done")
    stream.feed(b"e\r$ ec\r$ echo done\x1b[K\r\n" + C + b"done\r\n")
    assert stream.output == "done\n"


def test_an_empty_line_is_a_finished_command_without_code() -> None:
    stream = shell(A + b"$ " + B)
    enter(stream, "")
    stream.feed(b"\r\n" + A + b"$ " + B)
    command = stream.command(False, None)
    assert command is not None
    assert (command.text, command.code, command.finished) == ("", None, True)


def test_input_to_a_program_that_the_shell_runs_is_not_a_shell_line() -> None:
    stream = shell(A + b"$ " + B)
    enter(stream, "cat")
    stream.feed(b"cat\r\n" + C)
    enter(stream, "hey", canonical=True, echo=True)
    stream.feed(b"hey\r\nhey\r\n")
    assert stream.output == "hey\n"
    stream.feed(done(0) + A + b"$ " + B)
    command = stream.command(False, None)
    assert command is not None
    assert (command.text, command.code, command.finished) == ("hey\n", 0, True)


def test_a_line_typed_ahead_at_a_shell_is_the_last_command_once_it_runs() -> None:
    stream = shell(A + b"$ " + B)
    enter(stream, "git add -p")
    stream.feed(b"git add -p\r\n" + C + b"Stage? ")
    enter(stream, "y", canonical=True, echo=True)
    stream.feed(b"y\r\n")
    enter(stream, "git diff", canonical=True, echo=True)
    stream.feed(b"git diff\r\n" + done(0) + A + b"$ " + B + b"git diff\r\n")
    command = stream.command(False, None)
    assert command is not None
    assert (command.finished, command.exact) == (True, False)
    stream.feed(C + b"1 insertion\r\n" + done(0) + A + b"$ " + B)
    command = stream.command(False, None)
    assert command is not None
    assert (command.text, command.code, command.exact) == ("1 insertion\n", 0, True)


def test_without_marks_the_prompt_that_comes_back_ends_the_command() -> None:
    stream = shell(b"In [1]: ")
    enter(stream, "2+2")
    stream.feed(b"2+2\r\n4\r\n")
    command = stream.command(False, None)
    assert command is not None
    assert not command.finished
    stream.feed(b"In [2]: ")
    command = stream.command(False, None)
    assert command is not None
    assert (command.text, command.finished, command.exact) == ("4\n", True, False)


def test_a_password_has_no_echo_to_be_taken_out() -> None:
    stream = shell(b"Password: ")
    enter(stream, "secret", canonical=True, echo=False)
    stream.feed(b"\r\nsecret is out\r\n")
    assert stream.output == "\nsecret is out\n"


def test_text_typed_in_pieces_is_one_echo() -> None:
    stream = Stream()
    stream.mark_input("echo ", entered=False, canonical=True, echo=True)
    stream.mark_input("done", entered=False, canonical=True, echo=True)
    enter(stream, "", canonical=True, echo=True)
    stream.feed(b"echo done\r\ndone\r\n")
    assert stream.output == "done\n"


def test_a_second_echo_after_a_line_editor_took_over_is_taken_out() -> None:
    stream = Stream()
    enter(stream, "echo done", canonical=True, echo=True)
    stream.feed(b"echo done\r\n")
    assert stream.needs_line_mode()
    stream.editor_took_over()
    stream.feed(b"$ echo done\r\n")
    assert "done" not in stream.output
    stream.feed(b"done\r\n")
    assert stream.output == "$ \ndone\n"


def test_the_output_of_what_was_typed_ahead_comes_after_its_second_echo() -> None:
    stream = Stream()
    enter(stream, "6*7", canonical=True, echo=True)
    stream.feed(b"6*7\r\n")
    stream.editor_took_over()
    stream.feed(b">>> 6*7\r\n42\r\n>>> ")
    command = stream.command(False, None)
    assert command is not None
    assert (command.text, command.finished) == ("42\n", True)


def test_the_end_of_bracketed_paste_ends_the_input_line() -> None:
    stream = shell(b"\x1b[?2004h>>> ")
    enter(stream, "print('x')")
    stream.feed(b"p\r>>> pri\r>>> print('x')\r\n\x1b[?2004l\rx\r\n")
    assert stream.output == "x\n"


def test_kept_text_is_bounded_and_the_loss_is_counted() -> None:
    stream = Stream()
    for _ in range(40):
        stream.feed(b"0123456789abcde\n" * 8192)
    assert len(stream.output) <= 2 * MAX_TEXT
    assert stream.cut + len(stream.output) == 40 * 8192 * 16
