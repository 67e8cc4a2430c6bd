"""Runs commands: an argument list, or a line for the shell."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import field

from orchestro.engine.executor import AttemptContext, AttemptEnd
from orchestro.engine.executors.settings import ExecutorSettings, file_name
from orchestro.errors import SpawnError
from orchestro.events import ArtifactWritten
from orchestro.model import NOTHING, Failure, Outcome, Task
from orchestro.records import dataclass
from orchestro.terminal.cleaning import plain_text
from orchestro.terminal.process import MARK
from orchestro.terminal.process.exit_text import describe_exit

__all__ = ["Command", "CommandExecutor"]

_LIMIT_BYTES = 1 << 20
"""Of output that is kept of a command, its end."""
_TAIL_BYTES = 16 << 10
"""Of output that goes into the record of a failure; all that was kept is written beside the run."""
_PASSED_TAIL_BYTES = 2 << 10


@dataclass(frozen=True, slots=True)
class Command:
    """The payload of a task of the kind ``command``."""

    argv: tuple[str, ...]
    cwd: str = "."
    shell: bool = False
    """Whether `argv` is one line for ``/bin/sh -c``."""
    env: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    """Variables that are set beside those of orchestro's own environment."""
    description: str = ""

    @property
    def line(self) -> str:
        """As a person would type it."""
        import shlex

        return self.argv[0] if self.shell else shlex.join(self.argv)


class CommandExecutor:
    """Implements `Executor` for tasks whose payload is a `Command`: exit code 0 passes, any other fails."""

    def __init__(self, settings: ExecutorSettings) -> None:
        self._settings = settings
        self._mark = f"{settings.mark}/command"
        self._env = {**os.environ, MARK: self._mark}
        self._started = False

    async def execute(self, task: Task, context: AttemptContext) -> AttemptEnd:
        """Run one attempt."""
        command: Command = task.payload
        argv = ["/bin/sh", "-c", *command.argv] if command.shell else list(command.argv)
        env = {**self._env, **command.env} if command.env else self._env
        self._started = True
        try:
            code, output, cut, timed_out = await _run(argv, command.cwd, env, task.timeout_s)
        except SpawnError as error:
            return AttemptEnd(Outcome.ERROR, Failure(str(error), source=task.source))
        if code == 0 and not timed_out:
            return AttemptEnd(
                Outcome.PASSED, exit_code=0, output=plain_text(output[-_PASSED_TAIL_BYTES:]) if output else ""
            )
        message = f"no end within {task.timeout_s:g} s" if timed_out else describe_exit(code)
        kept = ""
        if len(output) > _TAIL_BYTES or cut:
            kept = self._write(task, context, output)
        failure = Failure(
            message,
            source=task.source,
            step=command.line,
            output=plain_text(output[-_TAIL_BYTES:]),
            hint=f"the last {len(output) >> 10} KiB of its output are in {kept}" if kept else "",
        )
        outcome = Outcome.TIMED_OUT if timed_out else Outcome.FAILED
        return AttemptEnd(outcome, failure, exit_code=None if timed_out else code)

    def _write(self, task: Task, context: AttemptContext, output: bytes) -> str:
        path = os.path.join("artifacts", file_name(task.id, context.number), "output.txt")
        full = os.path.join(self._settings.run_dir, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "wb") as file:
            file.write(output)
        context.emit(ArtifactWritten(context.clock(), task.id, context.number, "output", "output", path))
        return full

    async def close(self) -> None:
        """End what commands left running outside their process groups."""
        if self._started and sys.platform != "win32":
            from orchestro.terminal.process.ending import kill_strays

            await kill_strays(0, f"{MARK}={self._mark}", set())


async def _run(
    argv: list[str], cwd: str, env: Mapping[str, str], timeout_s: float | None
) -> tuple[int, bytes, int, bool]:
    if sys.platform == "win32":
        from orchestro.terminal.pipe_driver import run_command

        done = await run_command(argv, cwd=cwd, env=env, timeout_s=timeout_s, limit_bytes=_LIMIT_BYTES)
        return done.code, done.text.encode(), done.cut, done.timed_out
    from orchestro.terminal.process.piped import run_piped

    ended = await run_piped(argv, cwd=cwd, env=env, timeout_s=timeout_s, limit_bytes=_LIMIT_BYTES)
    return ended.code, ended.output, ended.cut, ended.timed_out
