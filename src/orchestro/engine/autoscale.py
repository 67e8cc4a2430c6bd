"""How many workers a queue deserves: thresholds with a gap between them, and a pause between changes."""

from __future__ import annotations

from collections.abc import Callable

from orchestro.records import dataclass

__all__ = ["Autoscaler", "Scaling"]


@dataclass(slots=True)
class Scaling:
    """The rules. They may be changed while a pool runs."""

    min_workers: int = 2
    max_workers: int = 10
    up_threshold: float = 2.0
    """Waiting tasks for each worker above which there are more workers."""
    down_threshold: float = 0.5
    """Waiting and running tasks for each worker below which there are fewer. The gap between the two is what keeps a
    steady queue from making the number go up and down."""
    interval_s: float = 1.0
    """Time between two changes, in seconds."""

    def check(self) -> None:
        """Raises ValueError when the rules contradict each other."""
        if not 1 <= self.min_workers <= self.max_workers:
            raise ValueError(f"expected 1 <= min_workers <= max_workers, got {self.min_workers} and {self.max_workers}")
        if not 0 <= self.down_threshold < self.up_threshold:
            raise ValueError(
                f"expected 0 <= down_threshold < up_threshold, got {self.down_threshold:g} and {self.up_threshold:g}"
            )
        if self.interval_s < 0:
            raise ValueError(f"expected an interval that is not negative, got {self.interval_s:g}")


class Autoscaler:
    """Decides, when it is asked, how many workers there should be. Pure but for its clock, which gives seconds."""

    def __init__(self, scaling: Scaling, clock: Callable[[], float]) -> None:
        self.scaling = scaling
        self._clock = clock
        self._changed_at: float | None = None

    def decide(self, workers: int, queued: int, running: int) -> tuple[int, str]:
        """The number of workers to have, and why; the present one when nothing is to change.

        Up: at once to as many as would bring the queue to the threshold. Down: half the way to what is needed, since
        what is gone is missed when the next tasks come.
        """
        rules = self.scaling
        rules.check()
        bounded = min(max(workers, rules.min_workers), rules.max_workers)
        if bounded != workers:
            return self._change(bounded, f"between {rules.min_workers} and {rules.max_workers}")
        if self.wait_s() > 0:
            return workers, ""
        if queued > rules.up_threshold * workers and workers < rules.max_workers:
            enough = -int(-queued // rules.up_threshold) if rules.up_threshold else rules.max_workers
            wanted = min(rules.max_workers, max(workers + 1, enough))
            return self._change(wanted, f"{queued} tasks wait for {workers} workers")
        if queued + running < rules.down_threshold * workers and workers > rules.min_workers:
            needed = max(rules.min_workers, queued + running)
            return self._change(workers - max(1, (workers - needed) // 2), f"{running} of {workers} workers are busy")
        return workers, ""

    def _change(self, workers: int, reason: str) -> tuple[int, str]:
        self._changed_at = self._clock()
        return workers, reason

    def wait_s(self) -> float:
        """Seconds until it may change the number again; 0 when it may now."""
        if self._changed_at is None:
            return 0.0
        return max(0.0, self._changed_at + self.scaling.interval_s - self._clock())
