"""Starting, awaiting and ending processes: `spawn.py` on any POSIX system, `linux.py` and `posix.py` side by side.

Both platform files offer `ExitWatch` (calls back when a process ends, without a thread and without polling) and
`strays` (the processes that a program left behind).
"""

from __future__ import annotations

import sys

if sys.platform == "linux":
    from orchestro.terminal.process.linux import ExitWatch, strays
else:
    from orchestro.terminal.process.posix import ExitWatch, strays

__all__ = ["MARK", "ExitWatch", "strays"]

MARK = "ORCHESTRO_MARK"
"""Environment variable that tells which attempt a process belongs to, whatever session it moved to."""
