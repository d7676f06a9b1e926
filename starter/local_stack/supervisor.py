"""Starts services, waits until they are ready, watches over them, ends them in reverse order."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from starter.local_stack import leftovers
from starter.local_stack import service as services
from starter.local_stack.errors import StackError
from starter.local_stack.service import Child, Service

POLL = 0.05
SETTLED = 300.0  # a service that ran this long in seconds has all its restarts again
PAUSES = (0.0, 2.0, 5.0)  # seconds before the first, second, each later restart


@dataclass
class Watched:
    """A child and how often it was started again; `due` is when it shall be, while it is down."""

    child: Child
    restarted: int = 0
    due: float | None = None


class Supervisor:
    """The children of one stack. All methods belong to the main thread."""

    def __init__(self, home: Path, environment: Mapping[str, str], report: Callable[[str], None]) -> None:
        self.home, self.report = home, report
        self.environment = {**environment, leftovers.MARK: str(home.resolve())}
        self.logs = home / "logs"
        self.logs.mkdir(parents=True, exist_ok=True)
        self._stages: list[list[Watched]] = []

    def start(self, *stage: Service) -> None:
        """Start services that belong together: they are ended together, before those started earlier."""
        watched: list[Watched] = []
        self._stages.append(watched)  # first, so that stop() finds each one however this is interrupted
        for service in stage:
            watched += [Watched(Child.start(service, self.environment, self.logs))]

    def wait_until_ready(self) -> None:
        """Return when every service answers. Raises `StackError` if one died or did not answer in time."""
        for watched in self._all():
            service = watched.child.service
            if service.ready:
                self.wait_for(service.ready, service.ready_within, service.name)

    def wait_for(self, condition: Callable[[], bool], within: float, what: str) -> None:
        """Return once `condition` holds, watching meanwhile. Raises `StackError` after `within` seconds."""
        deadline = time.monotonic() + within
        while not condition():
            self.watch()
            if time.monotonic() > deadline:
                raise StackError(
                    f"{what} was not ready within {within:.0f} seconds: see the logs in {self.logs}."
                )
            time.sleep(POLL)

    def watch(self) -> None:
        """Look after the children once: restart what may be, raise `StackError` for what may not."""
        now = time.monotonic()
        for watched in self._all():
            child = watched.child
            if watched.due is not None:
                if now >= watched.due:
                    watched.child, watched.due = Child.start(child.service, self.environment, self.logs), None
            elif child.exit_code is not None:
                services.stop([child])  # what it started itself
                if now - child.started > SETTLED:
                    watched.restarted = 0
                if watched.restarted >= child.service.restarts:
                    raise StackError(child.epitaph())
                watched.due = now + PAUSES[min(watched.restarted, len(PAUSES) - 1)]
                watched.restarted += 1
                self.report(f"{child.epitaph()}; restart {watched.restarted} of {child.service.restarts}")

    def stop(self) -> None:
        """End every process, last started first; returns when none is left."""
        while self._stages:
            services.stop([watched.child for watched in self._stages[-1]])
            self._stages.pop()
        leftovers.end(self.home, within=2.0)

    def _all(self) -> list[Watched]:
        return [watched for stage in self._stages for watched in stage]
