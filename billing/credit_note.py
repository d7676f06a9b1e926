"""What a credit note takes back of an issued invoice: all that is left, lines of it, or an amount.

Amounts are positive and in the invoice's currency. Whatever the parts, together they come to the invoice exactly: each
tax is reckoned on all that is credited so far, less what was credited before, so that the last part takes the
remainder and no part is off by more than a smallest unit (BR-CO-17 asks that of each document for itself). The rate of
exchange is the invoice's (Art. 91(2) Directive 2006/112/EC), for the credit note corrects that supply.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from pydantic import Field, model_validator

from billing.allowances import Allowance, Charge
from billing.document_kind import DocumentKind
from billing.draft import Draft, InvoiceLine, SourceRef, TaxBreakdown
from billing.errors import Refused
from billing.home_tax import HomeTax
from billing.line_words import LineWords, line_words
from billing.money import Figure, Money, rounded, smallest_unit, split, total, written
from billing.parties import Strict
from billing.payment_terms import PaymentTerms
from billing.totals import Taxes, component, nets_by_taxes, round_to
from billing.work_records import HoursAppendix

CREDITED_LINE = "credited line"
"""Source of a line that takes back a line of the invoice; its id is the position there, from 1."""

_ZERO = Decimal(0)
_PIECE = "C62"


class CreditedLine(Strict):
    """A line to credit: so much of its quantity, or of its net; all that is left of it without either."""

    position: int = Field(ge=1, description="of the invoice, from 1")
    quantity: Figure | None = Field(default=None, gt=0)
    net: Figure | None = Field(default=None, description="without tax; has the sign of the line")

    @model_validator(mode="after")
    def _one_of_both(self) -> CreditedLine:
        if self.quantity is not None and self.net is not None:
            raise ValueError("write either quantity or net")
        return self


class Selection(Strict):
    """What is credited: these lines, an amount with tax (`gross`), or, with neither, all that is left."""

    lines: tuple[CreditedLine, ...] = ()
    gross: Figure | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _one_way(self) -> Selection:
        if self.lines and self.gross is not None:
            raise ValueError("write either lines or gross")
        if len({each.position for each in self.lines}) < len(self.lines):
            raise ValueError("name each line once")
        return self


WHOLE = Selection()


class Credited(Strict):
    """A credit note there is of the invoice already."""

    number: str
    draft: Draft


def left_to_credit(draft: Draft, before: Sequence[Credited] = ()) -> Decimal:
    """What of the amount due is not credited yet."""
    return draft.due - total(each.draft.due for each in before)


def left_of_lines(draft: Draft, before: Sequence[Credited] = ()) -> tuple[Decimal, ...]:
    """The net of each line that no credit note names yet; what was credited as an amount counts for no line."""
    so_far = _by_line(before)
    return tuple(line.net - so_far.get(position, _ZERO) for position, line in enumerate(draft.lines, start=1))


def credit_draft(
    draft: Draft,
    selection: Selection,
    before: Sequence[Credited] = (),
    *,
    number: str,
    issued_on: date,
    reason: str = "",
) -> Draft:
    """The credit note for what is selected of the invoice `number`, as a draft of its own.

    `before` are the credit notes there are. `Refused` where nothing is left, or less than is asked for: of a line, of
    what is taxed alike, of the whole; and where a part would take all that is due, which rounding to steps and lines
    below zero can make it do: what then is left could never be credited.
    """
    left = left_to_credit(draft, before)
    if left <= 0:
        raise Refused(f"{number} has nothing left to credit")
    if selection.gross is not None and selection.gross != rounded(selection.gross, draft.currency):
        raise Refused(f"{selection.gross} has more decimals than {draft.currency} knows; round it first")
    if selection.gross is not None and selection.gross > left:
        raise Refused(f"only {_told(left, draft)} of {number} are left to credit")
    words = line_words(draft.language)
    if selection.gross is not None and selection.gross < left:
        text = words.credit.format(number=number, day=words.day(issued_on))
        content = _by_amount(draft, before, selection.gross, text)
    elif selection.lines:
        content = _by_lines(draft, before, selection.lines, number)
    else:
        content = _rest(draft, before, words)
    return _drafted(draft, content, before, number=number, issued_on=issued_on, reason=reason)


@dataclass(frozen=True)
class _Content:
    """Lines, allowances and charges of a credit note, and what is due if that is agreed already."""

    lines: tuple[InvoiceLine, ...]
    allowances: tuple[Allowance, ...] = ()
    charges: tuple[Charge, ...] = ()
    due: Decimal | None = None


def _drafted(
    draft: Draft,
    content: _Content,
    before: Sequence[Credited],
    *,
    number: str,
    issued_on: date,
    reason: str,
) -> Draft:
    """The credit note with its taxes and sums."""
    bare = draft.model_copy(
        update={
            "kind": DocumentKind.CREDIT_NOTE,
            "preceding": number,
            "preceding_date": issued_on,
            "note": reason,
            "discount": _ZERO,
            "terms": PaymentTerms(net_days=0),
            "non_standard_terms": False,
            "agreed_gross": None,
            "work": (),
            "hours_appendix": HoursAppendix.NONE,
            "lines": content.lines,
            "allowances": content.allowances,
            "charges": content.charges,
        }
    )
    nets, so_far, now = nets_by_taxes(draft), _nets_of(before), nets_by_taxes(bare)
    _within(draft, nets, so_far, now, number)
    everything = all(so_far.get(each, _ZERO) + now.get(each, _ZERO) == net for each, net in nets.items())
    taxes = _taxes(draft, before, nets, so_far, now)
    net, tax = total(now.values()), total(each.tax for each in taxes)
    left = left_to_credit(draft, before)
    comes_to = _due(draft, net + tax) if content.due is None else content.due
    if comes_to >= left and not everything:
        raise Refused(
            f"that comes to {_told(comes_to, draft)} of the {_told(left, draft)} left to credit of {number}, and "
            "would leave lines that nothing is due for; credit all that is left instead"
        )
    due = left if everything else comes_to
    if due <= 0:
        raise Refused(f"that comes to {_told(due, draft)}, and a credit note is over more than nothing")
    return bare.model_copy(
        update={
            "taxes": taxes,
            "net": net,
            "tax": tax,
            "gross": net + tax,
            "rounding": (due - net - tax) or _ZERO,
            "home_tax": _home_tax(draft, before, tax, everything=everything),
        }
    )


def _rest(draft: Draft, before: Sequence[Credited], words: LineWords) -> _Content:
    """All that is left: the invoice as it is where nothing was credited before, else its lines less that."""
    if not before:
        lines = tuple(_named(line, position, line.net) for position, line in enumerate(draft.lines, start=1))
        return _Content(lines, draft.allowances, draft.charges)
    nets, so_far = nets_by_taxes(draft), _nets_of(before)
    settled = {taxes for taxes, net in nets.items() if so_far.get(taxes, _ZERO) == net}
    lines = tuple(
        _named(line, position, left, _quantity(line, left))
        for position, (line, left) in enumerate(
            zip(draft.lines, left_of_lines(draft, before), strict=True), start=1
        )
        if left and _taxes_of(line, draft) not in settled
    )
    shares = _adjusted(draft, before, lines)
    adjustments = [_Adjustment(taxes, off, _reasons(draft, taxes)) for taxes, off in shares.items()]
    numbers = words.credited_before.format(numbers=", ".join(each.number for each in before))
    for taxes, net in nets.items():
        standing = total(each.net for each in lines if _taxes_of(each, draft) == taxes)
        off = standing - shares.get(taxes, _ZERO) - (net - so_far.get(taxes, _ZERO))
        if taxes not in settled:
            adjustments.append(_Adjustment(taxes, off, numbers, coded=False))
    return _with_adjustments(draft, lines, adjustments)


def _by_lines(
    draft: Draft, before: Sequence[Credited], wanted: Sequence[CreditedLine], number: str
) -> _Content:
    """The lines named, with their share of the invoice's allowances and charges."""
    lefts = left_of_lines(draft, before)
    lines = []
    for each in sorted(wanted, key=lambda each: each.position):
        if each.position > len(draft.lines):
            count = len(draft.lines)
            raise Refused(f"{number} has {count} line{'s' * (count > 1)}, and none at {each.position}")
        line, left = draft.lines[each.position - 1], lefts[each.position - 1]
        net = _wanted(draft, each, line, left)
        if not net or abs(net) > abs(left) or (net < 0) != (left < 0):
            raise Refused(
                f"line {each.position} of {number} has {_told(left, draft)} net left to credit, not {_told(net, draft)}"
            )
        lines.append(_named(line, each.position, net, each.quantity))
    shares = _adjusted(draft, before, lines)
    found = [_Adjustment(taxes, off, _reasons(draft, taxes)) for taxes, off in shares.items()]
    return _with_adjustments(draft, tuple(lines), found)


