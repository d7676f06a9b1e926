"""What the vendors' adapters of this port share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import ROUND_DOWN, Decimal
from functools import partial

from activities.providers.field_map import FieldMap, Record
from activities.providers.provider import FieldSample, Mapped, Told
from billing.connections import Connection
from billing.errors import SourceFaulty
from billing.status import DocumentStatus

FRESH_FOR = 20.0
"""Seconds for which a list of all projects is good: those of one run over them."""

_RELEASED = (DocumentStatus.VOIDED, DocumentStatus.CREDITED)
_PRECISE = Decimal("1e-10")


def address_of(title: str, connection: Connection) -> str:
    """Where the system answers. `SourceFaulty` if the connection does not say: this vendor has no usual address."""
    if not connection.base_url:
        raise SourceFaulty(
            f"{title} ({connection.id}) has no address; write where it answers as base_url in integrations.yaml"
        )
    return connection.base_url


def hours(amount: int, of_an_hour: int) -> Decimal:
    """Hours of an amount of minutes (60 of an hour) or seconds (3600), exact where they have an end; thirds to ten
    digits, never upwards, so that a sum of them does not exceed what was worked."""
    return (Decimal(amount) / of_an_hour).quantize(_PRECISE, ROUND_DOWN).normalize() + Decimal(0)


def mark(now: str, told: Told) -> str | None:
    """What an entry is to be marked with, given what it is marked with; None if nothing is to be changed.

    An invoice that bills it no more takes its own mark away, never that of another one.
    """
    wanted = "" if told.status in _RELEASED else told.number
    if wanted == now or (not wanted and now != told.number):
        return None
    return wanted


def mark_all(title: str, told: Told, write: Callable[[str], None], hint: str = "") -> None:
    """Writes on each entry of the invoice. `SourceFaulty`, once the others are done, if one would not have it."""
    failed: list[tuple[str, str]] = []
    for entry in told.records if told.number else ():
        try:
            write(entry)
        except SourceFaulty as error:
            failed.append((entry, str(error)))
    if failed:
        entry, why = failed[0]
        raise SourceFaulty(
            f"{title}: {len(failed)} of {len(told.records)} time entries could not be marked with {told.number}, "
            f"first {entry}: {why}{hint}"
        )


def samples(
    fields: FieldMap, mapped: Sequence[Mapped], examples: Mapping[str, Record | None]
) -> list[FieldSample]:
    """Every field with its value in an example of its kind (`project`, `milestone`, `time_entry`), None if none is
    there yet: that is no fault of the field."""

    def read(ours: str) -> object:
        kind, _, name = ours.partition(".")
        example = examples.get(kind)
        return None if example is None else _reader(fields, name)(ours, example, f"the newest {kind}")

    return [
        fields.sample(
            each.ours,
            partial(read, each.ours),
            needed=each.required and examples.get(each.ours.partition(".")[0]) is not None,
        )
        for each in mapped
    ]


def _reader(fields: FieldMap, name: str) -> Callable[[str, Record, str], object]:
    if name in ("completed", "signed_off", "day"):
        return fields.day
    if name == "hours":
        return fields.number
    if name == "progress":
        return partial(fields.whole, least=0, most=100)
    if name in ("approved", "billable"):
        return partial(fields.flag, unmapped=True)
    return fields.text
