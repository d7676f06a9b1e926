"""Discounts by rule: who gets how much off the net of an invoice, in which order, and what they may come to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from itertools import pairwise
from typing import Annotated

from pydantic import Field, model_validator

from billing.allowances import Allowance, AllowanceCode, amount_off, percentage_off, sum_of
from billing.line_words import LineWords
from billing.money import Currency, Figure, rounded
from billing.parties import Identifier, Language, Strict
from billing.periods import months_after

Share = Annotated[Figure, Field(gt=0, le=100)]
"""Per cent of a net amount."""


class Reckoned(StrEnum):
    """What a percentage is reckoned on, where other discounts came before it."""

    REMAINING = "remaining net"
    ORIGINAL = "original net"


class VolumeTier(Strict):
    """From this net of the invoice on (in the discount's currency), so many per cent off all of it."""

    net: Figure = Field(ge=0)
    percent: Share


class LoyaltyStep(Strict):
    """From so many full years of the agreement on, so many per cent off."""

    years: int = Field(ge=1, le=100)
    percent: Share


class Discount(Strict):
    """A rule: how much, when, for whom, after which others.

    It gives exactly one of `percent`, `amount`, `volume` and `loyalty`. All conditions must hold on the first day of
    the supply. `order` says when it is applied, the lowest first, then by id. Of the discounts with one name under
    `exclusive` that hold together, the one that takes most off is given.
    """

    id: Identifier
    title: str = Field(min_length=1, description="stands on the invoice")
    titles: dict[Language, str] = Field(default_factory=dict, description="the title in other languages")
    percent: Share | None = None
    amount: Figure | None = Field(default=None, gt=0, description="off the net, in `currency`")
    volume: tuple[VolumeTier, ...] = ()
    loyalty: tuple[LoyaltyStep, ...] = ()
    currency: Currency | None = Field(
        default=None, description="of `amount`, `volume` and `at_most`; other invoices do not get it"
    )
    first_months: int | None = Field(
        default=None, ge=1, le=120, description="only so many months from the agreement's start"
    )
    since: date | None = None
    until: date | None = Field(default=None, description="the last day")
    agreements: tuple[Identifier, ...] = Field(default=(), description="only these; none named: all")
    clients: tuple[Identifier, ...] = Field(default=(), description="only these; none named: all")
    order: int = Field(default=100, ge=0, le=1000)
    on: Reckoned = Reckoned.REMAINING
    exclusive: str = Field(default="", description="name of a group of which only the best is given")
    at_most: Figure | None = Field(default=None, gt=0, description="off one invoice, in `currency`")

    @model_validator(mode="after")
    def _one_kind(self) -> Discount:
        kinds = (self.percent is not None, self.amount is not None, bool(self.volume), bool(self.loyalty))
        if sum(kinds) != 1:
            raise ValueError("write exactly one of percent, amount, volume, loyalty")
        if self.currency is None and (self.amount is not None or self.volume or self.at_most is not None):
            raise ValueError("amount, volume and at_most need a currency")
        if self.since and self.until and self.until < self.since:
            raise ValueError(f"until ({self.until}) lies before since ({self.since})")
        for steps in (
            [each.net for each in self.volume],
            [Decimal(each.years) for each in self.loyalty],
        ):
            if any(later <= earlier for earlier, later in pairwise(steps)):
                raise ValueError("write the steps in ascending order, each once")
        return self

    def named(self, language: Language) -> str:
        return self.titles.get(language, self.title)


@dataclass(frozen=True)
class DiscountFacts:
    """What is billed: `net` are the lines together, in the currency; `day` is the first day of the supply."""

    client: str
    currency: str
    net: Decimal
    day: date
    words: LineWords
    language: Language = "en"
    agreement: str = ""
    agreement_start: date | None = None
    agreed: Decimal = Decimal(0)


def applied(discounts: Sequence[Discount], facts: DiscountFacts) -> tuple[Allowance, ...]:
    """What comes off the net, in order; the agreement's own percentage first, on the whole net.

    Each is rounded to the currency, half away from zero, and takes no more than is left: discounts never make an
    invoice negative. An invoice of nothing or less gets none by rule.
    """
    given: list[Allowance] = []
    if facts.agreed:
        reason = f"{facts.words.discount} {facts.words.figure(facts.agreed)} %"
        given.append(percentage_off(facts.net, facts.agreed, facts.currency, reason, why="agreed discount"))
    pending = sorted((each for each in discounts if holds(each, facts)), key=lambda one: (one.order, one.id))
    while pending:
        rivals = [
            each for each in pending if each is pending[0] or each.exclusive == pending[0].exclusive != ""
        ]
        offers = [_offer(each, facts, facts.net - sum_of(given)) for each in rivals]
        best = max(offers, key=lambda offer: offer.amount)
        others = ", ".join(each.id for each, offer in zip(rivals, offers, strict=True) if offer is not best)
        given.append(best.model_copy(update={"why": f"{best.why}; better than {others}"}) if others else best)
        pending = [each for each in pending if each not in rivals]
    return tuple(each for each in given if each.amount)


def effective(allowances: Sequence[Allowance], net: Decimal) -> Decimal:
    """What all of them take off the net, in per cent with two decimals: what approvers look at."""
    percent = sum_of(allowances) * 100 / net if net > 0 else Decimal(0)
    return percent.quantize(Decimal("0.01"), ROUND_HALF_UP)


def holds(discount: Discount, facts: DiscountFacts) -> bool:
    """Whether all conditions are met, and something is billed; those on the time of an agreement never are where there
    is none."""
    return (
        facts.net > 0
        and discount.currency in (None, facts.currency)
        and (not discount.agreements or facts.agreement in discount.agreements)
        and (not discount.clients or facts.client in discount.clients)
        and (discount.since is None or discount.since <= facts.day)
        and (discount.until is None or facts.day <= discount.until)
        and (discount.first_months is None or _within(facts, discount.first_months))
        and (discount.amount is not None or _percent(discount, facts) > 0)
    )


def _within(facts: DiscountFacts, months: int) -> bool:
    start = facts.agreement_start
    return start is not None and start <= facts.day < months_after(start, months)


def _percent(discount: Discount, facts: DiscountFacts) -> Decimal:
    """The percentage of the highest step that is reached; zero if none is."""
    start = facts.agreement_start
    reached = [each.percent for each in discount.volume if each.net <= facts.net]
    reached += [
        each.percent
        for each in discount.loyalty
        if start is not None and months_after(start, 12 * each.years) <= facts.day
    ]
    return reached[-1] if reached else discount.percent or Decimal(0)


def _offer(discount: Discount, facts: DiscountFacts, left: Decimal) -> Allowance:
    """What a discount takes off: at most its own limit, and at most what others have left."""
    left = max(left, Decimal(0))
    base = facts.net if discount.on is Reckoned.ORIGINAL else left
    reason, why = discount.named(facts.language), f"discount {discount.id}"
    if discount.amount is not None:
        offer = amount_off(discount.amount, facts.currency, reason, why=why)
    else:
        percent = _percent(discount, facts)
        offer = percentage_off(base, percent, facts.currency, reason, why=f"{why}: {percent} % of {base}")
    most = min(left, offer.amount if discount.at_most is None else discount.at_most)
    if offer.amount <= most:
        return _coded(offer, discount)
    # what is cut is no percentage of its base any more, and says so (Peppol R040)
    cut = {
        "amount": rounded(most, facts.currency),
        "base": None,
        "percent": None,
        "why": f"{offer.why}, at most {most}",
    }
    return _coded(offer.model_copy(update=cut), discount)


def _coded(offer: Allowance, discount: Discount) -> Allowance:
    """With the reason code of UNTDID 5189 that says what kind of discount it is."""
    code = AllowanceCode.DISCOUNT
    if discount.loyalty:
        code = AllowanceCode.FIXED_LONG_TERM
    elif discount.until or discount.first_months:
        code = AllowanceCode.TEMPORARY
    return offer.model_copy(update={"reason_code": code})
