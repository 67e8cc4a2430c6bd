"""The pytest plugin, in a pytest of its own."""

from __future__ import annotations

import pytest

pytest_plugins = ["pytester"]


def test_the_fixture_drives_programs_and_ends_them(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        def test_greeting(terminal):
            t = terminal(["sh", "-c", 'printf "name? "; read x; echo "hello $x"; read y'])
            t.expect("name")
            t.send("Ada")
            t.expect("hello Ada")
            t.see("hello Ada", row=1)
            assert t.exit_code is None
            assert t.screen.lines()[1] == "hello Ada"
            t.press("ctrl+c")
            assert t.exit(None) == -2
    """)
    pytester.runpytest_subprocess("-p", "no:cacheprovider").assert_outcomes(passed=1)


def test_scenario_files_are_collected_and_reported_as_orchestro_does(pytester: pytest.Pytester) -> None:
    pytester.makefile(
        ".scenario.yaml",
        t="""\
name: good
command: echo hello
steps: [{expect: hello}]
---
name: bad
command: echo Hello Wrld
timeout: 300ms
steps: [{expect: Hello World}]
---
name: left out
command: "true"
skip: not today
""",
    )
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-rs")
    result.assert_outcomes(passed=1, failed=1, skipped=1)
    result.stdout.fnmatch_lines(["*'Hello World' was not printed*", "*nearest*Hello Wrld*", "*not today*"])


def test_mistakes_in_a_scenario_file_are_located(pytester: pytest.Pytester) -> None:
    pytester.makefile(".scenario.yaml", t="command: echo\nsteps:\n  - exepct: x\n")
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    result.stdout.fnmatch_lines(["*t.scenario.yaml:3:5*expect*"])
    assert result.ret == 2
