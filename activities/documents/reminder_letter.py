"""The reminder as a letter, of each level: in the look of the issuer's invoices."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from activities.documents.account_letter import account_letter, pay_to, sums
from activities.documents.look import PLAIN, LookFiles
from activities.documents.press import page as page_of
from activities.documents.press import typeset
from activities.documents.typography import Typography, in_fours
from activities.languages.catalogue import Catalogue
from billing.money import Money
from billing.reminder_letter import COURTESY, RemindedInvoice, ReminderLetter

_TEMPLATE = "reminder.html"


def render_reminder_letter(letter: ReminderLetter, look: LookFiles = PLAIN) -> bytes:
    """The letter as PDF/A-3b in the client's language; the same letter and look give the same bytes.

    `RenderingFailed` if a character has no glyph in any font, or the look is faulty.
    """
    return typeset(page(letter, look), _name(letter), look)


def page(letter: ReminderLetter, look: LookFiles = PLAIN) -> str:
    """The page before it is set. `RenderingFailed` says what the template cannot write."""
    writes, words, values = account_letter(letter, letter.day, look)
    only = letter.invoices[0] if len(letter.invoices) == 1 else None
    values |= {
        "letter": letter,
        "heading": _heading(letter, words),
        "name": "",
        "subject": f"{words.gettext('Invoice')} {only.number} · {only.title}" if only else "",
        "meta": _meta(letter, writes, words),
        "opening": [*_opening(letter, words)],
        "rows": [_row(each, letter, writes) for each in letter.invoices],
        "open": [writes.money(each) for each in letter.open],
        "interest": [*_interest(letter, writes, words)],
        "beside": _beside(letter, writes),
        "pay_to": [*pay_to(letter.issuer, values["iban"], words), *_reference(only, words)],
        "closing": [*_closing(letter, words)],
    }
    return page_of(_TEMPLATE, values, _name(letter), look)


def _name(letter: ReminderLetter) -> str:
    return f"the reminder for {', '.join(each.number for each in letter.invoices)}"


def _heading(letter: ReminderLetter, words: Catalogue) -> str:
    if letter.level == COURTESY:
        return words.gettext("Note on payment")
    if letter.level == 1:
        return words.gettext("Payment reminder")
    if letter.level == 2:
        return words.gettext("Second reminder")
    return words.gettext("Reminder %(level)s", level=letter.level)


def _meta(letter: ReminderLetter, writes: Typography, words: Catalogue) -> list[tuple[str, str]]:
    return [
        (words.gettext("Date"), writes.day(letter.day)),
        (words.gettext("Still open"), sums(letter.open, writes)),
    ]


def _opening(letter: ReminderLetter, words: Catalogue) -> Iterator[str]:
    count, say = len(letter.invoices), words.gettext
    match min(letter.level, 3):
        case 0:
            yield words.ngettext(
                "A short note before the day: the invoice below will be due soon.",
                "A short note before the day: the %(num)s invoices below will be due soon.",
                count,
            )
            yield say("If the transfer is already on its way, there is nothing left to do. Thank you!")
        case 1:
            yield words.ngettext(
                "Surely it has just slipped through: the invoice below was due, and the open amount has not reached"
                " us yet.",
                "Surely it has just slipped through: the %(num)s invoices below were due, and the open amounts have"
                " not reached us yet.",
                count,
            )
            yield say(
                "Please transfer the open amount within the next few days. If you have done so already, please"
                " disregard this message."
            )
        case 2:
            yield words.ngettext(
                "In spite of our first reminder we have not received your payment of the invoice below.",
                "In spite of our first reminder we have not received your payment of the %(num)s invoices below.",
                count,
            )
            yield say(
                "We ask you to settle it now, or to tell us today what stands in the way and when we may expect the"
                " payment."
            )
        case _:
            yield words.ngettext(
                "We have reminded you several times, and the invoice below is still unpaid.",
                "We have reminded you several times, and the %(num)s invoices below are still unpaid.",
                count,
            )
            yield say(
                "We must now ask you to transfer the full open amount without further delay. Otherwise we shall have"
                " to take further steps to collect the debt; statutory interest on late payment and the costs of"
                " collection may then be added."
            )


def _closing(letter: ReminderLetter, words: Catalogue) -> Iterator[str]:
    say = words.gettext
    match min(letter.level, 3):
        case 0:
            yield say(
                "Is something missing on the invoice, or do you need another copy? Let us know and we will see to it"
                " at once."
            )
        case 1:
            yield say(
                "If something about the invoice is not right, tell us, and we will look into it with you."
            )
        case 2:
            yield say(
                "If your payment has crossed with this message, please accept our thanks and disregard it."
            )
        case _:
            yield say(
                "We would much rather settle this with you directly. If there is a reason for the delay, please get"
                " in touch with us today."
            )
            yield say("If you have paid in the meantime, please disregard this message.")


def _row(invoice: RemindedInvoice, letter: ReminderLetter, writes: Typography) -> dict[str, Any]:
    late = invoice.days_late(letter.day)
    return {
        "number": invoice.number,
        "issued": writes.day(invoice.issue_date) if invoice.issue_date else "",
        "due": writes.day(invoice.due_date),
        "late": str(late) if late else "–",
        "amount": writes.money(invoice.due),
        "open": writes.money(invoice.open),
    }


def _interest(letter: ReminderLetter, writes: Typography, words: Catalogue) -> Iterator[tuple[str, str]]:
    """What each invoice cost by being late: what it is, and how much."""
    for each in letter.invoices:
        owed = each.interest
        if owed is None:
            continue
        if owed.segments:
            label = words.gettext(
                "Interest on %(number)s up to %(day)s", number=each.number, day=writes.day(owed.as_of)
            )
            yield label, writes.money(owed.total)
        if owed.compensation is not None:
            yield (
                words.gettext("Fixed compensation, %(number)s", number=each.number),
                writes.money(owed.compensation),
            )


def _beside(letter: ReminderLetter, writes: Typography) -> dict[str, str] | None:
    """What is owed beside the invoices in all, by what law, and each further day; None if nothing is told."""
    told = [each.interest for each in letter.invoices if each.interest]
    if not told:
        return None
    by_currency: dict[str, Money] = {}
    per_day: dict[str, Money] = {}
    for each in (*letter.interest, *letter.compensation):
        by_currency[each.currency] = by_currency.get(each.currency, Money.zero(each.currency)) + each
    for interest in told:
        each = interest.per_day
        per_day[each.currency] = per_day.get(each.currency, Money.zero(each.currency)) + each
    return {
        "sum": sums(tuple(by_currency.values()), writes),
        "law": "; ".join(dict.fromkeys(each.law for each in told)),
        "per_day": sums(tuple(each for each in per_day.values() if each.amount), writes),
    }


def _reference(only: RemindedInvoice | None, words: Catalogue) -> list[tuple[str, str]]:
    if only is None:
        return [(words.gettext("Reference"), words.gettext("the numbers of the invoices you pay"))]
    return [(words.gettext("Reference"), in_fours(only.payment_reference))] if only.payment_reference else []
