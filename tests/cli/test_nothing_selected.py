"""What a run says that has nothing to run: what was looked for, or what left nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestro.cli.main import run


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--tag", "fats"], "none of 2 scenarios is left by --tag 'fats'; the tags are fast, slow"),
        (["-k", "nope"], "none of 2 scenarios is left by -k 'nope'"),
        (["--last-failed"], "none of 2 scenarios is left by --last-failed"),
        (["-k", "one", "--tag", "slow"], "left by --tag 'slow' -k 'one'; the tags are fast, slow"),
        (["-k", "one", "--shard", "1/2"], "left by -k 'one' --shard 1/2"),
        (["empty"], "there is no scenario in empty; looked for *.scenario.yaml"),
    ],
)
def test_it_says_what_left_nothing(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("t.scenario.yaml").write_text(
        "name: one\ncommand: echo\ntags: fast\n---\nname: two\ncommand: echo\ntags: slow\n", encoding="utf-8"
    )
    Path("empty").mkdir()
    assert run(["run", *arguments]) == 4
    assert message in capsys.readouterr().err
