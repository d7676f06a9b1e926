"""Credit notes: what they take back, worked by hand; and whatever the parts, together they are the invoice."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.allowances import Allowance, percentage_off
from billing.credit_note import (
    WHOLE,
    Credited,
    CreditedLine,
    Selection,
    credit_draft,
    left_of_lines,
    left_to_credit,
)
from billing.document_check import sums
from billing.document_kind import DocumentKind
from billing.draft import Draft, InvoiceLine, line
from billing.early_payment import offer
from billing.errors import Refused
from billing.home_tax import HomeTax
from billing.parties import Issuer
from billing.payment_terms import EarlyPayment, PaymentTerms
from billing.taxes.categories import TaxCategory
from billing.taxes.outcome import TaxComponent
from tests.billing.einvoice.documents import ISSUER, document

DAY = date(2026, 3, 16)
STANDARD = TaxComponent(category=TaxCategory.STANDARD, rate=Decimal(19))
REDUCED = TaxComponent(category=TaxCategory.STANDARD, rate=Decimal(7))


def item(price: str, quantity: str = "1", **changes: Any) -> InvoiceLine:
    return line("Work", Decimal(quantity), "HUR", Decimal(price), "EUR", **changes)


def invoice(*lines: InvoiceLine, **changes: Any) -> Draft:
    """An issued invoice in euro, taxed at 19 per cent where its lines do not say otherwise."""
    return document(lines, **changes).draft


def credit(draft: Draft, *selections: Selection) -> list[Draft]:
    """Credit notes of an invoice, one after the other; each adds up."""
    notes: list[Credited] = []
    for selection in selections:
        made = credit_draft(draft, selection, notes, number="B1", issued_on=DAY, reason="Wrong")
        assert [*sums(made)] == []
        notes.append(Credited(number=f"CN{len(notes) + 1}", draft=made))
    return [each.draft for each in notes]


def of_line(position: int, **part: str) -> Selection:
    given = {name: Decimal(value) for name, value in part.items()}
    return Selection(lines=(CreditedLine.model_validate({"position": position, **given}),))


def amount(gross: str) -> Selection:
    return Selection(gross=Decimal(gross))


def test_a_whole_credit_note_is_the_invoice() -> None:
    """The same lines, taxes and sums; of another kind, citing the invoice, and asking for nothing."""
    terms = PaymentTerms(net_days=30, early_payment=EarlyPayment(percent=Decimal(2), days=10))
    draft = invoice(item("100"), item("50.50", "2"), terms=terms)
    (note,) = credit(draft, WHOLE)
    assert (note.kind, note.preceding, note.preceding_date, note.note) == (
        DocumentKind.CREDIT_NOTE,
        "B1",
        DAY,
        "Wrong",
    )
    assert (note.net, note.tax, note.gross, note.due) == (draft.net, draft.tax, draft.gross, draft.due)
    assert [(each.quantity, each.unit_price, each.net) for each in note.lines] == [
        (each.quantity, each.unit_price, each.net) for each in draft.lines
    ]
    assert note.taxes == draft.taxes
    assert offer(note, DAY) is None


PARTS: dict[str, tuple[Draft, Selection, tuple[str, str, str]]] = {
    # § 17(1) UStG: the tax falls by that of what is taken back
    "a line": (invoice(item("100"), item("50")), of_line(2), ("50.00", "9.50", "59.50")),
    "1.5 of 4 hours at 80": (invoice(item("80", "4")), of_line(1, quantity="1.5"), ("120.00", "22.80", "142.80")),
    "30 net of a line": (invoice(item("100")), of_line(1, net="30"), ("30.00", "5.70", "35.70")),
    # 119 / 1.19
    "119 with tax": (invoice(item("200")), amount("119.00"), ("100.00", "19.00", "119.00")),
    # 0.03 / 1.19 = 0.025 → 0.03 net, of which 19 % are 0.0057 → 0.01; a cent of rounding (BT-114) takes it to 0.03
    "an amount no net comes to": (invoice(item("200")), amount("0.03"), ("0.03", "0.01", "0.04")),
    # 10 % off all: of the 50 the client was asked for 45
    "a line of an invoice with a discount": (
        invoice(item("150"), item("50"), allowances=(percentage_off(Decimal(200), Decimal(10), "EUR", "Loyalty"),)),
        of_line(2),
        ("45.00", "8.55", "53.55"),
    ),
    # 100 at 19 % and 100 at 7 % are 226 with tax; half of it is half of each
    "an amount over two rates": (
        invoice(item("100", taxes=(STANDARD,)), item("100", taxes=(REDUCED,))),
        amount("113.00"),
        ("100.00", "13.00", "113.00"),
    ),
    "a line at the reduced rate": (
        invoice(item("100", taxes=(STANDARD,)), item("100", taxes=(REDUCED,))),
        of_line(2),
        ("100.00", "7.00", "107.00"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", PARTS)
def test_parts(case: str) -> None:
    """A part has its share of tax, of allowances and charges."""
    draft, selection, expected = PARTS[case]
    (note,) = credit(draft, selection)
    assert (note.net, note.tax, note.gross) == tuple(map(Decimal, expected))


def test_the_last_part_takes_the_remainder() -> None:
    """Three thirds of an hour for 1.00 (0.333 each) and of its tax of 0.19 are the line and its tax."""
    draft = invoice(item("0.333", "3"))
    notes = credit(draft, of_line(1, quantity="1"), of_line(1, quantity="1"), of_line(1, quantity="1"))
    assert [each.net for each in notes] == [Decimal("0.33"), Decimal("0.33"), Decimal("0.34")]
    assert [each.tax for each in notes] == [Decimal("0.06"), Decimal("0.07"), Decimal("0.06")]


def test_what_is_left_after_an_amount() -> None:
    """After 119.00 were credited, the rest is the lines less that, told by the number of the credit note before."""
    draft = invoice(item("150"), item("50"))
    _, rest = credit(draft, amount("119.00"), WHOLE)
    assert [each.net for each in rest.lines] == [Decimal(150), Decimal(50)]
    assert [(each.amount, each.reason) for each in rest.allowances] == [
        (Decimal(100), "Bereits gutgeschrieben: CN1" if draft.language == "de" else "Credited already: CN1")
    ]
    assert (rest.net, rest.tax, rest.due) == (Decimal(100), Decimal(19), Decimal(119))


def test_home_tax_at_the_rate_of_the_invoice() -> None:
    """10 % of a tax of 190.00 euro, 810.73 zloty at 4.267: 81.07; the rest is 729.66 (Art. 91(2))."""
    home = HomeTax(
        currency="PLN",
        amount=Decimal("810.73"),
        base="EUR",
        rate=Decimal("4.267"),
        rate_date=DAY,
        source="NBP",
    )
    first, rest = credit(invoice(item("1000"), home_tax=home), of_line(1, net="100"), WHOLE)
    assert first.home_tax is not None and rest.home_tax is not None
    assert (first.home_tax.amount, rest.home_tax.amount) == (Decimal("81.07"), Decimal("729.66"))


def test_an_agreed_gross_goes_back_as_a_whole() -> None:
    """1.99 with tax (1.67 + 0.32) agreed as 2.00: its rounding goes back with what is left, not with the part."""
    draft = invoice(item("1.67"), agreed_gross=Decimal("2.00"))
    part, rest = credit(draft, of_line(1, net="1.00"), WHOLE)
    assert (part.rounding, part.due, rest.due) == (Decimal(0), Decimal("1.19"), Decimal("0.81"))


REFUSED: dict[str, tuple[tuple[Selection, ...], str]] = {
    "more than the line": ((of_line(1, net="100.01"),), "line 1 of B1 has 100.00 EUR net left to credit"),
    "a line twice": ((of_line(1), of_line(1)), "line 1 of B1 has 0.00 EUR net left"),
    "more hours than there are": ((of_line(1, quantity="1.1"),), "line 1 of B1 has 100.00 EUR net left"),
    "a line that is none": ((of_line(3),), "B1 has 2 lines, and none at 3"),
    "the other sign": ((of_line(1, net="-5"),), "line 1 of B1 has 100.00 EUR net left"),
    "more than the invoice": ((amount("178.51"),), "only 178.50 EUR of B1 are left to credit"),
    "half a cent": ((amount("1.005"),), "1.005 has more decimals than EUR knows"),
    "a line after an amount": ((amount("119.00"), of_line(1)), "50.00 EUR net are left to credit, not 100.00"),
    "all twice": ((WHOLE, WHOLE), "B1 has nothing left to credit"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_never_more_than_is_left(case: str) -> None:
    """Of a line, of what is taxed alike, of the whole."""
    selections, why = REFUSED[case]
    with pytest.raises(Refused, match=why.replace("(", r"\(").replace(".", r"\.")):
        credit(invoice(item("100"), item("50")), *selections)


FIVES = ISSUER.model_copy(update={"round_due_to": {"EUR": Decimal("0.05")}})
NO_TAX = TaxComponent(category=TaxCategory.ZERO_RATED, rate=Decimal(0))
TAKES_ALL: dict[str, tuple[Draft, Selection]] = {
    # 0.12 is paid as 0.10, and so is 0.11: a cent of net would stay
    "rounded to five cents": (invoice(item("0.12", taxes=(NO_TAX,)), issuer=FIVES), of_line(1, net="0.11")),
    # 119.00 - 32.10 = 86.90 are due; the first line alone is more than that
    "a line below zero": (
        invoice(item("100", taxes=(STANDARD,)), item("30", "-1", taxes=(REDUCED,))),
        of_line(1),
    ),
}


@pytest.mark.parametrize("case", TAKES_ALL)
def test_a_part_never_takes_all_that_is_due(case: str) -> None:
    """What is due for the rest would be nothing, and a credit note over nothing there is not: it is refused."""
    draft, part = TAKES_ALL[case]
    with pytest.raises(Refused, match="credit all that is left instead"):
        credit(draft, part)
    (note,) = credit(draft, WHOLE)
    assert (note.net, note.due) == (draft.net, draft.due)


prices = st.decimals(min_value="0.01", max_value="2000", places=3)
quantities = st.decimals(min_value="0.25", max_value="40", places=2)
rates = st.sampled_from([(STANDARD,), (REDUCED,)])


@st.composite
def invoices(draw: st.DrawFn) -> Draft:
    lines = [
        item(str(draw(prices)), str(draw(quantities)), taxes=draw(rates))
        for _ in range(draw(st.integers(1, 4)))
    ]
    allowances: Sequence[Allowance] = ()
    if draw(st.booleans()):
        base = sum((each.net for each in lines if each.taxes == lines[0].taxes), Decimal(0))
        off = percentage_off(base, draw(st.sampled_from([Decimal(3), Decimal("12.5")])), "EUR", "Rebate")
        allowances = (off.model_copy(update={"taxes": lines[0].taxes}),)
    steps = draw(st.sampled_from([{}, {"EUR": Decimal("0.05")}]))
    issuer = ISSUER.model_copy(update={"round_due_to": steps})
    return invoice(*lines, allowances=tuple(allowances), issuer=issuer)


@settings(max_examples=150, deadline=None)
@given(draft=invoices(), data=st.data())
def test_parts_together_are_the_invoice(draft: Draft, data: st.DataObject) -> None:
    """However it is taken apart, each part adds up, none is over more than is left, and all of them are the whole."""
    if draft.due <= 0:
        return
    notes: list[Credited] = []
    for _ in range(data.draw(st.integers(0, 5))):
        left = left_to_credit(draft, notes)
        selection = data.draw(
            st.one_of(
                st.builds(amount, st.decimals("0.01", max(left, Decimal("0.02")), places=2).map(str)),
                st.builds(of_line, st.integers(1, len(draft.lines)), quantity=quantities.map(str)),
                st.builds(of_line, st.integers(1, len(draft.lines)), net=prices.map(lambda x: str(round(x, 2)))),
                st.builds(of_line, st.integers(1, len(draft.lines))),
            )
        )  # fmt: skip
        try:
            made = credit_draft(draft, selection, notes, number="B1", issued_on=DAY)
        except Refused:
            continue
        assert [*sums(made)] == []
        assert Decimal(0) < made.due <= left
        notes.append(Credited(number=f"CN{len(notes)}", draft=made))
    assert all(
        0 <= each <= line.net for each, line in zip(left_of_lines(draft, notes), draft.lines, strict=True)
    )
    if left_to_credit(draft, notes):
        rest = credit_draft(draft, WHOLE, notes, number="B1", issued_on=DAY)
        assert [*sums(rest)] == []
        notes.append(Credited(number="rest", draft=rest))
    assert sum(each.draft.due for each in notes) == draft.due
    assert sum(each.draft.tax for each in notes) == draft.tax
    assert sum(each.draft.net for each in notes) == draft.net


def test_currency_and_seller_are_those_of_the_invoice() -> None:
    """A credit note is of the same parties, in the same currency."""
    draft = invoice(item("100"))
    (note,) = credit(draft, WHOLE)
    assert (note.issuer, note.buyer, note.currency) == (draft.issuer, draft.buyer, draft.currency)
    assert isinstance(note.issuer, Issuer)
