"""Payment terms in the words of a document."""

from __future__ import annotations

from activities.languages.catalogue import Catalogue
from billing.payment_terms import PaymentTerms


def terms_in_words(terms: PaymentTerms, words: Catalogue) -> str:
    """How an invoice's terms read in the language of `words`: `30 days net`, `Monatsende und 10 Tage`, `in 2 Raten`.

    The rule for business days and the discount for paying early are left out: the due date has the one in it, and
    the other is told with its amounts.
    """
    if terms.instalments:
        return words.ngettext("in %(num)s instalment", "in %(num)s instalments", len(terms.instalments))
    if terms.net_days is not None:
        on_receipt = not terms.net_days and words.gettext("payable on receipt")
        return on_receipt or words.ngettext("%(num)s day net", "%(num)s days net", terms.net_days)
    if terms.net_minutes is not None:
        return words.ngettext("%(num)s minute net", "%(num)s minutes net", terms.net_minutes)
    if terms.end_of_month_plus is not None:
        return _after_the_month(terms.end_of_month_plus, words)
    if terms.day_of_month is not None:
        return _by_the_calendar(terms.day_of_month, terms.months_later, words)
    return _before_the_service(terms.before_supply_days or 0, words)


def _after_the_month(days: int, words: Catalogue) -> str:
    if not days:
        return words.gettext("end of the month")
    return words.ngettext("end of the month and %(num)s day", "end of the month and %(num)s days", days)


def _by_the_calendar(day_of_month: int, months_later: int, words: Catalogue) -> str:
    day = words.gettext("on day %(day)s of the month", day=day_of_month)
    if day_of_month == 31:
        day = words.gettext("on the last day of the month")
    if not months_later:
        return day
    return words.ngettext(
        "%(day)s, %(num)s month later", "%(day)s, %(num)s months later", months_later, day=day
    )


def _before_the_service(days: int, words: Catalogue) -> str:
    if not days:
        return words.gettext("when the service begins")
    return words.ngettext(
        "%(num)s day before the service begins", "%(num)s days before the service begins", days
    )
