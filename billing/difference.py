"""What differs between a draft and the client's last invoice: what an approver looks at first.

What always differs is left out: numbers, dates, the period, and months or figures in the words of a line. What is told
is in the order parties, lines, amounts, tax, terms, references.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from difflib import SequenceMatcher
from enum import StrEnum

from billing.allowances import sum_of
from billing.draft import Draft, InvoiceLine
from billing.money import Money
from billing.parties import Address, BankAccount

Value = str | Money | None
"""Words, an amount of the document's currency, or nothing."""


class Part(StrEnum):
    """The part of the document that differs."""

    PARTIES = "parties"
    LINES = "lines"
    AMOUNTS = "amounts"
    TAX = "tax"
    TERMS = "terms"
    REFERENCES = "references"


class Change(StrEnum):
    """New, gone, or another value than before."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True)
class Difference:
    """One thing that differs: `of` says of which line, `what` which of its facts; `before` in the last invoice."""

    part: Part
    what: str
    before: Value
    after: Value
    of: str = ""

    @property
    def change(self) -> Change:
        if self.before in (None, ""):
            return Change.ADDED
        return Change.REMOVED if self.after in (None, "") else Change.CHANGED

    @property
    def growth(self) -> Decimal | None:
        """By how much an amount grew, as a share of what it was (0.1: by a tenth); None where that says nothing."""
        if not isinstance(self.before, Money) or not isinstance(self.after, Money):
            return None
        if self.before.currency != self.after.currency or not self.before.amount:
            return None
        return (self.after.amount - self.before.amount) / abs(self.before.amount)


def differences(draft: Draft, last: Draft) -> tuple[Difference, ...]:
    """What is other in the draft than in the client's last invoice; empty where it bills the same again."""
    return (
        *_parties(draft, last),
        *_lines(draft, last),
        *_amounts(draft, last),
        *_tax(draft, last),
        *_told(Part.TERMS, [("payment terms", str(last.terms), str(draft.terms))]),
        *_references(draft, last),
    )


def _told(part: Part, facts: Iterable[tuple[str, Value, Value]], of: str = "") -> Iterator[Difference]:
    for what, before, after in facts:
        if before != after and (before or after):
            yield Difference(part, what, before or None, after or None, of)


def _parties(draft: Draft, last: Draft) -> Iterator[Difference]:
    old, new = last.buyer, draft.buyer
    yield from _told(
        Part.PARTIES,
        [
            ("buyer", old.name, new.name),
            ("address of the buyer", _address(old.address), _address(new.address)),
            ("VAT id of the buyer", old.vat_id, new.vat_id),
            ("written to", old.contact.email, new.contact.email),
            ("copies to", ", ".join(last.copies_to), ", ".join(draft.copies_to)),
            ("issuer", last.issuer.name, draft.issuer.name),
            ("VAT id of the issuer", last.issuer.vat_id, draft.issuer.vat_id),
            ("bank account", _account(last.issuer.bank_account), _account(draft.issuer.bank_account)),
        ],
    )


def _address(address: Address) -> str:
    known = address.model_dump(mode="json", exclude_none=True)
    return ", ".join(str(each) for each in known.values() if each)


def _account(account: BankAccount | None) -> str:
    return (
        ", ".join(str(each) for each in account.model_dump(exclude_none=True).values() if each)
        if account
        else ""
    )


def _lines(draft: Draft, last: Draft) -> Iterator[Difference]:
    pairs = _paired(draft.lines, last.lines)
    known = {before for before in pairs.values() if before is not None}
    for position, each in enumerate(draft.lines):
        before = pairs[position]
        if before is None:
            yield Difference(Part.LINES, "line", None, Money.of(each.net, draft.currency), each.description)
        else:
            yield from _line(each, last.lines[before], draft.currency, last.currency)
    for position, each in enumerate(last.lines):
        if position not in known:
            yield Difference(Part.LINES, "line", Money.of(each.net, last.currency), None, each.description)


