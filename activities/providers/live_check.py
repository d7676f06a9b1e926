"""The live check: systems are tried out two at a time, each within bounded time; nothing is written to any of them."""

from __future__ import annotations

import logging
import queue
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from activities.providers.http import at_most
from activities.providers.provider import FieldSample
from billing.errors import BillowError

_log = logging.getLogger("billow.live_check")

AT_A_TIME = 2
LONGEST = 60.0
"""Seconds one system may take."""

GRACE = 15.0
"""Seconds after that in which what asks may still end by itself; then it is left to itself."""


@dataclass(frozen=True)
class Probe:
    """A system and how it is tried out; what it raises is the system's problem."""

    id: str
    title: str
    port: str
    address: str
    samples: Callable[[], Sequence[FieldSample]]
    webhook: str = ""
    """Where the vendor's deliveries are taken, or why they are not."""


@dataclass(frozen=True)
class Report:
    """What came of it; `problem` is about the system as a whole."""

    probe: Probe
    samples: tuple[FieldSample, ...] = ()
    problem: str = ""
    seconds: float = 0.0

    @property
    def problems(self) -> tuple[str, ...]:
        """Everything that is wrong, each once."""
        return tuple(dict.fromkeys(filter(None, (self.problem, *(each.problem for each in self.samples)))))


def tried_out(probes: Sequence[Probe], longest: float = LONGEST, grace: float = GRACE) -> Iterator[Report]:
    """A report on each system, as they come. One that hangs is left to itself, and keeps no other waiting."""
    done: queue.Queue[Report] = queue.Queue()
    waiting, running = list(probes), dict[str, tuple[Probe, float]]()
    while waiting or running:
        while waiting and len(running) < AT_A_TIME:
            probe = waiting.pop(0)
            running[probe.id] = (probe, time.monotonic())
            threading.Thread(
                target=_try, args=(probe, longest, done), name=f"live check of {probe.id}", daemon=True
            ).start()
        first = min(began for _, began in running.values())
        try:
            report = done.get(timeout=max(0.05, first + longest + grace - time.monotonic()))
        except queue.Empty:
            for id_, (probe, began) in list(running.items()):
                if time.monotonic() - began >= longest + grace:
                    del running[id_]
                    yield Report(probe, problem=_too_long(probe, longest), seconds=longest + grace)
            continue
        if running.pop(report.probe.id, None):
            yield report


def _try(probe: Probe, longest: float, done: queue.Queue[Report]) -> None:
    began = time.monotonic()
    report = Report(probe)
    try:
        with at_most(longest):
            samples = tuple(replace(each, value=shortened(each.ours, each.value)) for each in probe.samples())
        report = Report(probe, samples)
    except BillowError as error:
        report = Report(probe, problem=str(error))
    except Exception as error:  # noqa: BLE001  # whatever one system does, the others are tried out
        _log.exception("live check of %s", probe.id)
        what = f"{probe.title} answers in a way nobody here understands ({type(error).__name__})"
        report = Report(probe, problem=f"{what}; check base_url in integrations.yaml, and with the vendor")
    finally:
        done.put(replace(report, seconds=time.monotonic() - began))


def _too_long(probe: Probe, longest: float) -> str:
    return (
        f"{probe.title} takes longer than {longest:g} s; ask whoever runs it, or look at the network between"
    )


_EMAIL = re.compile(r"([\w.+-])[\w.+-]*@([\w-]+\.[\w.-]+)")
_PERSONAL = re.compile(
    r"\b(name|first_name|last_name|person|author|owner|street2?|vat_id|tax_number|note|comment|description)\b"
)


def shortened(ours: str, value: str) -> str:
    """A value as it may stand on a screen that others see: enough of it to recognise the field, not the person."""
    value = _EMAIL.sub(r"\1…@\2", value)
    if not _PERSONAL.search(ours.replace(".", " ")) or "@" in value:
        return value
    return " ".join(each if len(each) <= 2 else f"{each[:2]}…" for each in value.split()[:4])
