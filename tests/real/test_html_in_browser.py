"""The report in a real browser: headless Chromium draws a real run, and what it drew is looked at."""

from __future__ import annotations

import re
import shutil
import subprocess
import textwrap
from pathlib import Path

import pytest

import orchestro
from orchestro import RunOptions
from orchestro.observe.html import write_report
from orchestro.store.run_log import read_log

pytestmark = pytest.mark.needs("chromium")

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--virtual-time-budget=3000",
]


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    (folder / "t.scenario.yaml").write_text(
        textwrap.dedent("""\
            name: greets
            command: [sh, -c, 'printf "\\033[32mgreen\\033[0m name? "; read x; echo "hello $x"']
            tags: quick
            steps:
              - expect: "name\\\\?"
              - send: Ada
              - expect: hello Ada
            ---
            name: fails
            command: [sh, -c, 'echo "Hello Wrld"; read x']
            timeout: 200ms
            steps:
              - expect: Hello World
            """)
    )
    result = orchestro.run([str(folder)], options=RunOptions(output_dir=str(folder / "state")))
    path = folder / "report.html"
    write_report(read_log(result.directory), result.directory, str(path))
    return path


def dom(report: Path, tmp_path: Path, fragment: str = "") -> str:
    browser = shutil.which("chromium")
    assert browser is not None
    url = report.as_uri() + fragment
    arguments = [browser, *FLAGS, f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", url]
    page = subprocess.run(arguments, capture_output=True, text=True, timeout=60, check=True).stdout
    return re.sub(r'<script type="application/json".*?</script>', "", page, flags=re.DOTALL)


def test_the_failure_comes_first_with_its_reason(report: Path, tmp_path: Path) -> None:
    page = dom(report, tmp_path)
    assert "1 timed out" in page
    assert "<h2>fails</h2>" in page
    assert "was not printed" in page
    assert "Hello Wrld" in page


def test_a_link_to_a_scenario_shows_its_replay(report: Path, tmp_path: Path) -> None:
    page = dom(report, tmp_path, "#greets")
    assert "<h2>greets</h2>" in page
    terminal = page[page.index('class="term"') :]
    assert re.search(r"<span[^>]*color:[^>]*>green</span>", terminal)
    assert "hello Ada" in terminal
    assert "Ada⏎" in page
    assert "matched 'hello Ada'" in page


def test_every_attempt_is_a_bar_of_the_timeline(report: Path, tmp_path: Path) -> None:
    page = dom(report, tmp_path)
    assert len(re.findall(r'class="bar [a-z-]+', page)) == 2


def test_filter_keys_and_steps_work(report: Path, tmp_path: Path) -> None:
    script = """
        const filter = document.getElementById("filter");
        const names = () => [...document.querySelectorAll("#list .name")].map((node) => node.textContent).join();
        const type = (text) => { filter.value = text; filter.dispatchEvent(new Event("input")); };
        const seen = [names()];
        type("quick"); seen.push(names());
        type("no such"); seen.push(document.querySelector("#list .empty").textContent);
        type("");
        document.querySelector("#chips .passed").click(); seen.push(names());
        document.querySelector("#chips .passed").click();
        document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "j", bubbles: true }));
        seen.push(document.querySelector("#detail h2").textContent);
        document.querySelector(".steps button").click();
        seen.push(document.querySelector(".term").textContent.includes("hello Ada") ? "late" : "early");
        document.title = seen.join("|");
    """
    driven = tmp_path / "driven.html"
    driven.write_text(report.read_text().replace("</body>", f"<script>{script}</script></body>"))
    title = re.search(r"<title>(.*?)</title>", dom(driven, tmp_path))
    assert title is not None
    assert title[1] == "fails,greets|greets|Nothing matches the filter.|greets|greets|early"
