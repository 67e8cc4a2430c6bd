"""Who needs whom: an immutable directed graph without cycles. Every walk is iterative, so depth is no limit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from orchestro.errors import UserError

__all__ = ["CycleError", "Graph", "UnknownNeedError"]


class CycleError(UserError):
    """Raised when tasks need each other in a circle; `path` begins and ends with the same task."""

    def __init__(self, path: Sequence[str]) -> None:
        self.path = tuple(path)
        super().__init__("tasks need each other in a circle: " + " -> ".join(path))


class UnknownNeedError(UserError):
    """Raised when a task needs one that is not there."""

    def __init__(self, task: str, need: str) -> None:
        self.task = task
        self.need = need
        super().__init__(f"{task!r} needs {need!r}, which is not there")


class Graph:
    """Made from ``{task: what it needs}``. Raises CycleError or UnknownNeedError."""

    def __init__(self, needs: Mapping[str, Iterable[str]]) -> None:
        self.needs: dict[str, tuple[str, ...]] = {task: tuple(dict.fromkeys(wanted)) for task, wanted in needs.items()}
        self.needed_by: dict[str, list[str]] = {task: [] for task in self.needs}
        for task, wanted in self.needs.items():
            for need in wanted:
                if need not in self.needs:
                    raise UnknownNeedError(task, need)
                self.needed_by[need].append(task)
        self._order = self._sorted()

    def __len__(self) -> int:
        return len(self.needs)

    def _sorted(self) -> tuple[str, ...]:
        missing = {task: len(wanted) for task, wanted in self.needs.items()}
        order = [task for task, count in missing.items() if not count]
        for task in order:  # grows while it is walked
            for dependant in self.needed_by[task]:
                missing[dependant] -= 1
                if not missing[dependant]:
                    order.append(dependant)
        if len(order) < len(missing):
            raise CycleError(self._cycle({task for task, count in missing.items() if count}))
        return tuple(order)

    def _cycle(self, stuck: set[str]) -> list[str]:
        """A circle among the tasks that could not be sorted: each of them needs another of them."""
        path: list[str] = []
        places: dict[str, int] = {}
        task = min(stuck)
        while task not in places:
            places[task] = len(path)
            path.append(task)
            task = next(need for need in self.needs[task] if need in stuck)
        return [*path[places[task] :], task]

    @property
    def order(self) -> tuple[str, ...]:
        """Every task after all that it needs, ties in the order of definition."""
        return self._order

    def levels(self) -> list[list[str]]:
        """Tasks by the length of their longest chain of needs: level 0 needs nothing."""
        level: dict[str, int] = {}
        result: list[list[str]] = []
        for task in self._order:
            depth = level[task] = 1 + max((level[need] for need in self.needs[task]), default=-1)
            if depth == len(result):
                result.append([])
            result[depth].append(task)
        return result
