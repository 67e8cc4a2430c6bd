"""Starting, awaiting and ending processes: `spawn.py` on any POSIX system, one file for each platform side by side.

The platform files offer `ExitWatch` (calls back when a process ends, without a thread and without polling), `Watcher`
(calls back when a descriptor can be read) and `strays` (the processes that a program left behind); `ending.py` kills
those. `piped.py` runs a command on a pipe; `exit_text.py` tells how it ended.
"""

from __future__ import annotations

import sys

if sys.platform == "linux":
    from orchestro.terminal.process.linux import ExitWatch, Watcher, strays
elif sys.platform == "win32":
    from orchestro.terminal.process.loop_watcher import Watcher
    from orchestro.terminal.process.windows import ExitWatch, strays
else:
    from orchestro.terminal.process.loop_watcher import Watcher
    from orchestro.terminal.process.posix import ExitWatch, strays

__all__ = ["MARK", "ExitWatch", "Watcher", "strays"]

MARK = "ORCHESTRO_MARK"
"""Environment variable that tells which attempt a process belongs to, whatever session it moved to."""
