"""Which invoices a payment pays: by reference, number, amount and payer; never a guess.

A payment is matched if the payer says what it is for, or if the account it came from belongs to one client and only one
thing fits to the cent. Everything else is suggested to a person, with the reasons.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from billing.money import rounded, total, written
from billing.numbering import payment_reference
from billing.payment_policy import PaymentPolicy
from billing.payment_text import alike, bare, found_in, is_distinctive, same_name, without_prefix, words_of
from billing.qr_reference import qr_reference

MOST_SUGGESTIONS = 5
_LAST_DAY = date.max


@dataclass(frozen=True)
class OpenItem:
    """An invoice of which `amount` is open; until `early_until`, that day included, `early` is enough."""

    invoice: int
    number: str
    client: str
    name: str
    currency: str
    amount: Decimal
    due: date | None = None
    early: Decimal | None = None
    early_until: date | None = None

    def settled_by(self, on: date) -> Decimal:
        """What must come in by that day to settle it."""
        in_time = self.early is not None and self.early_until is not None and on <= self.early_until
        return self.early if in_time and self.early is not None else self.amount


@dataclass(frozen=True)
class Incoming:
    """Money that came in, as the bank tells of it.

    `client` is whom the payer's account is known to belong to; `original` what the payer ordered, where that is another
    amount or currency; `charges` what banks kept on the way.
    """

    amount: Decimal
    currency: str
    received_on: date
    references: tuple[str, ...] = ()
    text: tuple[str, ...] = ()
    payer: str = ""
    client: str = ""
    original: tuple[Decimal, str] | None = None
    charges: Decimal = Decimal(0)


@dataclass(frozen=True)
class Part:
    """What of the payment is booked for one invoice, in its currency; `difference` says why the rest is let pass."""

    invoice: int
    number: str
    client: str
    amount: Decimal
    fee: Decimal = Decimal(0)
    difference: str = ""


@dataclass(frozen=True)
class Match:
    """The payment pays these invoices, each in full but at most one."""

    parts: tuple[Part, ...]
    because: str


@dataclass(frozen=True)
class Suggestion:
    """An invoice the payment may be for, and why."""

    number: str
    client: str
    amount: Decimal
    currency: str
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Suggestions:
    """What a person may want to look at, the likeliest first; empty if nothing is known of the payment."""

    found: tuple[Suggestion, ...] = ()


@dataclass
class _Named:
    item: OpenItem
    sure: bool
    how: str


@dataclass
class OpenItems:
    """Open invoices of one issuer, found by what payers write."""

    _items: dict[int, OpenItem] = field(default_factory=dict)
    _spelled: dict[str, set[int]] = field(default_factory=dict)
    _spellings: dict[int, dict[str, bool]] = field(default_factory=dict)
    _clients: dict[str, set[int]] = field(default_factory=dict)
    _amounts: dict[tuple[str, Decimal], set[int]] = field(default_factory=dict)
    _names: dict[str, set[tuple[str, str]]] = field(default_factory=dict)

    @classmethod
    def of(cls, items: Iterable[OpenItem]) -> OpenItems:
        made = cls()
        for item in items:
            made.put(item)
        return made

    def put(self, item: OpenItem) -> None:
        """Takes the item in, in the place of what was known of its invoice; one with nothing open is forgotten."""
        self._forget(item.invoice)
        if item.amount <= 0:
            return
        self._items[item.invoice] = item
        for spelling in _spellings(item.number):
            self._spelled.setdefault(spelling, set()).add(item.invoice)
            self._spellings.setdefault(len(spelling), {})[spelling] = True
        self._clients.setdefault(item.client, set()).add(item.invoice)
        for word in words_of(item.name):
            self._names.setdefault(word, set()).add((item.client, item.name))
        for amount in {item.amount, item.early or item.amount}:
            self._amounts.setdefault((item.currency, amount), set()).add(item.invoice)

    def _forget(self, invoice: int) -> None:
        known = self._items.pop(invoice, None)
        if known is None:
            return
        for spelling in _spellings(known.number):
            self._spelled[spelling].discard(invoice)
        self._clients[known.client].discard(invoice)
        for amount in {known.amount, known.early or known.amount}:
            self._amounts[known.currency, amount].discard(invoice)

    def paid(self, invoice: int, left: Decimal) -> None:
        """Something of the invoice was paid, and that much is left; paying early is no longer offered."""
        if invoice in self._items:
            self.put(replace(self._items[invoice], amount=left, early=None, early_until=None))

    def is_as_known(self, invoice: int, amount: Decimal) -> bool:
        """Whether that much is still open of it."""
        return invoice in self._items and self._items[invoice].amount == amount

    def of_client(self, client: str, currency: str) -> list[OpenItem]:
        """The client's items in that currency, the oldest due date first."""
        return self._sorted(
            each for each in self._clients.get(client, ()) if self._items[each].currency == currency
        )

    def over(self, currency: str, amount: Decimal) -> list[OpenItem]:
        """The items that this amount settles, the oldest due date first."""
        return self._sorted(self._amounts.get((currency, amount), ()))

    def clients_named(self, payer: str) -> list[str]:
        """The clients that may have that name."""
        alike_ones = {each for word in words_of(payer) for each in self._names.get(word, ())}
        return sorted({client for client, name in alike_ones if same_name(payer, name)})

    def named(self, incoming: Incoming) -> list[_Named]:
        """The items whose number or reference stands in what the payer wrote, the oldest due date first."""
        found: dict[int, _Named] = {}
        for lines, how in ((incoming.references, "reference"), (incoming.text, "text")):
            for spelling, standing in found_in(lines, self._spellings):
                meant = self._spelled.get(alike(spelling), set())
                for invoice in meant:
                    item = self._items[invoice]
                    sure = standing and len(meant) == 1 and _is_written(item.number, spelling)
                    before = found.get(invoice)
                    if before is None or (sure and not before.sure):
                        found[invoice] = _Named(item, sure, how)
        return sorted(found.values(), key=lambda each: _age(each.item))

    def _sorted(self, invoices: Iterable[int]) -> list[OpenItem]:
        return sorted((self._items[each] for each in invoices), key=_age)