def _line(line: InvoiceLine, last: InvoiceLine, currency: str, currency_before: str) -> Iterator[Difference]:
    worded = [] if _gist(line) == _gist(last) else [("words", last.description, line.description)]
    yield from _told(
        Part.LINES,
        [
            *worded,
            ("quantity", _figure(last.quantity), _figure(line.quantity)),
            ("unit", last.unit, line.unit),
            ("unit price", _figure(last.unit_price), _figure(line.unit_price)),
        ],
        line.description,
    )
    before, after = Money.of(last.net, currency_before), Money.of(line.net, currency)
    if before != after:
        yield Difference(Part.LINES, "net", before, after, line.description)


_CHANGING = re.compile(
    r"\d+|\b(jan|feb|mar|mär|apr|may|mai|jun|jul|aug|sep|oct|okt|nov|dec|dez)\w*|[^\w\s]", re.IGNORECASE
)
_ALIKE = 0.6
_MOST_COMPARED = 2_500
"""Pairs of lines whose words are compared; with more, those that are not plainly the same are new and gone."""


def _gist(line: InvoiceLine) -> str:
    """The words of a line without what changes from month to month."""
    return " ".join(_CHANGING.sub(" ", line.description.casefold()).split())


def _paired(lines: Sequence[InvoiceLine], last: Sequence[InvoiceLine]) -> dict[int, int | None]:
    """For each position which line of the last invoice it repeats, by its words; each at most once."""
    found: dict[int, int | None] = dict.fromkeys(range(len(lines)))
    left = dict(enumerate(last))
    for alike in (lambda one: (one.description, one.unit_price), lambda one: one.description, _gist):
        places: dict[object, list[int]] = {}
        for position, each in left.items():
            places.setdefault(alike(each), []).append(position)
        for position, each in enumerate(lines):
            if found[position] is None and (same := places.get(alike(each))):
                found[position] = same.pop(0)
                del left[found[position]]  # type: ignore[arg-type]  # set in the line before
    new = [position for position, before in found.items() if before is None]
    if len(new) * len(left) <= _MOST_COMPARED:
        scored = sorted(
            ((_likeness(lines[one], each), -one, -other) for one in new for other, each in left.items()),
            reverse=True,
        )
        for likeness, one, other in scored:
            if likeness >= _ALIKE and found[-one] is None and -other in left:
                found[-one] = -other
                del left[-other]
    return found


def _likeness(one: InvoiceLine, other: InvoiceLine) -> float:
    return SequenceMatcher(None, _gist(one), _gist(other)).ratio()


def _amounts(draft: Draft, last: Draft) -> Iterator[Difference]:
    names = ("net", "tax", "gross")
    yield from _told(Part.AMOUNTS, [("currency", last.currency, draft.currency)])
    for name in names:
        before, after = (
            Money.of(getattr(last, name), last.currency),
            Money.of(getattr(draft, name), draft.currency),
        )
        if before != after:
            yield Difference(Part.AMOUNTS, name, before, after)
    less, now_less = sum_of(last.allowances), sum_of(draft.allowances)
    if less != now_less:
        yield Difference(
            Part.AMOUNTS,
            "allowances",
            Money.of(less, last.currency) if less else None,
            Money.of(now_less, draft.currency) if now_less else None,
        )


def _tax(draft: Draft, last: Draft) -> Iterator[Difference]:
    yield from _told(Part.TAX, [("tax", _taxes(last), _taxes(draft)), ("tax note", last.note, draft.note)])


def _taxes(draft: Draft) -> str:
    return ", ".join(f"{each.name} {each.category} {_figure(each.rate)} %" for each in draft.taxes)


def _references(draft: Draft, last: Draft) -> Iterator[Difference]:
    yield from _told(
        Part.REFERENCES,
        [
            ("kind of document", last.kind, draft.kind),
            ("agreement", last.agreement, draft.agreement),
            ("contract", last.contract_reference, draft.contract_reference),
            ("order of the client", last.order_reference, draft.order_reference),
            ("buyer reference", last.buyer_reference, draft.buyer_reference),
            ("language", last.language, draft.language),
        ],
    )


def _figure(value: Decimal) -> str:
    return f"{value.normalize():f}"
