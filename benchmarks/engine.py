"""The same dialogue through the whole engine, with recording, run log and history. Prints the seconds of the run.

engine.py COUNT AT_ONCE
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from orchestro import RunOptions, run

SCENARIO = """\
name: dialogue {number}
command: [/bin/sh, -c, 'printf "ready> "; read x; echo "got:$x"; read y; echo bye']
steps:
  - expect: "ready> "
  - send: hello
  - expect: got:hello
  - send: q
  - expect: bye
  - exit: 0
"""

if __name__ == "__main__":
    count, at_once = int(sys.argv[1]), int(sys.argv[2])
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "dialogues.yaml"
        file.write_text("---\n".join(SCENARIO.format(number=number) for number in range(count)))
        report = run([str(file)], options=RunOptions(workers=at_once, output_dir=f"{folder}/state"))
        if not report or len(report.results) != count:
            sys.exit(f"not all passed: {report.counts()}")
        print(report.duration_s)