def _age(item: OpenItem) -> tuple[date, int]:
    return item.due or _LAST_DAY, item.invoice


def _references(number: str) -> tuple[str, str]:
    reference = payment_reference(number)
    return reference, qr_reference(reference) if reference else ""


def _spellings(number: str) -> Iterator[str]:
    """How the number may stand in a text, easily mistaken letters folded."""
    for each in {alike(number), alike(without_prefix(number)), *map(alike, _references(number))}:
        if len(each) > 2:
            yield each


def _is_written(number: str, spelling: str) -> bool:
    """Whether that is the number, or a reference of it, letter by letter, and enough to be meant."""
    return spelling in _references(number) or (spelling == bare(number) and is_distinctive(number))


def match(incoming: Incoming, items: OpenItems, policy: PaymentPolicy) -> Match | Suggestions:
    """What the payment pays. Money that came in only: `incoming.amount` is more than zero."""
    named = items.named(incoming)
    sure = [each for each in named if each.sure]
    if sure:
        paid = _named_paid(incoming, sure, items, policy)
        if paid is not None:
            return paid
    elif named:
        parts = _settled(incoming, [each.item for each in named], policy, exactly=True)
        if parts is not None:
            return Match(parts, "its number may be in the text, and the amount is exact")
    else:
        known = _known_payer(incoming, items)
        if known is not None:
            return known
    return Suggestions(tuple(_suggested(incoming, named, items))[:MOST_SUGGESTIONS])


def _named_paid(
    incoming: Incoming, sure: Sequence[_Named], items: OpenItems, policy: PaymentPolicy
) -> Match | None:
    """The payment for the invoices the payer names; None if that leaves open what is paid."""
    wanted = [each.item for each in sure]
    because = (
        "the payer gives its reference"
        if all(each.how == "reference" for each in sure)
        else "the payer names it"
    )
    if len(wanted) > 1:
        because = f"the payer names all {len(wanted)} of them"
    parts = _settled(incoming, wanted, policy)
    if parts is not None:
        return Match(parts, because)
    came = _in_currency_of(incoming, wanted)
    if came is None or len({each.client for each in wanted}) > 1:
        return None
    needed = total(each.settled_by(incoming.received_on) for each in wanted)
    if came < needed:
        if len(wanted) > 1:
            return None
        return Match((_part(wanted[0], came),), f"{because}; part of it")
    everything = items.of_client(wanted[0].client, wanted[0].currency)
    parts = _settled(incoming, everything, policy, exactly=True)
    if parts is not None:
        return Match(parts, f"{because}, and the amount is all that is open of the client")
    parts = tuple(_part(each, each.settled_by(incoming.received_on)) for each in wanted)
    last = replace(parts[-1], amount=parts[-1].amount + came - needed)
    return Match((*parts[:-1], last), f"{because}; more than is open")


