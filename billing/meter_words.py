"""Meters in words: a line that was crossed, entries that do not count, where a meter stands."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from billing.agreements import Agreement
from billing.exceptions import Finding, ReasonCode
from billing.meter_entries import Held, Measure, MeterEntry
from billing.metering import CAP, Line, MeterStanding
from billing.money import written

_SHOWN = 3


def figure(value: Decimal, measure: Measure, currency: str) -> str:
    """`37.5 h`, `4,200.00 EUR`, `80 %`."""
    match measure:
        case Measure.HOURS:
            return f"{value.normalize():,f} h"
        case Measure.SPEND:
            return f"{written(value, currency)} {currency}"
        case Measure.PROGRESS:
            return f"{value.normalize():f} %"


def called(line: str) -> str:
    """What a line is called: a limit by what it limits, the others as what they bill."""
    kind, _, rest = line.partition("-")
    if kind == CAP and len(rest) > len("2026-01-01"):
        return f"cap of the period from {rest[:10]}"
    return {"budget": "budget", "scope": "agreed scope"}.get(kind, line) if _limits(rest) else line


def _limits(rest: str) -> bool:
    """Whether a name ends as that of a limit does, with its height."""
    return rest.replace(".", "", 1).isdigit()


def because(agreement: Agreement, measure: Measure, line: Line) -> str:
    """Why a line was crossed: `41 h of 40 h`."""
    value, at = (figure(each, measure, agreement.currency) for each in (line.value, line.threshold))
    return f"{line.name}: {value} of {at}"


def line_crossed(agreement: Agreement, measure: Measure, line: Line) -> Finding:
    """What a person is told of a line that bills nothing."""
    value, at = (figure(each, measure, agreement.currency) for each in (line.value, line.threshold))
    if line.code is ReasonCode.BLOCK_USED_UP:
        message = (
            f"the hours paid for under agreement {agreement.id!r} are used up: {value} worked; bill the next block "
            f"with `billow trigger --agreement {agreement.id} --item {line.name}`, or have the work stopped"
        )
    else:
        kind = line.name.split("-")[0]
        what = {"scope": "agreed scope", "budget": "budget", "cap": "cap of the period that begins on "}[kind]
        what += line.name[4:14] if kind == "cap" else ""
        message = (
            f"{value} are worked under agreement {agreement.id!r}, more than the {what}: {at}; "
            "agree on a change order, or accept it"
        )
    code = line.code or ReasonCode.LINE_UNBILLED
    return Finding(
        code=code, message=message, field=line.name, left=f"meter {value}", right=f"agreement {at}"
    )


def line_refused(agreement: Agreement, line: Line, error: object) -> Finding:
    """What a person is told of a line whose invoice is refused."""
    message = f"{line.name} of agreement {agreement.id!r} is reached and cannot be billed: {error}"
    return Finding(code=ReasonCode.LINE_UNBILLED, message=message, field=line.name)


def entries_held(agreement: Agreement, kind: str, entries: Sequence[tuple[MeterEntry, Held]]) -> Finding:
    """What a person is told of entries that do not count, all for one kind of reason."""
    first = "; ".join(f"{entry.id}: {held.why}" for entry, held in entries[:_SHOWN])
    more = f"; and {len(entries) - _SHOWN} more" if len(entries) > _SHOWN else ""
    count = "1 entry does" if len(entries) == 1 else f"{len(entries)} entries do"
    code = ReasonCode.RATE_MISSING if kind.startswith("rate") else ReasonCode.ENTRY_HELD
    return Finding(
        code=code,
        message=f"{count} not count for agreement {agreement.id!r}: {first}{more}",
        field="rates" if code is ReasonCode.RATE_MISSING else "entry",
    )


def stands(standing: MeterStanding, currency: str) -> str:
    """Where a meter stands, in one line: `34 h of 40 h used, 6 h left until 2027-01-14; block-2 in 6 h`."""

    def say(value: Decimal) -> str:
        return figure(value, standing.measure, currency)

    blocks, line = standing.blocks, standing.next
    if blocks is None:
        said = f"{say(standing.used)} {'done' if standing.measure is Measure.PROGRESS else 'used'}"
    else:
        left = f"{say(blocks.left)} left" if blocks.left >= 0 else f"{say(-blocks.left)} more than paid for"
        said = f"{say(blocks.drawn)} of {say(blocks.bought - blocks.lapsed)} used, {left}"
        if blocks.expires is not None and blocks.left > 0:
            said += f", some of it until {blocks.expires} only"
        beyond = sum((each.hours for each in blocks.beyond), Decimal(0))
        if beyond:
            said += f", {say(beyond)} beyond"
    if line is not None:
        said += f"; {line.name} at {say(line.threshold)}, {say(line.missing)} to go"
    return said
