"""What holds for any invoice at all: lines, allowances, charges, several rates and taxes, three kinds of currency."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from random import Random
from typing import Any, TypeVar

from hypothesis import given
from hypothesis import strategies as st

from billing.allowances import Allowance, Charge
from billing.currencies import MINOR_UNITS
from billing.document_check import sums
from billing.draft import Draft, InvoiceLine, line
from billing.money import rounded, smallest_unit, total
from billing.taxes.outcome import TaxComponent
from billing.totals import apportioned
from tests.billing.money.drafts import component, drafted
from tests.billing.properties import examples

Part = TypeVar("Part", Allowance, Charge)
CURRENCIES = st.sampled_from(["EUR", "CHF", "JPY", "KWD"])
RATES = ["0", "5", "7", "8.1", "19", "9.975"]
ONE_TAX = st.sampled_from(RATES).map(lambda rate: (component(rate),))
TAXES = st.one_of(
    ONE_TAX,
    st.just((component("5", "GST"), component("9.975", "QST"))),
    st.just((component("8.25", "Sales tax", "80"),)),
)
COUNTS = st.integers(-5000, 5000).map(lambda hundredths: Decimal(hundredths).scaleb(-2))
PRICES = st.integers(0, 10**7).map(lambda thousandths: Decimal(thousandths).scaleb(-3))


@st.composite
def adjusted(draw: st.DrawFn, currency: str, taxes: tuple[TaxComponent, ...] = ()) -> Allowance | Charge:
    """An allowance or a charge of whole smallest units."""
    amount = Decimal(draw(st.integers(0, 10**5))).scaleb(-MINOR_UNITS[currency])
    kind = Allowance if draw(st.booleans()) else Charge
    return kind(amount=amount, reason="agreed", taxes=taxes)


@st.composite
def invoices(
    draw: st.DrawFn,
    currencies: st.SearchStrategy[str] = CURRENCIES,
    kinds: st.SearchStrategy[tuple[TaxComponent, ...]] = TAXES,
) -> Draft:
    """Any invoice: all of it taxed alike, or each part naming its own taxes; francs due in five Rappen, or exact."""
    currency = draw(currencies)
    own_taxes = draw(st.booleans())

    def taxes() -> tuple[TaxComponent, ...]:
        return draw(kinds) if own_taxes else ()

    lines = []
    for number in range(draw(st.integers(1, 8))):
        parts = [draw(adjusted(currency)) for _ in range(draw(st.integers(0, 2)))]
        lines.append(
            line(
                f"Part {number}",
                draw(COUNTS),
                "C62",
                draw(PRICES),
                currency,
                allowances=[each for each in parts if isinstance(each, Allowance)],
                charges=[each for each in parts if isinstance(each, Charge)],
                taxes=taxes(),
            )
        )
    whole = [draw(adjusted(currency, taxes())) for _ in range(draw(st.integers(0, 3)))]
    return drafted(
        lines,
        *draw(kinds),
        currency=currency,
        allowances=[each for each in whole if isinstance(each, Allowance)],
        charges=[each for each in whole if isinstance(each, Charge)],
        steps=draw(st.sampled_from([{}, {"CHF": "0.05"}])),
    )


def again(draft: Draft, **changes: Any) -> Draft:
    """The draft reckoned anew from changed lines, allowances or charges."""
    parts: dict[str, Any] = {
        "lines": draft.lines,
        "allowances": draft.allowances,
        "charges": draft.charges,
        **changes,
    }
    taxes = [
        TaxComponent(name=each.name, category=each.category, rate=each.rate, share=each.share)
        for each in draft.taxes
    ]
    own = any(each.taxes for each in draft.lines)
    return drafted(
        parts.pop("lines"),
        *(() if own else taxes),
        currency=draft.currency,
        steps={key: str(step) for key, step in draft.issuer.round_due_to.items()},
        **parts,
    )


def negated(each: InvoiceLine) -> InvoiceLine:
    return each.model_copy(
        update={
            "quantity": -each.quantity,
            "net": -each.net,
            "allowances": tuple(_less(one) for one in each.allowances),
            "charges": tuple(_less(one) for one in each.charges),
        }
    )


def _less(each: Part) -> Part:
    return each.model_copy(update={"amount": -each.amount})


@given(invoices())
@examples(300)
def test_everything_adds_up(draft: Draft) -> None:
    """Lines − allowances + charges + taxes = gross, gross + rounding = due, each in whole smallest units."""
    net = total(each.net for each in draft.lines)
    net += total(each.amount for each in draft.charges) - total(each.amount for each in draft.allowances)
    assert net + total(each.tax for each in draft.taxes) == draft.gross
    assert draft.due - draft.gross == draft.rounding
    assert abs(draft.rounding) <= Decimal("0.02")
    for figure in (draft.net, draft.tax, draft.gross, draft.due, *(each.net for each in draft.lines)):
        assert figure == rounded(figure, draft.currency)
    assert not list(sums(draft))


@given(invoices())
@examples(200)
def test_the_other_route_to_each_tax(draft: Draft) -> None:
    """In whole numbers, without a decimal: the tax of a rate is what exact fractions make of the nets that bear it."""
    unit = Fraction(smallest_unit(draft.currency))
    for tax in draft.taxes:
        key = (tax.name, tax.category, tax.rate, tax.share)
        base = sum(
            (
                Fraction(amount)
                for taxes, amount in [
                    *((each.taxes, each.net) for each in draft.lines),
                    *((each.taxes, -each.amount) for each in draft.allowances),
                    *((each.taxes, each.amount) for each in draft.charges),
                ]
                if not taxes or key in [(one.name, one.category, one.rate, one.share) for one in taxes]
            ),
            Fraction(0),
        )
        taxable = _half_away(base * Fraction(tax.share) / 100 / unit)
        assert Fraction(tax.taxable) / unit == taxable
        assert Fraction(tax.tax) / unit == _half_away(taxable * Fraction(tax.rate) / 100)


def _half_away(figure: Fraction) -> int:
    whole = int(abs(figure) * 2 + 1) // 2
    return whole if figure >= 0 else -whole


@given(invoices())
@examples(200)
def test_credit_of_everything_is_zero(draft: Draft) -> None:
    """Whatever was invoiced, its mirror image takes all of it back: each tax, net, gross and due, to the cent."""
    credit = again(
        draft,
        lines=[negated(each) for each in draft.lines],
        allowances=[_less(each) for each in draft.allowances],
        charges=[_less(each) for each in draft.charges],
    )
    for figure in ("net", "tax", "gross", "rounding", "due"):
        assert getattr(draft, figure) + getattr(credit, figure) == 0, figure
    assert [each.tax + other.tax for each, other in zip(draft.taxes, credit.taxes, strict=True)] == [
        0 for _ in draft.taxes
    ]


@given(invoices(), st.randoms(use_true_random=False))
@examples(200)
def test_the_order_of_lines_is_irrelevant(draft: Draft, chance: Random) -> None:
    """In any order of lines, allowances and charges, an invoice comes to the same, tax by tax."""
    lines = list(draft.lines)
    chance.shuffle(lines)
    other = again(draft, lines=lines, allowances=draft.allowances[::-1], charges=draft.charges[::-1])
    assert (other.net, other.tax, other.gross, other.due) == (draft.net, draft.tax, draft.gross, draft.due)

    def by_tax(each: Draft) -> set[tuple[object, ...]]:
        return {(tax.name, tax.category, tax.rate, tax.share, tax.taxable, tax.tax) for tax in each.taxes}

    assert by_tax(other) == by_tax(draft)


@given(invoices(), st.data())
@examples(200)
def test_a_line_split_changes_its_own_rounding_only(draft: Draft, data: st.DataObject) -> None:
    """A line cut in two differs by at most one smallest unit of net (R120); the taxes follow the net, and nothing else.

    Cut where the net of both parts is whole, nothing changes at all.
    """
    first, *rest = draft.lines
    cut = data.draw(COUNTS)
    head = first.model_copy(
        update={
            "quantity": cut,
            "net": rounded(cut * first.unit_price, draft.currency),
            "allowances": (),
            "charges": (),
        }
    )
    remaining = first.quantity - cut
    whole = rounded(first.quantity * first.unit_price, draft.currency)
    tail = first.model_copy(
        update={
            "quantity": remaining,
            "net": rounded(remaining * first.unit_price, draft.currency) + first.net - whole,
        }
    )
    split = again(draft, lines=[head, tail, *rest])
    drift = head.net + tail.net - first.net
    assert abs(drift) <= smallest_unit(draft.currency)
    assert split.net - draft.net == drift
    if cut * first.unit_price == head.net:
        assert drift == 0
    if drift == 0:
        assert (split.net, split.tax, split.gross) == (draft.net, draft.tax, draft.gross)
    assert not list(sums(split))


@given(invoices())
@examples(200)
def test_lines_joined_to_one_come_to_the_same(draft: Draft) -> None:
    """Lines taxed alike, put on one line of their net, change no total: tax is on the sum, not by line (BR-CO-17)."""
    joined: dict[tuple[TaxComponent, ...], Decimal] = {}
    for each in draft.lines:
        joined[each.taxes] = joined.get(each.taxes, Decimal(0)) + each.net
    lines = [
        line("All", Decimal(1), "C62", net, draft.currency, taxes=taxes) for taxes, net in joined.items()
    ]
    other = again(draft, lines=lines)
    assert (other.net, other.tax, other.gross, other.due) == (draft.net, draft.tax, draft.gross, draft.due)


@given(invoices(), st.integers(0, 10**6))
@examples(200)
def test_an_allowance_apportioned_is_whole(draft: Draft, units: int) -> None:
    """Parts of a discount, one for each set of taxes, sum to it; each is within a unit of its exact share."""
    amount = units * smallest_unit(draft.currency)
    parts = apportioned(Allowance(amount=amount, reason="all"), draft.lines, draft.currency)
    assert total(each.amount for each in parts) == amount
    assert len({each.taxes for each in parts}) == len(parts)
    nets: dict[tuple[TaxComponent, ...], Decimal] = {}
    for each in draft.lines:
        nets[each.taxes] = nets.get(each.taxes, Decimal(0)) + each.net
    if len(nets) > 1 and any(net > 0 for net in nets.values()):
        whole = total(net for net in nets.values() if net > 0)
        for part in parts:
            exact = Fraction(amount) * Fraction(nets[part.taxes]) / Fraction(whole)
            assert abs(Fraction(part.amount) - exact) < Fraction(smallest_unit(draft.currency))
