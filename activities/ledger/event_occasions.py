"""What an event makes due now, over all agreements it is about."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from activities.ledger import taken, triggers
from billing.agreements import Occasion
from billing.company import Company
from billing.errors import Refused
from billing.event_agreements import agreements_of
from billing.events import BillingEvent, comes_anyway
from billing.occasions import event_occasions


def due(tx: Session, event: BillingEvent, company: Company, at: datetime) -> tuple[list[Occasion], str]:
    """What the event makes due, in the order in which it is to be asked for; where that is nothing, why.

    `NotFound` if it is about no agreement, `Refused` if it can bill none of those it is about and does not come anyway.
    """
    occasions: dict[str, Occasion] = {}
    others: list[str] = []
    refusals: list[Refused] = []
    for agreement in agreements_of(event, company.agreements):
        today = triggers.company_today(company, agreement, at)
        calendar = triggers.calendar_of_agreement(company, agreement, today)
        try:
            found = event_occasions(event, agreement, today, calendar, taken.of_agreement(tx, agreement.id))
        except Refused as refusal:
            refusals.append(refusal)
            others.append(f"{agreement.id} ({agreement.model}) is not billed by it")
            continue
        occasions |= {each.billing_key: each for each in found}
        if not found:
            others.append(
                f"of {agreement.id} nothing is due now that is not billed already (its trigger: {agreement.trigger})"
            )
    if refusals and len(refusals) == len(others) and not occasions and not comes_anyway(event):
        raise Refused("; ".join(map(str, refusals)))
    # one order for all, so that two events that make the same things due never wait for each other in a circle
    return [occasions[key] for key in sorted(occasions)], "; ".join(others)
