"""What is ready, done or blocked while a graph is worked off. The graph may grow meanwhile."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from orchestro.graph.graph import Graph, UnknownNeedError

__all__ = ["Progress"]


class Progress:
    """A task becomes ready the moment the last of what it needs has passed."""

    def __init__(self) -> None:
        self._needed_by: dict[str, list[str]] = {}
        self._missing: dict[str, int] = {}
        self._passed: dict[str, bool] = {}

    def add(self, needs: Mapping[str, Sequence[str]]) -> tuple[list[str], list[tuple[str, str]]]:
        """More tasks, which may need each other and those already there.

        Returns those that are ready at once, and those that can never run with the need that blocks each, in the order
        of definition. Raises CycleError or UnknownNeedError, and ValueError for a task that is already there; nothing
        is added then.
        """
        for task, wanted in needs.items():
            if task in self._missing:
                raise ValueError(f"there is already a task {task!r}")
            for need in wanted:
                if need not in needs and need not in self._missing:
                    raise UnknownNeedError(task, need)
        if any(need in needs for wanted in needs.values() for need in wanted):
            # Those already there cannot need the new ones, so a circle can only be among the new.
            Graph({task: [need for need in wanted if need in needs] for task, wanted in needs.items()})
        for task in needs:
            self._needed_by[task] = []
        blocked: list[tuple[str, str]] = []
        ready: list[str] = []
        for task, wanted in needs.items():
            missing = 0
            for need in dict.fromkeys(wanted) if len(wanted) > 1 else wanted:
                if need not in self._passed:
                    missing += 1
                    self._needed_by[need].append(task)
                elif not self._passed[need]:
                    blocked.append((task, need))
                    missing = -1
                    break
            self._missing[task] = missing
            if not missing:
                ready.append(task)
        for task, _ in list(blocked):
            blocked += self.did_not_pass(task)
        return [task for task in ready if task not in self._passed], blocked

    def passed(self, task: str) -> list[str]:
        """`task` passed: the tasks that became ready by it."""
        self._passed[task] = True
        ready = []
        missing = self._missing
        for dependant in self._needed_by[task]:
            missing[dependant] -= 1
            if not missing[dependant] and dependant not in self._passed:
                ready.append(dependant)
        return ready

    def did_not_pass(self, task: str) -> Iterator[tuple[str, str]]:
        """`task` did not pass: every task that can now never run, with the need that blocks it directly."""
        self._passed[task] = False
        blocked = [task]
        for need in blocked:  # grows while it is walked
            for dependant in self._needed_by[need]:
                if dependant not in self._passed:
                    self._passed[dependant] = False
                    blocked.append(dependant)
                    yield dependant, need
