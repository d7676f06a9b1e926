"""A provider: everything Billow knows of a vendor, in one value; each vendor's module declares one as `PROVIDER`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from pydantic import BaseModel

from activities.payments.provider import PaymentReport
from billing.connections import Connection, Direction, Port
from billing.events import BillingEvent

Meaning = BillingEvent | PaymentReport
"""What a vendor's message can mean: something that bills, or money that moved."""


@dataclass(frozen=True)
class Mapped:
    """A field that goes between a vendor and Billow: the vendor's usual name of it, and whether it must be there."""

    ours: str
    theirs: str
    direction: Direction = Direction.IN
    required: bool = False


@dataclass(frozen=True)
class FieldSample:
    """One line of a live check: a field, where it comes from, a value of it, and what is wrong with that."""

    ours: str
    theirs: str
    value: str = ""
    problem: str = ""


class Probed(Protocol):
    """An adapter that can be tried out against the live system."""

    def samples(self) -> Sequence[FieldSample]:
        """Every mapped field with a real value of it. `SourceUnavailable` if the system cannot be reached at all."""


@dataclass(frozen=True)
class Received:
    """A delivery as it came over the wire; `url` is the one the vendor called, header names are in lower case."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Delivery:
    """One genuine message of a delivery: its id with the vendor (the same for each repetition) and its content."""

    id: str
    content: dict[str, Any]


class Webhook(Protocol):
    """How a vendor's deliveries are verified and read."""

    media_types: tuple[str, ...]
    answer: str
    """The body the vendor wants as receipt."""

    def verify(self, received: Received, secrets: Sequence[str], now: datetime) -> tuple[Delivery, ...]:
        """The messages, if signed by one of the secrets and within the vendor's time window. Else `NotGenuine`."""

    def events(self, delivery: Delivery, adapter: Any) -> tuple[Meaning, ...]:
        """What a message means; fetches the record again (by the adapter) where the signature does not cover it."""


class NotGenuine(Exception):
    """A delivery that is forged, stale, or cannot be read; the message says which."""


@dataclass(frozen=True)
class Changes:
    """What is new since a cursor; `cursor` is where to go on, `more` whether there is more at once.

    `problem` says what could not be read and is asked for again the next time, while the rest is. `messages` are those
    of a vendor with webhooks, under the ids they are delivered by: each that was not delivered is acted on, too.
    """

    events: tuple[BillingEvent, ...]
    cursor: str
    more: bool = False
    problem: str = ""
    messages: tuple[Delivery, ...] = ()


class Polled(Protocol):
    """An adapter of a vendor without webhooks."""

    def changes(self, cursor: str | None, now: datetime) -> Changes:
        """What happened since the cursor (None: from now on); asked twice, it says the same under the same ids."""


@dataclass(frozen=True)
class Told:
    """An invoice as it is written back: `status` in words of section 1 of the glossary, `link` to its page."""

    billing_key: str
    number: str
    status: str
    amount: str
    currency: str
    link: str
    records: tuple[str, ...]
    """The vendor's ids of what it bills: deals in a CRM, time entries in a PSA."""


class WritesBack(Protocol):
    """An adapter that shows in the source what was billed. Told twice, it changes nothing."""

    def write_back(self, told: Told) -> None:
        """`SourceUnavailable` if the vendor does not take it now."""


@dataclass(frozen=True)
class Provider:
    """A vendor: what it serves, which secrets and settings it takes, which fields it has, and how its adapter is built.

    `build` gets the connection and the values of its secrets; it gives a `CrmSource`, `PsaSource`, `ContractSource` …,
    which may also be `Probed`, `Polled` and one that `WritesBack`.
    """

    name: str
    title: str
    ports: frozenset[Port]
    base_url: str
    settings: type[BaseModel]
    secrets: tuple[str, ...]
    fields: tuple[Mapped, ...]
    build: Callable[[Connection, Mapping[str, str]], Any]
    webhook: Webhook | None = None
    webhook_secret: str = "webhook_secret"  # noqa: S105  # the name of one
    optional_secrets: tuple[str, ...] = field(default=())
