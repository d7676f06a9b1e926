"""Payment terms in the words of a document."""

from __future__ import annotations

from typing import Any

from billing.payment_terms import PaymentTerms


def terms_in_words(terms: PaymentTerms, words: dict[str, Any]) -> str:
    """How an invoice's terms read in the language of `words`: `30 days net`, `Monatsende und 10 Tage`, `in 2 Raten`.

    The rule for business days and the discount for paying early are left out: the due date has the one in it, and
    the other is told with its amounts.
    """
    way = words["terms_in_words"]
    if terms.instalments:
        return str(way["instalments"].format(n=len(terms.instalments)))
    if terms.net_days is not None:
        return _counted(way["net_days"], terms.net_days) if terms.net_days else str(way["on_receipt"])
    if terms.net_minutes is not None:
        return _counted(way["net_minutes"], terms.net_minutes)
    if terms.end_of_month_plus is not None:
        days = terms.end_of_month_plus
        return _counted(way["end_of_month_plus"], days) if days else str(way["end_of_month"])
    if terms.day_of_month is not None:
        last = terms.day_of_month == 31
        day = str(way["last_of_month"] if last else way["day_of_month"].format(n=terms.day_of_month))
        return day + (_counted(way["months_later"], terms.months_later) if terms.months_later else "")
    days = terms.before_supply_days or 0
    return _counted(way["before_supply_days"], days) if days else str(way["when_it_begins"])


def _counted(forms: dict[str, str], number: int) -> str:
    return forms["one" if number == 1 else "other"].format(n=number)
