"""One agreement in a billing run: what the calendar makes due is asked for, or held with its reason."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from activities.invoicing.live_source import Note, nobody
from activities.invoicing.sources import Systems
from activities.ledger import company_exceptions, triggers
from activities.ledger.billing_run_records import Outcome, RunItem
from activities.ledger.company_records import CompanyVersion
from activities.ledger.database import ITS_OWN_FAULT
from billing.agreements import Agreement, Retainer
from billing.due import FEE, Due, due
from billing.errors import Conflicting, SourceUnavailable
from billing.exceptions import Finding, ReasonCode
from billing.fees import fee
from billing.go_ahead import hindrance
from billing.money import Money, rounded, total
from billing.taken import Taken

_log = logging.getLogger("billow.billing_run")

CAUGHT_UP_AFTER = timedelta(days=2)
"""A run looks at least once a day; what was due longer than that was missed, by an outage or a late agreement."""

READ_ONCE = 60.0
"""Seconds for which a client with many agreements is read once."""

SOURCES = "billing-run/sources"
"""Subject of the exception about sources that cannot be read: one for all agreements they keep from being billed."""


def subject(agreement: str) -> str:
    """The subject of the exception about an agreement that is due and not billed."""
    return f"agreement/{agreement}"


def bill(
    tx: Session,
    version: CompanyVersion,
    agreement: Agreement,
    billed: Taken,
    as_of: datetime,
    note: Note = nobody,
) -> list[RunItem]:
    """Asks for an invoice for everything that is due and unbilled by the end of the day it is for the client.

    Before it does, it looks whether the client is active and the contract signed; if not, everything due is held, and
    a person is told once. One agreement nobody can make sense of keeps no other back.
    """
    company = version.company
    try:
        with tx.begin_nested():
            today = triggers.company_today(company, agreement, as_of)
            found = list(
                due(agreement, today, triggers.calendar_of_agreement(company, agreement, today), billed)
            )
            if not found:
                return []
            finding = _hindrance(version, agreement, note)
            if finding is not None:
                return _hold(tx, version, agreement, found, finding, as_of)
            return [
                item
                for each in found
                if (item := _ask(tx, version, agreement, each, today, as_of)) is not None
            ]
    except ITS_OWN_FAULT as error:
        why = str(error).partition("\n")[0][:500]
        _log.warning("billing run: agreement %s cannot be billed: %s", agreement.id, why)
        finding = Finding(
            code=ReasonCode.STEP_FAILED, message=f"agreement {agreement.id!r} cannot be billed: {why}"
        )
        return _hold(tx, version, agreement, [], finding, as_of)


def _ask(
    tx: Session, version: CompanyVersion, agreement: Agreement, found: Due, today: date, as_of: datetime
) -> RunItem | None:
    """None if somebody else has asked for it meanwhile."""
    late = found.since + CAUGHT_UP_AFTER < today
    item = RunItem(
        billing_key=found.occasion.billing_key,
        agreement=agreement.id,
        outcome=Outcome.TRIGGERED,
        because=f"caught up: due since {found.since.isoformat()}" if late else "",
        due_since=found.since,
        caught_up=late,
    )
    try:
        with tx.begin_nested():
            requested = triggers.by_occasion(
                tx,
                found.occasion,
                "time",
                by=version.company.billing_runs.requested_by,
                channel="billing run",
                reason=item.because,
                at=as_of,
            )
    except Conflicting as error:  # billed in part a moment ago; the next run bills what is left
        return item.model_copy(
            update={"outcome": Outcome.HELD, "code": ReasonCode.ALREADY_BILLED, "because": str(error)}
        )
    return item if requested.new else None


def _hindrance(version: CompanyVersion, agreement: Agreement, note: Note) -> Finding | None:
    client = version.company.client(agreement.client)
    systems = Systems.of(version, note, READ_ONCE)
    try:
        crm = systems.crm.client(client.crm) if client else None
        contract = systems.contracts.contract(agreement.contract) if agreement.contract else None
    except SourceUnavailable as error:
        return Finding(code=ReasonCode.SOURCE_UNREADABLE, message=str(error))
    return hindrance(agreement, client, crm, contract)


def _hold(
    tx: Session,
    version: CompanyVersion,
    agreement: Agreement,
    found: Sequence[Due],
    finding: Finding,
    as_of: datetime,
) -> list[RunItem]:
    """Holds what is due; its owner is told once, and what is at stake as long as it lasts."""
    unreadable = finding.code == ReasonCode.SOURCE_UNREADABLE
    company_exceptions.raise_one(
        tx,
        SOURCES if unreadable else subject(agreement.id),
        finding,
        version.company,
        client=None if unreadable else agreement.client,
        at_stake=None if unreadable else _at_stake(agreement, found),
        at=as_of,
    )
    held = RunItem(
        billing_key=agreement.id,
        agreement=agreement.id,
        outcome=Outcome.HELD,
        code=finding.code,
        because=finding.message,
    )
    return [
        held.model_copy(update={"billing_key": each.occasion.billing_key, "due_since": each.since})
        for each in found
    ] or [held]


def _at_stake(agreement: Agreement, found: Sequence[Due]) -> Money | None:
    """The net fees that are not billed, less the discount; None if nobody can tell before the work is looked at."""
    if not isinstance(agreement, Retainer):
        return None
    currency, discount = agreement.currency, agreement.discount
    periods = [each.occasion.period for each in found if each.occasion.item == FEE]
    fees = [total(part.amount for part in fee(agreement, each)) for each in periods if each]
    # the discount is rounded once an invoice, as its line is
    net = [each - rounded(each * discount / 100, currency) for each in fees]
    return Money.of(total(net), currency) if net else None
