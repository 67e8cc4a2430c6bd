"""What an analysis says, in two sentences, the same for console and HTML report."""

from __future__ import annotations

from collections.abc import Sequence

from orchestro.observe.analysis import PathStep, RunAnalysis
from orchestro.observe.wording import plural, seconds

__all__ = ["analysis_lines"]

_SHOWN = 5
"""Tasks of the critical path that are named; of more, the first and the last ones."""
_WORTH = 0.01
"""Part of the makespan that a speed-up has to save to be proposed."""


def analysis_lines(analysis: RunAnalysis, arrow: str = ">") -> list[str]:
    """How the run went, and what would help it most if anything would: a line each, not wrapped."""
    makespan = f"Makespan {seconds(analysis.makespan_s)} on {plural(analysis.workers, 'worker')}"
    bound = f"bound {seconds(analysis.lower_bound_s)} ({_why(analysis, arrow)})"
    shares = f"efficiency {_percent(analysis.efficiency)}, idle {_percent(analysis.idle_share)}"
    tail = f", tail {seconds(analysis.tail_s)}" if analysis.tail_s >= _WORTH * analysis.makespan_s else ""
    lines = [f"{makespan}; {bound}; {shares}{tail}."]
    best = analysis.best_speed_up
    if best is not None and best.saved_s >= _WORTH * analysis.makespan_s:
        lines.append(f"Halving {best.name!r} ({seconds(best.duration_s)}) would save {seconds(best.saved_s)}.")
    return lines


def _why(analysis: RunAnalysis, arrow: str) -> str:
    if analysis.bound == "critical path":
        return f"critical path: {_chain(analysis.critical_path, arrow)}"
    if analysis.bound == "longest task":
        return f"longest task: {analysis.critical_path[0].name}" if analysis.critical_path else "no work"
    return "all work over all workers"


def _chain(path: Sequence[PathStep], arrow: str) -> str:
    names = [step.name for step in path]
    if len(names) > _SHOWN:
        left = len(names) - _SHOWN + 1
        names = [*names[:2], f"{left} more", *names[-2:]]
    return f" {arrow} ".join(names)


def _percent(share: float) -> str:
    # Rounded down, so that only what is whole is called 100 %.
    return f"{int(share * 100 + 1e-6)} %"
