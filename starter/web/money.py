"""Money: what is owed and how late it is, how fast money comes, and what can be expected week by week."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from activities.languages.catalogue import message
from activities.ledger import money_views, preferences
from activities.ledger.money_views import CurrencyMoney
from activities.ledger.preferences import Preferences
from billing.expected_cash import DATED, UNDATED, Basis
from starter.web.charts import Bar, bars
from starter.web.desk import desk_of, now, words_for, zone_of
from starter.web.invoice_list import MOST_CHOICES
from starter.web.words import Words

MOST_CLIENTS = 20

BUCKET_NAMES = {
    "current": message("not late"),
    "1-30": message("1–30 days"),
    "31-60": message("31–60 days"),
    "61-90": message("61–90 days"),
    "90+": message("over 90 days"),
}
BASIS_NAMES = {
    Basis.PROMISE: message("promised"),
    Basis.PLAN: message("by payment plan"),
    Basis.HABIT: message("by the client’s habit"),
    Basis.DUE: message("by due date"),
    Basis.LATE: message("late, no day known"),
    Basis.DISPUTED: message("disputed"),
    Basis.HANDED_OVER: message("handed over"),
}

COLOURS = dict(zip(DATED, ("one", "two", "three", "five"), strict=True))


class Shown(NamedTuple):
    """A currency with its two pictures."""

    money: CurrencyMoney
    ageing: Markup
    weeks: Markup
    dated: frozenset[Basis]
    """What the weeks' amounts come from, so that the key shows no colour in vain."""


def page(request: Request) -> Response:
    """Every currency by itself; `?client=` of one client only."""
    desk, at = desk_of(request), now()
    wanted = request.query_params.get("client", "").replace("\0", "")[:200] or None
    with desk.ledger.transaction() as tx:
        company, person = desk.company(tx), desk.person(request)
        said = words_for(request, preferences.of(tx, person.id) if person else Preferences())
        found = money_views.money(tx, at, zone_of(company), wanted, MOST_CLIENTS)
        ids = sorted(client.id for client in company.clients) if company else []
        few = len(ids) <= MOST_CHOICES
        named = money_views.names_of(tx, ids) if few else {}
        return desk.serve(
            request,
            tx,
            "money.html",
            shown=[_shown(each, said) for each in found],
            wanted=wanted,
            clients={each: named.get(each, each) for each in ids} if few else None,
            bucket_names=BUCKET_NAMES,
            basis_names=BASIS_NAMES,
            dated=DATED,
            colours=COLOURS,
            undated=UNDATED,
            most_clients=MOST_CLIENTS,
            dso_days=money_views.DSO_DAYS,
        )


def _shown(about: CurrencyMoney, said: Words) -> Shown:
    dated = frozenset(
        basis for week in about.expected.weeks for basis, amount in week.amounts.items() if amount
    )
    return Shown(about, _ageing(about, said), _weeks(about, said), dated)


def _ageing(about: CurrencyMoney, said: Words) -> Markup:
    shown = []
    for name, bucket in about.buckets.items():
        label = said.gettext(BUCKET_NAMES[name])
        told = f"{label}: {said.money(bucket.amount, about.currency)}"
        nothing = (Decimal(0), "")
        shown.append(
            Bar(
                label,
                [(bucket.amount, told), nothing] if name == "current" else [nothing, (bucket.amount, told)],
            )
        )
    title = said.gettext("What is open by how late it is, in %(currency)s", currency=about.currency)
    return bars(title, shown, said.short, ("one", "four"))


def _weeks(about: CurrencyMoney, said: Words) -> Markup:
    shown = []
    for week in about.expected.weeks:
        label = said.day_of_month(week.begins)
        shown.append(
            Bar(
                label,
                [
                    (
                        amount,
                        f"{label}, {said.gettext(BASIS_NAMES[basis])}: {said.money(amount, about.currency)}",
                    )
                    for basis in DATED
                    for amount in [week.amounts.get(basis, Decimal(0))]
                ],
            )
        )
    title = said.gettext("What can be expected week by week, in %(currency)s", currency=about.currency)
    return bars(title, shown, said.short, tuple(COLOURS.values()), every=2)
