"""Source checks: what the CRM, the PSA and the signed contract say must fit before a number is taken."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from billing.agreements import (
    Agreement,
    Expenses,
    FixedPrice,
    Milestones,
    Occasion,
    PrepaidBlock,
    Retainer,
    TimeAndMaterials,
)
from billing.company import Client
from billing.exceptions import Finding, ReasonCode
from billing.money import total, written
from billing.parties import is_address
from billing.sources import CrmClient, Sources

MAX_LINES = 1500
"""Lines one document may have (about 50 pages): beyond it nobody reads and the renderer takes minutes."""


def agreed_value(agreement: Agreement, item: str = "") -> Decimal | None:
    """The net value to be found in deal and contract, or of one milestone; None where only rates were agreed."""
    match agreement:
        case Milestones() if item:
            return next((each.amount for each in agreement.milestones if each.id == item), None)
        case Retainer() | FixedPrice():
            return agreement.amount
        case Milestones():
            return total(each.amount for each in agreement.milestones)
        case PrepaidBlock():
            return agreement.price
        case TimeAndMaterials() | Expenses():
            return None


def check_client(client: Client, crm: CrmClient | None) -> Iterator[Finding]:
    """The client must be known, active and reachable."""
    if crm is None:
        yield Finding(
            code=ReasonCode.CLIENT_UNKNOWN,
            message=f"the CRM has no company {client.crm!r}; add it there or correct `crm` of client {client.id!r}",
            field="crm",
        )
        return
    if not crm.active:
        yield Finding(
            code=ReasonCode.CLIENT_INACTIVE,
            message=f"client {client.id!r} is not active in the CRM; activate it or void this draft",
            field="active",
        )
    if crm.billing_contact is None:
        yield Finding(
            code=ReasonCode.NO_CONTACT,
            message=f"client {client.id!r} has no billing contact in the CRM; add a name and an e-mail address",
            field="billing_contact",
        )
    for address in crm.copies_to:
        if not is_address(address):
            yield Finding(
                code=ReasonCode.NO_CONTACT,
                message=f"{address!r} is not an e-mail address, so client {client.id!r} gets no copy there; "
                "correct `copies_to` in the CRM",
                field="copies_to",
                left=f"CRM {address}",
            )


def check_agreement(agreement: Agreement, client: Client, sources: Sources) -> Iterator[Finding]:
    """Agreement, deal, contract and project must be of one client, currency and value; the contract signed."""
    yield from _check_contract(agreement, sources)
    if sources.project and sources.project.client != client.crm:
        yield _differs("client", f"PSA {sources.project.client}", f"agreement {client.crm}")
    records = [("CRM", sources.deal), ("contract", sources.contract)]
    for system, record in records:
        if record is None:
            continue
        if record.client != client.crm:
            yield _differs("client", f"{system} {record.client}", f"agreement {client.crm}")
        if record.currency != agreement.currency:
            yield _differs("currency", f"{system} {record.currency}", f"agreement {agreement.currency}")
    values = [(system, record.value, record.currency) for system, record in records if record is not None]
    agreed = agreed_value(agreement)
    if agreed is not None:
        values.append(("agreement", agreed, agreement.currency))
        yield from _check_values(values, next((each for each in values if each[0] == "contract"), values[-1]))
    if agreement.deal and sources.deal is None:
        yield _missing("deal", f"the CRM has no deal {agreement.deal!r}")


def _check_values(
    values: list[tuple[str, Decimal, str]], reference: tuple[str, Decimal, str]
) -> Iterator[Finding]:
    """System, value and currency of each against the one that counts; across currencies there is no difference."""
    for system, value, currency in values:
        if value != reference[1]:
            by = f"a difference of {written(abs(value - reference[1]), currency)}"
            yield _differs(
                "value",
                _told(system, value, currency),
                _told(*reference),
                by if currency == reference[2] else "",
            )


def _told(system: str, value: Decimal, currency: str) -> str:
    return f"{system} {written(value, currency)} {currency}"


def _check_contract(agreement: Agreement, sources: Sources) -> Iterator[Finding]:
    if agreement.contract is None:
        return
    if sources.contract is None:
        yield Finding(
            code=ReasonCode.NOT_SIGNED,
            message=f"there is no signed contract {agreement.contract!r} for agreement {agreement.id!r}; "
            "have it signed and filed, then try again",
            field="contract",
        )


def check_work(agreement: Agreement, occasion: Occasion, sources: Sources, today: date) -> Iterator[Finding]:
    """The work must be done and approved before it is billed."""
    match agreement:
        case TimeAndMaterials():
            yield from _check_hours(agreement, occasion, sources, today)
        case Milestones():
            if sources.milestone is None or sources.milestone.signed_off is None:
                yield _not_done(
                    f"milestone {occasion.item!r} of project {agreement.project!r} is not signed off"
                )
        case FixedPrice():
            if sources.project is None or sources.project.completed is None:
                yield _not_done(f"project {agreement.project!r} is not completed")
        case _:
            return


def _check_hours(
    agreement: TimeAndMaterials, occasion: Occasion, sources: Sources, today: date
) -> Iterator[Finding]:
    billable = [entry for entry in sources.time_entries if entry.billable]
    waiting = [entry for entry in billable if not entry.approved]
    if waiting:
        hours = total(entry.hours for entry in waiting)
        are = "hour of {} is" if hours == 1 else "hours of {} are"
        yield Finding(
            code=ReasonCode.HOURS_UNAPPROVED,
            message=f"{hours} {are.format(occasion.period)} not approved in the PSA "
            f"({_plural(len(waiting), 'entry', 'entries')}); approve them, or accept to leave them out",
            field="hours",
            left=f"PSA {hours} h",
        )
    for entry in sources.time_entries:
        which = f"PSA {entry.id}: {entry.hours} h on {entry.day}"
        if entry.hours <= 0:
            says = f"time entry {entry.id} of {entry.day} has {entry.hours} hours; correct it in the PSA"
            yield _missing("hours", says, which)
        elif entry.day > today:
            says = f"time entry {entry.id} is of {entry.day}, which is still to come; correct it in the PSA"
            yield _missing("hours", says, which)
    billed = {entry.role for entry in billable if entry.approved}
    for role in sorted(billed - set(agreement.rates)):
        yield Finding(
            code=ReasonCode.RATE_MISSING,
            message=f"agreement {agreement.id!r} has no rate for role {role!r}; add it under `rates` "
            "or correct the role in the PSA",
            field="rates",
            left=f"PSA {role}",
        )


def _not_done(what: str) -> Finding:
    return Finding(
        code=ReasonCode.NOT_DONE,
        message=f"{what} in the PSA; complete it there or void this draft",
        field="work",
    )


def _missing(field: str, message: str, left: str = "") -> Finding:
    return Finding(code=ReasonCode.SOURCES_DIFFER, message=message, field=field, left=left)


def _differs(field: str, left: str, right: str, by: str = "") -> Finding:
    message = f"{field} differs: {left} against {right}" + (f", {by}" if by else "")
    return Finding(
        code=ReasonCode.SOURCES_DIFFER,
        message=message + "; correct the system that is wrong, or accept the difference",
        field=field,
        left=left,
        right=right,
    )


def _plural(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"
