"""A simulation for programs: the documents of `billow simulate --json`, and its picture."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

from billing.money import Money
from billing.simulation.comparison import Comparison
from billing.simulation.months import by_month
from billing.simulation.outcome import Assumptions, Simulated, Simulation, Waiting
from starter.pictures.bars import Panel, picture


def simulation_data(simulation: Simulation, zone: str) -> dict[str, Any]:
    """Everything in order of time; instants in UTC, months in the zone, amounts tax included."""
    return {
        **_head(simulation),
        "steps": [_step(each) for each in simulation.steps],
        "waiting": [_waiting(each) for each in simulation.waiting],
        "months": [
            {
                "month": f"{month.first:%Y-%m}",
                "currency": currency,
                "issued": _figure(month.issued, currency),
                "paid": _figure(month.paid, currency),
                "held": _figure(month.held, currency),
            }
            for month in by_month(simulation, zone)
            for currency in month.currencies
        ],
    }


def comparison_data(compared: Comparison) -> dict[str, Any]:
    """Every act that differs, as it would be by the rules in force and by the edited ones."""
    return {
        **_head(compared.after),
        "invoices": len(compared.invoices),
        "issued_more": {currency: str(amount) for currency, amount in compared.issued.items()},
        "differences": [
            {
                "billing_key": each.billing_key,
                "act": each.act,
                "changes": [str(change) for change in each.changes],
                "before": _step(each.before) if each.before else None,
                "after": _step(each.after) if each.after else None,
            }
            for each in compared.differences
        ],
        "no_longer_waiting": [_waiting(each) for each in compared.no_longer_waiting],
        "newly_waiting": [_waiting(each) for each in compared.newly_waiting],
    }


def drawn(simulation: Simulation, company: str, zone: str) -> str:
    """What is issued and what is paid, month by month, a panel for each currency; SVG."""
    months = by_month(simulation, zone)
    zero = Decimal(0)
    panels = [
        Panel(
            currency,
            [
                [month.issued.get(currency, zero) for month in months],
                [month.paid.get(currency, zero) for month in months],
            ],
        )
        for currency in sorted({each for month in months for each in month.currencies})
        if any(currency in month.issued or currency in month.paid for month in months)
    ]
    title = f"{company}: invoices and payments, as simulated on {simulation.start:%Y-%m-%d}"
    labels = [
        f"{month.first:%b}" if number and month.first.month > 1 else f"{month.first:%b %Y}"
        for number, month in enumerate(months)
    ]
    assumed = simulation.assumptions
    notes = (f"{assumed.approvals}; {assumed.payments}", f"{assumed.hours}; tax included")
    return picture(title, notes, labels, ("issued", "expected cash"), panels)


def _head(simulation: Simulation) -> dict[str, Any]:
    return {
        "start": simulation.start.isoformat(),
        "until": simulation.until.isoformat(),
        "assumptions": _assumptions(simulation.assumptions),
    }


def _assumptions(assumptions: Assumptions) -> dict[str, Any]:
    after = assumptions.approve_after
    return {
        "approve_after_hours": None if after is None else after / timedelta(hours=1),
        "pay_after_days": assumptions.pay_after,
        "expect": assumptions.expect,
    }


def _step(step: Simulated) -> dict[str, Any]:
    return {
        "at": step.at.isoformat(),
        "client": step.client,
        "agreement": step.agreement,
        "billing_key": step.billing_key,
        "act": step.act,
        "who": step.who,
        **_money(step.amount),
        "why": step.why,
        "estimate": step.estimate,
    }


def _waiting(waiting: Waiting) -> dict[str, Any]:
    return {
        "client": waiting.client,
        "agreement": waiting.agreement,
        "billing_key": waiting.billing_key,
        "waits_for": waiting.waits_for,
        **_money(waiting.net),
    }


def _money(money: Money | None) -> dict[str, Any]:
    return {"amount": str(money.amount) if money else None, "currency": money.currency if money else None}


def _figure(amounts: Mapping[str, Decimal], currency: str) -> str:
    return str(amounts.get(currency, Money.zero(currency).amount))
