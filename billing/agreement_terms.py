"""The terms of an agreement in words, as they are on a day: for people who never saw its file."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from billing.agreements import (
    Agreement,
    Expenses,
    FixedPrice,
    Leftovers,
    Milestones,
    Overage,
    PrepaidBlock,
    Prices,
    Recurring,
    Retainer,
    TimeAndMaterials,
    Timing,
    Trigger,
)
from billing.change_orders import ChangeOrder, agreement_on, last_day
from billing.fees import price_on, prices
from billing.money import rounded
from billing.rates import rate_on

_LEFTOVERS = {
    Leftovers.HOLD: "hold the invoice until a person decides",
    Leftovers.BILL: "billed along",
    Leftovers.LEAVE: "left alone",
}

_TRIGGERS = {
    Trigger.DEAL_WON: "when its deal is won",
    Trigger.CONTRACT_SIGNED: "when its contract is signed",
    Trigger.PROJECT_COMPLETED: "when its project is completed",
    Trigger.MILESTONE_SIGNED_OFF: "each milestone when it is signed off",
    Trigger.PROGRESS: "each milestone when progress has come so far",
    Trigger.MANUAL: "when somebody asks",
}


def terms(agreement: Agreement, day: date) -> list[tuple[str, str]]:
    """Names and values, the most important first; change orders in force on the day are folded in."""
    now = agreement_on(agreement, day)
    found = [*_price(agreement, now, day), ("Billed", _billed(now)), *_work(now, day)]
    ends = last_day(agreement)
    found.append(
        ("Runs", f"from {now.start.isoformat()}" + (f" to {ends.isoformat()}" if ends else ", no end"))
    )
    if now.discount:
        found.append(("Discount", f"{_plain(now.discount)} % off the net"))
    if now.prices is Prices.GROSS:
        found.append(("Prices", "with tax"))
    if now.terms:
        found.append(("Terms", f"{now.terms}, instead of the client's"))
    papers = (
        ("contract", now.contract),
        ("deal", now.deal),
        ("project", now.project),
        ("order", now.order_reference),
    )
    said = " · ".join(f"{name} {value}" for name, value in papers if value)
    return [*found, *([("Papers", said)] if said else [])]


def _price(agreement: Agreement, now: Agreement, day: date) -> list[tuple[str, str]]:
    match now:
        case Retainer():
            return _fees(agreement, day) if isinstance(agreement, Retainer) else []
        case FixedPrice():
            return [("Price", _money(now.amount, now))]
        case Milestones():
            whole = sum((each.amount for each in now.milestones), Decimal(0))
            return [("Price", f"{_money(whole, now)} in {_count(len(now.milestones), 'milestone')}")]
        case PrepaidBlock():
            return [("Block", f"{_plain(now.hours)} hours for {_money(now.price, now)}")]
        case TimeAndMaterials():
            limits = (("a period", now.cap), ("the whole", now.budget))
            least = [("At least", f"{_money(now.minimum, now)} for the hours of a period")]
            most = [("At most", f"{_money(limit, now)} for {what}") for what, limit in limits if limit]
            return [*(least if now.minimum else ()), *most]
        case Expenses():
            markup = f"as spent, and {_plain(now.markup)} % on top" if now.markup else "as spent"
            limit = f", at most {_money(now.cap, now)} a period" if now.cap else ""
            return [("Price", markup + limit)]
    return []


def _fees(agreement: Retainer, day: date) -> list[tuple[str, str]]:
    """The fee of a period on a day, and the next one that is agreed."""
    today = price_on(agreement, day)
    coming = next((each for each in prices(agreement) if each.since > day), None)
    found = [("Fee", _money(today.amount, agreement) + (f" ({today.why})" if today.why else ""))]
    if coming:
        found.append(("Then", f"{_money(coming.amount, agreement)} from {coming.since} ({coming.why})"))
    return found


def _billed(now: Agreement) -> str:
    if not isinstance(now, Recurring) or now.trigger not in (Trigger.TIME, Trigger.MANUAL):
        line = now.bill_at if isinstance(now, TimeAndMaterials) and now.trigger is Trigger.SPEND else None
        return f"each time {_money(line, now)} are unbilled" if line else _TRIGGERS[now.trigger]
    every = f"every {now.every}"
    if now.bill_on is None:
        day = "on its first day" if now.timing is Timing.ADVANCE else "the day after its last"
    else:
        day = f"on day {now.bill_on}" if isinstance(now.bill_on, int) else f"on the {now.bill_on}"
        day += " of the month"
    whole = f", reckoned from {now.anchor.isoformat()}" if now.anchor else ""
    asked = "" if now.trigger is Trigger.TIME else ", when somebody asks"
    return f"{every}{whole}, {now.timing.value}, {day}{asked}"


def _work(now: Agreement, day: date) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    if isinstance(now, PrepaidBlock):
        kept = f", {_plain(now.roll_over)} hours are kept" if now.roll_over else ""
        expires = _count(now.expires_after_months, "month") if now.expires_after_months else ""
        return [
            ("Used up", _used_up(now)),
            *([("Expires", f"after {expires}{kept}")] if expires else []),
        ]
    if isinstance(now, Retainer | TimeAndMaterials) and now.rates:
        rates = {role: rate_on(now.rates, role, day) for role in now.rates}
        told = (f"{role} {_money(rate, now) if rate else 'later'}" for role, rate in rates.items())
        found.append(("Rates", ", ".join(told)))
        if now.included_hours:
            found.append(("Included", f"{_plain(now.included_hours)} hours of each period"))
        found.append(("Lines", f"one for each {' and '.join(each.value for each in now.group_by)}"))
    if isinstance(now, TimeAndMaterials | Expenses):
        found.append(("Leftovers", f"unbilled work of earlier periods: {_LEFTOVERS[now.leftovers]}"))
    if isinstance(now, Milestones | FixedPrice) and now.scope_hours:
        found.append(("Scope", f"{_plain(now.scope_hours)} hours; more is held for a person"))
    return found


def _used_up(now: PrepaidBlock) -> str:
    match now.overage:
        case Overage.NEXT_BLOCK:
            left = f" when {_plain(now.replenish_at)} hours are left" if now.replenish_at else ""
            return f"the next block is billed{left}"
        case Overage.RATE:
            return f"more hours cost {_money(now.overage_rate, now)} each, billed by the month"
    return "a person decides"


def in_words(order: ChangeOrder, currency: str) -> str:
    """What a change order changes: `amount EUR 4,300.00, end 2027-06-30`."""
    said = []
    for name in ("amount", "cap", "budget", "price"):
        value = getattr(order, name)
        if value is not None:
            said.append(f"{name} {currency} {rounded(value, currency):,}")
    said += [f"rate of {role}" for role in order.rates]
    if order.hours is not None:
        said.append(f"{_plain(order.hours)} hours")
    if order.end:
        said.append(f"end {order.end.isoformat()}")
    said += [
        f"milestone {each.id} {currency} {rounded(each.amount, currency):,}" for each in order.milestones
    ]
    return ", ".join(said)


def _money(amount: Decimal | None, agreement: Agreement) -> str:
    return f"{agreement.currency} {rounded(amount or Decimal(0), agreement.currency):,}"


def _plain(figure: Decimal) -> str:
    return f"{figure.normalize():f}"


def _count(number: int, one: str) -> str:
    return f"{number} {one}{'' if number == 1 else 's'}"