def _known_payer(incoming: Incoming, items: OpenItems) -> Match | None:
    """The one thing the client behind the payer's account has open to the cent: one invoice, or all of them."""
    if not incoming.client:
        return None
    theirs = items.of_client(incoming.client, incoming.currency)
    fitting = [each for each in theirs if each.settled_by(incoming.received_on) == incoming.amount]
    if len(fitting) == 1:
        return Match((_part(fitting[0], incoming.amount),), "the account is known, and only this amount fits")
    whole = total(each.settled_by(incoming.received_on) for each in theirs)
    if not fitting and len(theirs) > 1 and whole == incoming.amount:
        parts = tuple(_part(each, each.settled_by(incoming.received_on)) for each in theirs)
        return Match(parts, "the account is known, and the amount is all that is open of the client")
    return None


def _settled(
    incoming: Incoming, wanted: Sequence[OpenItem], policy: PaymentPolicy, *, exactly: bool = False
) -> tuple[Part, ...] | None:
    """The invoices, all of them settled by the payment: to the cent, before charges, or but for what policy accepts."""
    came = _in_currency_of(incoming, wanted)
    if came is None or not wanted:
        return None
    sums = [each.settled_by(incoming.received_on) for each in wanted]
    needed = total(sums)
    parts = tuple(_part(each, amount) for each, amount in zip(wanted, sums, strict=True))
    if came == needed:
        return parts
    if incoming.charges and came + incoming.charges == needed and wanted[0].currency == incoming.currency:
        return (*parts[:-1], replace(parts[-1], fee=incoming.charges))
    if exactly:
        return None
    difference = needed - came
    why = _accepted(incoming, wanted[0].currency, difference, needed, policy)
    # what is missing is missing of the last one; it must not be all of it
    if why is None or parts[-1].amount - difference <= 0:
        return None
    return (*parts[:-1], replace(parts[-1], amount=parts[-1].amount - difference, difference=why))


def _accepted(
    incoming: Incoming, currency: str, difference: Decimal, needed: Decimal, policy: PaymentPolicy
) -> str | None:
    """Why a difference may pass; None if it may not."""
    size = abs(difference)
    told = f"{written(size, currency)} {currency} {'less' if difference > 0 else 'more'} than is open"
    if size <= policy.accept_difference.get(currency, Decimal(0)):
        return f"{told}, within accept_difference"
    percent = policy.accept_exchange_difference_percent
    converted = incoming.original is not None and incoming.original[1] != incoming.currency
    if not converted or currency != incoming.currency or percent is None:
        return None
    if size <= rounded(needed * percent / 100, currency):
        return f"{told}, converted by the bank, within {percent.normalize():f} %"
    return None


def _in_currency_of(incoming: Incoming, wanted: Sequence[OpenItem]) -> Decimal | None:
    """What came, in the one currency of the invoices: as booked, or as the payer ordered it; else None."""
    currencies = {each.currency for each in wanted}
    if currencies == {incoming.currency}:
        return incoming.amount
    if incoming.original is not None and currencies == {incoming.original[1]}:
        return incoming.original[0]
    return None


def _part(item: OpenItem, amount: Decimal) -> Part:
    return Part(item.invoice, item.number, item.client, amount)


def _suggested(incoming: Incoming, named: Sequence[_Named], items: OpenItems) -> Iterator[Suggestion]:
    """What may be meant, the likeliest first: named, then by payer and amount, then by one of them."""
    reasons: dict[int, list[str]] = {}
    known: dict[int, OpenItem] = {}

    def note(item: OpenItem, why: str) -> None:
        known[item.invoice] = item
        reasons.setdefault(item.invoice, []).append(why)

    for each in named:
        note(each.item, "its number is in the text" if each.sure else "its number may be in the text")
        if _in_currency_of(incoming, [each.item]) is None:
            note(each.item, f"but it is in {each.item.currency}")
    for item in items.over(incoming.currency, incoming.amount):
        note(item, "the amount is what is open")
    for client in items.clients_named(incoming.payer):
        for item in items.of_client(client, incoming.currency):
            note(item, "the payer has the client's name")
    if incoming.client:
        for item in items.of_client(incoming.client, incoming.currency):
            note(item, "the account has paid for this client")
    first = {each.item.invoice for each in named}
    ranked = sorted(reasons, key=lambda each: (each not in first, -len(reasons[each]), _age(known[each])))
    for invoice in ranked:
        item = known[invoice]
        yield Suggestion(item.number, item.client, item.amount, item.currency, tuple(reasons[invoice]))