def _wanted(draft: Draft, asked: CreditedLine, line: InvoiceLine, left: Decimal) -> Decimal:
    """The net asked for; the last of a quantity takes what is left."""
    if asked.net is not None:
        if asked.net != rounded(asked.net, draft.currency):
            raise Refused(f"{asked.net} has more decimals than {draft.currency} knows; round it first")
        return rounded(asked.net, draft.currency)
    if asked.quantity is None:
        return left
    net = rounded(line.net * asked.quantity / abs(line.quantity), draft.currency) if line.quantity else left
    return left if abs(net - left) <= smallest_unit(draft.currency) else net


def _by_amount(draft: Draft, before: Sequence[Credited], gross: Decimal, text: str) -> _Content:
    """An amount with tax, over what is taxed alike by what is left of each; what no net comes to is rounding."""
    so_far = _nets_of(before)
    lefts = {taxes: net - so_far.get(taxes, _ZERO) for taxes, net in nets_by_taxes(draft).items()}
    lefts = {taxes: net for taxes, net in lefts.items() if net > 0}
    if not lefts:
        raise Refused("nothing with a net above zero is left; credit all that is left")
    burdens = [_burden(taxes) for taxes in lefts]
    weights = [net * burden for net, burden in zip(lefts.values(), burdens, strict=True)]
    named = bool(draft.lines and draft.lines[0].taxes)
    lines = []
    for taxes, burden, part in zip(
        lefts, burdens, split(Money.of(gross, draft.currency), weights), strict=True
    ):
        net = min(rounded(part.amount * 100 / burden, draft.currency), lefts[taxes])
        if net:
            lines.append(
                InvoiceLine(
                    description=text,
                    quantity=Decimal(1),
                    unit=_PIECE,
                    unit_price=net,
                    net=net,
                    taxes=taxes if named else (),
                )
            )
    if not lines:
        raise Refused(f"{_told(gross, draft)} is too little to be split into net and tax")
    return _Content(tuple(lines), due=rounded(gross, draft.currency))


