"""One program of the stack and its process."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from starter.local_stack import launch

LAUNCHER = str(Path(launch.__file__))
LOG_KEPT = 10 * 1024 * 1024


@dataclass(frozen=True)
class Service:
    """What to run. With `restarts`, it is started again that often when it dies; without, the stack stops."""

    name: str
    command: tuple[str, ...]
    identity: tuple[str, ...] = ()
    ready: Callable[[], bool] | None = None
    ready_within: float = 180.0
    stop_signal: signal.Signals = signal.SIGTERM
    stop_within: float = 4.0
    restarts: int = 0

    @property
    def log_name(self) -> str:
        """The name of its log file."""
        return f"{self.name.replace(' ', '-')}.log"


@dataclass
class Child:
    """A running service. Its process group is its own: Ctrl-C in the terminal reaches only the supervisor."""

    service: Service
    process: subprocess.Popen[bytes]
    log: Path
    log_start: int
    started: float = field(default_factory=time.monotonic)

    @classmethod
    def start(cls, service: Service, environment: Mapping[str, str], logs: Path) -> "Child":
        """Start it; must be called by the main thread, whose end is what ends the child on Linux."""
        log = logs / service.log_name
        if log.exists() and log.stat().st_size > LOG_KEPT:
            log.replace(log.with_suffix(".log.1"))
        launcher = [sys.executable, "-I", "-S", LAUNCHER, str(os.getpid()), str(int(service.stop_signal))]
        with log.open("ab") as output:
            process = subprocess.Popen(
                [*service.identity, *launcher, *service.command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=dict(environment),
                process_group=0,
            )
            return cls(service, process, log, output.tell())

    @property
    def exit_code(self) -> int | None:
        """None while it runs; the negative signal number if a signal ended it."""
        return self.process.poll()

    def last_words(self) -> str:
        """The last line this process logged, at most 200 characters; empty if there is none."""
        try:
            with self.log.open("rb") as log:
                log.seek(max(self.log_start, self.log.stat().st_size - 8192))
                text = log.read().decode("utf-8", "replace")
        except OSError:
            return ""
        lines = [line.strip() for line in re.sub(r"\x1b\[[0-9;]*m", "", text).splitlines() if line.strip()]
        return lines[-1][:200] if lines else ""

    def epitaph(self) -> str:
        """One line on how it ended."""
        code = self.exit_code
        how = f"signal {signal.Signals(-code).name}" if code is not None and code < 0 else f"exit {code}"
        words = self.last_words()
        return f"{self.service.name} stopped ({how}){f': {words}' if words else ''} (log: {self.log})"

    def signal(self, number: signal.Signals) -> None:
        """Send `number` to the process and to what it started."""
        try:
            os.killpg(self.process.pid, number)
        except (ProcessLookupError, PermissionError):
            return


def stop(children: list[Child]) -> None:
    """End them all at once: each by its own signal first, by SIGKILL what has not ended in its time."""
    for child in children:
        child.signal(child.service.stop_signal)
    began = time.monotonic()
    for child in children:
        try:
            child.process.wait(max(0.0, began + child.service.stop_within - time.monotonic()))
        except subprocess.TimeoutExpired:
            child.signal(signal.SIGKILL)
            child.process.wait()
        child.signal(signal.SIGKILL)  # what it started and did not end itself
