"""Fees nobody billed, and drafts that were voided to be billed again and then forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from billing.agreements import Agreement, FixedPrice, Milestones, PrepaidBlock, Retainer
from billing.due import FEE, OVERAGE, all_milestones
from billing.exceptions import ReasonCode
from billing.fees import fee
from billing.leakage.expected import Expectations, Expected, for_agreement, key_subject, net, on_day
from billing.leakage.leak import Leak, VoidedDraft
from billing.money import Money, total


def unbilled_fees(expected: Expectations, agreement: Retainer) -> Iterator[Leak]:
    """The fee of every period that is due for longer than the days of grace and on no invoice."""
    for each in expected.unbilled_periods(agreement):
        period = each.occasion.period
        if each.occasion.item == FEE and period is not None and expected.late(each.since):
            amount = total(part.amount for part in fee(agreement, period))
            yield unbilled_period(agreement, each, net(agreement, amount))


def unbilled_period(agreement: Agreement, each: Expected, at_stake: Money | None, measure: str = "") -> Leak:
    """The leak of a period that should be on an invoice and is on none."""
    occasion = each.occasion
    what = f"{measure} of {occasion.period}" if measure else f"the {occasion.item} of {occasion.period}"
    is_, was = ("are", "were") if measure else ("is", "was")
    if each.voided:
        why = f"{was} {_voided(each.voided)} and {is_} on no invoice"
    else:
        why = f"should have been billed from {each.since.isoformat()} on and {is_} on no invoice"
    return for_agreement(
        agreement,
        each.code,
        key_subject(occasion.billing_key),
        f"{what} {why}; `billow why {agreement.id}` says why, `billow trigger --agreement {agreement.id}` bills it",
        each.since,
        at_stake=at_stake,
        measure=measure,
    )


def voided_and_forgotten(expected: Expectations) -> Iterator[Leak]:
    """Drafts voided to be billed again whose key no invoice bears since; of periods, the calendar knows."""
    for draft in expected.facts.voided:
        occasion = draft.occasion
        agreement = expected.facts.company.agreement(occasion.agreement) if occasion else None
        if not expected.late(draft.voided_on) or (agreement and occasion and occasion.period):
            continue
        at_stake = draft.net
        if at_stake is None and agreement is not None and occasion is not None:
            at_stake = price_of(agreement, occasion.item, draft.voided_on)
        again = (
            f"`billow trigger --agreement {agreement.id} --item {occasion.item}`"
            if agreement and occasion
            else ""
        )
        yield Leak(
            code=ReasonCode.VOIDED_UNBILLED,
            subject=key_subject(draft.billing_key),
            message=f"{draft.billing_key} was {_voided(draft)} and never was; "
            f"{again + ' bills it' if again else 'bill it with `billow trigger`'}, or accept that nobody does",
            since=draft.voided_on,
            client=draft.client,
            agreement=occasion.agreement if occasion else None,
            at_stake=at_stake,
        )


def _voided(draft: VoidedDraft) -> str:
    because = f" ({draft.reason})" if draft.reason else ""
    return f"voided on {draft.voided_on.isoformat()} to be billed again{because}"


def price_of(agreement: Agreement, item: str, day: date) -> Money | None:
    """The price of what is billed as a whole, as agreed on a day; None where only rates were agreed."""
    amount: Decimal | None = None
    terms = on_day(agreement, day)
    match terms:
        case Milestones():
            amount = next((each.amount for each in all_milestones(terms) if each.id == item), None)
        case FixedPrice():
            amount = terms.amount
        case PrepaidBlock() if item != OVERAGE:
            amount = terms.price
    return net(agreement, amount) if amount is not None else None