def _named(line: InvoiceLine, position: int, net: Decimal, quantity: Decimal | None = None) -> InvoiceLine:
    """The line, or the part of it that comes to the net, naming which line it takes back."""
    source = (SourceRef(source=CREDITED_LINE, id=str(position)),)
    if net == line.net and quantity in (None, line.quantity):
        return line.model_copy(update={"sources": source, "why": ""})
    whole = not (line.allowances or line.charges)
    if quantity is not None and whole and _comes_to(quantity * line.unit_price, net):
        return line.model_copy(update={"quantity": quantity, "net": net, "sources": source, "why": ""})
    one = {"quantity": Decimal(1), "unit": _PIECE, "unit_price": net, "allowances": (), "charges": ()}
    return line.model_copy(update={**one, "net": net, "sources": source, "why": ""})


def _quantity(line: InvoiceLine, net: Decimal) -> Decimal | None:
    """The quantity of the line that has the net; None where none of four decimals does."""
    exact = line.quantity * net / line.net
    return exact if exact == exact.quantize(Decimal("0.0001")) else None


def _comes_to(exact: Decimal, net: Decimal) -> bool:
    """Whether the net is the product as it is rounded (Peppol R120), by the decimals the net has."""
    return abs(exact - net) * 2 < Decimal(1).scaleb(int(net.as_tuple().exponent))


@dataclass(frozen=True)
class _Adjustment:
    """What is taken off, or below zero put on, what is taxed alike."""

    taxes: Taxes
    off: Decimal
    reason: str
    coded: bool = True


def _adjusted(draft: Draft, before: Sequence[Credited], lines: Sequence[InvoiceLine]) -> dict[Taxes, Decimal]:
    """Of the invoice's allowances less charges, the share of these lines by taxes: cumulative, so nothing is lost."""
    nets, found = nets_by_taxes(draft), {}
    for taxes, net in nets.items():
        of_lines = total(each.net for each in draft.lines if _taxes_of(each, draft) == taxes)
        earlier = total(
            each.net
            for note in before
            for each in note.draft.lines
            if credited_position(each) and _taxes_of(each, draft) == taxes
        )
        now = total(each.net for each in lines if _taxes_of(each, draft) == taxes)
        off = of_lines - net
        if off and of_lines:
            found[taxes] = _share(off, earlier + now, of_lines, draft) - _share(off, earlier, of_lines, draft)
    return found


def _share(off: Decimal, part: Decimal, whole: Decimal, draft: Draft) -> Decimal:
    return rounded(off * min(max(part / whole, _ZERO), Decimal(1)), draft.currency)


def _with_adjustments(
    draft: Draft, lines: tuple[InvoiceLine, ...], adjustments: Sequence[_Adjustment]
) -> _Content:
    named = bool(draft.lines and draft.lines[0].taxes)
    allowances, charges = [], []
    for each in adjustments:
        common = {"reason": each.reason, "taxes": each.taxes if named else ()}
        code = {} if each.coded else {"reason_code": None}
        if each.off > 0:
            allowances.append(Allowance.model_validate({"amount": each.off, **common, **code}))
        elif each.off < 0:
            charges.append(Charge.model_validate({"amount": -each.off, **common, **code}))
    return _Content(lines, tuple(allowances), tuple(charges))


