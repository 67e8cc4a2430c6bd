"""What is ready, done or blocked while a graph is worked off."""

from __future__ import annotations

from collections.abc import Iterator

from orchestro.graph.graph import Graph

__all__ = ["Progress"]


class Progress:
    """A task becomes ready the moment the last of what it needs has passed."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._missing = {task: len(wanted) for task, wanted in graph.needs.items()}
        self._settled: set[str] = set()

    def initially_ready(self) -> list[str]:
        """Tasks that need nothing, in the order of definition."""
        return [task for task, count in self._missing.items() if not count]

    def passed(self, task: str) -> list[str]:
        """`task` passed: the tasks that became ready by it."""
        self._settled.add(task)
        ready = []
        for dependant in self._graph.needed_by[task]:
            self._missing[dependant] -= 1
            if not self._missing[dependant] and dependant not in self._settled:
                ready.append(dependant)
        return ready

    def did_not_pass(self, task: str) -> Iterator[tuple[str, str]]:
        """`task` did not pass: every task that can now never run, with the need that blocks it directly."""
        self._settled.add(task)
        blocked = [task]
        for need in blocked:  # grows while it is walked
            for dependant in self._graph.needed_by[need]:
                if dependant not in self._settled:
                    self._settled.add(dependant)
                    blocked.append(dependant)
                    yield dependant, need
