"""A connected system as steps and runs read it: bounded in time, left alone for a moment while it is down, watched.

What an adapter cannot make sense of is a `SourceFaulty` that names the vendor, so that a person hears of it and nothing
else stops.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache, partial
from typing import Any

from activities.ledger import integrations
from activities.ledger.database import Ledger
from activities.providers.http import at_most
from activities.providers.registry import adapter, providers
from billing.company import Company
from billing.connections import Connection
from billing.errors import SourceClosed, SourceFaulty, SourceUnavailable

_log = logging.getLogger("billow.sources")

ONE_RECORD = 30.0
"""Seconds one record may take, however many calls it is made of: a step has a minute for all it asks."""

MANY_RECORDS = 300.0
"""Seconds a list of everything may take: the searches that want one have the time."""

DOWN_FOR = 20.0
"""Seconds a system that did not answer is not asked again by this process: the invoices of a run, or the projects of a
reconciliation, do not each wait for it."""

DOWN_AFTER = 3
"""So many questions in a row, each another one, without an answer are a system that is down. One record that cannot be
had is not: what else is asked must not wait for it."""

TOLD_EVERY = timedelta(minutes=1)
"""How often the ledger hears that all is well, or the same failure again."""

_LISTS = frozenset({"clients", "deals", "contracts", "projects", "projects_with_work"})
_WORTH_KEEPING = frozenset({"client", "deal", "contract", "project"})
_MOST_KEPT = 2000
_MAKES_NO_SENSE = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)

Note = Callable[[Connection, SourceUnavailable | None], None]
"""Hears how a system fared: the error, or None where it answered."""


def nobody(_connection: Connection, _error: SourceUnavailable | None) -> None:
    """Where nothing is to be written: a simulation, a check."""


@dataclass
class _State:
    """What this process knows of a connection. `lock` is held for no call."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    unanswered: set[tuple[Any, ...]] = field(default_factory=set)
    down_until: float = 0.0
    why: str = ""
    told: str | None = None
    told_at: datetime | None = None
    kept: dict[tuple[Any, ...], tuple[float, Any]] = field(default_factory=dict)


class LiveSource:
    """The adapter of a connection, with every method it has.

    It is built when it is first asked, so that one system without its credentials keeps back only what needs it. A
    record read at most `fresh_for` seconds ago is not asked for again.
    """

    def __init__(self, connection: Connection, note: Note = nobody, fresh_for: float = 0.0) -> None:
        self._connection, self._note, self._fresh_for = connection, note, fresh_for
        self._state = _state_of(connection.model_dump_json())

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return partial(self._read, name)

    def _read(self, name: str, *about: Any) -> Any:
        state, key = self._state, (name, *about)
        with state.lock:
            kept = state.kept.get(key)
            down = state.down_until - time.monotonic()
            why = state.why
        if kept is not None and self._fresh_for and time.monotonic() - kept[0] <= self._fresh_for:
            return kept[1]
        if down > 0:
            raise self._named(SourceUnavailable(why))
        try:
            found = self._asked(name, about)
        except SourceUnavailable as error:
            self._failed(key, self._named(error))
            raise
        with state.lock:
            state.unanswered.clear()
            if name in _WORTH_KEEPING:
                state.kept = {} if len(state.kept) >= _MOST_KEPT else state.kept
                state.kept[key] = (time.monotonic(), found)
        self._note(self._connection, None)
        return found

    def _asked(self, name: str, about: tuple[Any, ...]) -> Any:
        reader = adapter(self._connection)
        try:
            with at_most(MANY_RECORDS if name in _LISTS else ONE_RECORD):
                return getattr(reader, name)(*about)
        except _MAKES_NO_SENSE as error:
            _log.exception("connection %s: %s", self._connection.id, name)
            what = f"{name.replace('_', ' ')} {', '.join(map(str, about))}".strip()
            raise SourceFaulty(
                f"{title(self._connection)} answers {what} in a way nobody here understands "
                f"({type(error).__name__}); look at that record there, and at base_url and the field map in "
                "integrations.yaml"
            ) from error

    def _failed(self, key: tuple[Any, ...], error: SourceUnavailable) -> None:
        state = self._state
        with state.lock:
            if isinstance(error, SourceFaulty):
                state.unanswered.clear()
            else:
                state.unanswered.add(key)
            if len(state.unanswered) >= DOWN_AFTER:
                state.down_until, state.why = time.monotonic() + DOWN_FOR, str(error)
        self._note(self._connection, error)

    def _named(self, error: SourceUnavailable) -> SourceUnavailable:
        error.system = f"{title(self._connection)} ({self._connection.id})"
        return error


def title(connection: Connection) -> str:
    """The vendor's name, or what the connection calls it where nobody knows such a provider."""
    found = providers().get(connection.provider)
    return found.title if found else connection.provider


def noted(ledger: Ledger, company: Company, at: datetime) -> Note:
    """Writes how systems fare into the ledger: at once if that has changed, else every `TOLD_EVERY`.

    A record that is faulty is no failure of the system: the system answered, and the invoice says what is wrong.
    """

    def note(connection: Connection, error: SourceUnavailable | None) -> None:
        state, now = _state_of(connection.model_dump_json()), type(error).__name__
        with state.lock:
            again = state.told_at is not None and abs(at - state.told_at) < TOLD_EVERY
            if state.told == now and again:
                return
            state.told, state.told_at = now, at
        with ledger.transaction() as tx:
            if error is None:
                integrations.reached(tx, connection.id, at=at)
            elif isinstance(error, SourceFaulty) and not isinstance(error, SourceClosed):
                integrations.objected(tx, connection.id, str(error), at=at)
            else:
                integrations.failed(tx, connection.id, title(connection), error, company, at=at)

    return note


@lru_cache(maxsize=64)
def _state_of(_connection: str) -> _State:
    return _State()