def _reasons(draft: Draft, taxes: Taxes) -> str:
    """Why the invoice took something off, or put it on, what is taxed so."""
    default = tuple(component(each) for each in draft.taxes)
    both = (*draft.allowances, *draft.charges)
    return ", ".join(dict.fromkeys(each.reason for each in both if (each.taxes or default) == taxes))


def _taxes(
    draft: Draft,
    before: Sequence[Credited],
    nets: Mapping[Taxes, Decimal],
    so_far: Mapping[Taxes, Decimal],
    now: Mapping[Taxes, Decimal],
) -> tuple[TaxBreakdown, ...]:
    """The invoice's taxes on what is credited now, so that with those before they are right on all that is credited."""
    found = []
    for row in draft.taxes:
        tax = component(row)
        if not any(tax in taxes for taxes in now):
            continue
        on_all, earlier, current = (_bearing(each, tax) for each in (nets, so_far, now))
        taxable = rounded((earlier + current) * row.share / 100, draft.currency)
        due = row.tax if earlier + current == on_all else rounded(taxable * row.rate / 100, draft.currency)
        credited = total(
            each.tax for note in before for each in note.draft.taxes if component(each) == component(row)
        )
        found.append(
            row.model_copy(
                update={
                    "taxable": rounded(current * row.share / 100, draft.currency),
                    "tax": due - credited,
                }
            )
        )
    return tuple(found)


def _bearing(nets: Mapping[Taxes, Decimal], tax: object) -> Decimal:
    return total(net for taxes, net in nets.items() if tax in taxes)


def _within(
    draft: Draft,
    nets: Mapping[Taxes, Decimal],
    so_far: Mapping[Taxes, Decimal],
    now: Mapping[Taxes, Decimal],
    number: str,
) -> None:
    """`Refused` if of what is taxed alike more is credited than there is."""
    for taxes, net in now.items():
        whole, earlier = nets.get(taxes, _ZERO), so_far.get(taxes, _ZERO)
        low, high = sorted((_ZERO, whole))
        if not low <= earlier + net <= high:
            rate = " + ".join(f"{each.rate.normalize():f} %" for each in taxes)
            raise Refused(
                f"of what {number} taxes at {rate}, {_told(whole - earlier, draft)} net are left to credit, "
                f"not {_told(net, draft)}"
            )


def _due(draft: Draft, gross: Decimal) -> Decimal:
    """What the client gets: the gross, in the steps the issuer rounds to."""
    step = draft.issuer.round_due_to.get(draft.currency)
    return round_to(gross, step) if step else gross


def _home_tax(draft: Draft, before: Sequence[Credited], tax: Decimal, *, everything: bool) -> HomeTax | None:
    """The tax in the currency of the country that receives it, at the invoice's rate."""
    home = draft.home_tax
    if home is None or not tax:
        return None
    earlier = [each.draft for each in before]
    credited = total(each.home_tax.amount for each in earlier if each.home_tax)
    so_far = total(each.tax for each in earlier) + tax
    whole = home.amount if everything else home.of(so_far, draft.currency)
    return home.model_copy(update={"amount": whole - credited})


def _nets_of(before: Sequence[Credited]) -> dict[Taxes, Decimal]:
    found: dict[Taxes, Decimal] = {}
    for each in before:
        for taxes, net in nets_by_taxes(each.draft).items():
            found[taxes] = found.get(taxes, _ZERO) + net
    return found


def _by_line(before: Sequence[Credited]) -> dict[int, Decimal]:
    found: dict[int, Decimal] = {}
    for note in before:
        for line in note.draft.lines:
            if position := credited_position(line):
                found[position] = found.get(position, _ZERO) + line.net
    return found


def credited_position(line: InvoiceLine) -> int:
    """Which line of the invoice a line of a credit note takes back, from 1; 0 for an amount."""
    return next((int(each.id) for each in line.sources if each.source == CREDITED_LINE), 0)


def _taxes_of(line: InvoiceLine, draft: Draft) -> Taxes:
    return line.taxes or tuple(component(each) for each in draft.taxes)


def _burden(taxes: Taxes) -> Decimal:
    """What a net of 100 comes to with its taxes."""
    return 100 + total(each.rate * each.share / 100 for each in taxes)


def _told(amount: Decimal, draft: Draft) -> str:
    return f"{written(amount, draft.currency)} {draft.currency}"
