"""Which invoices a payment pays: what the payer says, what fits to the cent, and nothing else."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.matching import Incoming, Match, OpenItem, OpenItems, Suggestions, match
from billing.money import total
from billing.numbering import payment_reference
from billing.payment_policy import PaymentPolicy
from billing.payment_text import same_name
from billing.qr_reference import qr_reference

ON = date(2026, 11, 20)
STRICT = PaymentPolicy()
EASY = PaymentPolicy(
    accept_difference={"EUR": Decimal("5.00"), "JPY": Decimal(500)},
    accept_exchange_difference_percent=Decimal(2),
)


def item(invoice: int, number: str, amount: str, **told: Any) -> OpenItem:
    return OpenItem(
        invoice=invoice,
        number=number,
        client=told.pop("client", "nordlicht"),
        name=told.pop("name", "Nordlicht Verlag GmbH"),
        currency=told.pop("currency", "EUR"),
        amount=Decimal(amount),
        due=told.pop("due", date(2026, 11, invoice)),
        **told,
    )


ITEMS = (
    item(1, "ELB-2026-00011", "1190.00"),
    item(2, "ELB-2026-00012", "238.00"),
    item(3, "ELB-2026-00013", "1190.00", client="ateliers", name="Ateliers Réunis SARL"),
    item(4, "ELB-2026-00014", "500.00", client="ateliers", name="Ateliers Réunis SARL"),
    item(5, "ELB-2026-00015", "50000", client="kawa", name="Kawa KK", currency="JPY"),
    item(6, "ELB-2026-00016", "1000.00", client="harbor", name="Harbor Inc", currency="USD"),
    item(7, "ELB-2026-1", "11.90", client="tiny", name="Tiny AG"),
    item(
        8, "ELB-2026-00017", "100.00", client="early", name="Early Oy", early=Decimal("98.00"), early_until=ON
    ),
)


def coming(amount: str, text: str | tuple[str, ...] = (), **told: Any) -> Incoming:
    return Incoming(
        Decimal(amount),
        told.pop("currency", "EUR"),
        told.pop("on", ON),
        text=(text,) if isinstance(text, str) else text,
        **told,
    )


def paid(incoming: Incoming, policy: PaymentPolicy = STRICT) -> dict[str, str] | None:
    """Number and amount of each part; None if there is no match."""
    found = match(incoming, OpenItems.of(ITEMS), policy)
    return {each.number[-5:]: str(each.amount) for each in found.parts} if isinstance(found, Match) else None


RF = payment_reference("ELB-2026-00011")


@pytest.mark.parametrize(
    "told",
    [
        {"references": (RF,)},
        {"references": (" ".join(RF[place : place + 4] for place in range(0, 20, 4)),)},
        {"references": (qr_reference(RF),)},
        {"references": ("ELB-2026-00011",)},
        {"text": "Rechnung ELB-2026-00011"},
        {"text": f"Ref. {RF}"},
        {"text": "RE-NR.:ELB-2026-00011 VOM 06.11."},
        {"text": "elb 2026 00011 / Danke"},
        {"text": ("Rechnung ELB-20", "26-00011 Platform support")},
        {"text": ("SVWZ+ELB-2026-00011", "KD-NR 4711")},
    ],
)
def test_named(told: dict[str, Any]) -> None:
    """An invoice is found by its reference (RF, QR), and by its number however it is spaced or broken over lines."""
    assert paid(coming("1190.00", **told)) == {"00011": "1190.00"}
    assert paid(coming("400.00", **told)) == {"00011": "400.00"}


@pytest.mark.parametrize(
    "text",
    [
        "ELB-2O26-OOO11",
        "ELB-2026-000II",
        "2026-00011",
        "RechnungELB-2026-00011",
        ("ELB-2026-00011", "2026-11-20"),
        "ELB-2026-00011-1",
    ],
)
def test_spelled_differently(text: str | tuple[str, ...]) -> None:
    """A number that is misread, cut short or glued is enough if the amount is exact; else a person is asked."""
    assert paid(coming("1190.00", text)) == {"00011": "1190.00"}
    found = match(coming("1000.00", text), OpenItems.of(ITEMS), STRICT)
    assert isinstance(found, Suggestions)
    assert (found.found[0].number, found.found[0].reasons) == (
        "ELB-2026-00011",
        ("its number may be in the text",),
    )


@pytest.mark.parametrize("text", ["ELB-2026-000119", "ELB-2026-10", "1ELB-2026-0001", "", "Platform support"])
def test_part_of_a_longer_number(text: str) -> None:
    """A number is not found inside a longer one, nor in nothing."""
    assert paid(coming("11.90", text)) is None


def test_short_and_long() -> None:
    """Of two numbers that begin alike, the one that is written is meant."""
    items = OpenItems.of([item(1, "ELB-2026-1", "10.00"), item(2, "ELB-2026-12", "10.00")])
    for number, invoice in (("ELB-2026-1", 1), ("ELB-2026-12", 2), ("ELB 2026 12", 2)):
        found = match(coming("7.00", f"Rg {number}, danke"), items, STRICT)
        assert isinstance(found, Match)
        assert [each.invoice for each in found.parts] == [invoice]


@pytest.mark.parametrize(
    ("incoming", "parts"),
    [
        # both named, to the cent
        (coming("1428.00", "ELB-2026-00011 + ELB-2026-00012"), {"00011": "1190.00", "00012": "238.00"}),
        # two clients of a group, both named
        (coming("1690.00", "ELB-2026-00011, ELB-2026-00014"), {"00011": "1190.00", "00014": "500.00"}),
        # one named, and the amount is all that is open of the client
        (coming("1428.00", "ELB-2026-00012"), {"00011": "1190.00", "00012": "238.00"}),
        # more than is open: the last one named has the rest, for a person to decide
        (coming("300.00", "ELB-2026-00012"), {"00012": "300.00"}),
        (coming("1500.00", "ELB-2026-00012 ELB-2026-00011"), {"00011": "1190.00", "00012": "310.00"}),
        # early payment: 2 % off by the 20th
        (coming("98.00", "ELB-2026-00017"), {"00017": "98.00"}),
        # the account is known, and one thing only fits
        (coming("238.00", "thanks", client="nordlicht"), {"00012": "238.00"}),
        (coming("1428.00", "thanks", client="nordlicht"), {"00011": "1190.00", "00012": "238.00"}),
        (coming("98.00", client="early"), {"00017": "98.00"}),
        # in yen; in dollars into a euro account, as the payer ordered them
        (coming("50000", "ELB-2026-00015", currency="JPY"), {"00015": "50000"}),
        (coming("912.40", "ELB-2026-00016", original=(Decimal(1000), "USD")), {"00016": "1000.00"}),
    ],
)
def test_matched(incoming: Incoming, parts: dict[str, str]) -> None:
    """What is named, or fits to the cent and comes from a known account, is booked."""
    assert paid(incoming) == parts


@pytest.mark.parametrize(
    ("incoming", "why"),
    [
        # too little for two: nobody knows which part is for which
        (coming("1300.00", "ELB-2026-00011 ELB-2026-00012"), "its number is in the text"),
        # too much for two of different clients
        (coming("9000.00", "ELB-2026-00011 ELB-2026-00014"), "its number is in the text"),
        # only the amount fits, and that twice
        (coming("1190.00", "Danke"), "the amount is what is open"),
        # a name is no proof
        (coming("238.00", payer="NORDLICHT VERLAG G.M.B.H."), "the payer has the client's name"),
        # the account is known, but nothing fits
        (coming("77.00", client="nordlicht"), "the account has paid for this client"),
        # another currency, and the bank does not say what the payer ordered
        (coming("912.40", "ELB-2026-00016"), "but it is in USD"),
        # early payment, a day late, nothing named
        (coming("98.00", client="early", on=date(2026, 11, 21)), "the account has paid for this client"),
    ],
)
def test_suggested(incoming: Incoming, why: str) -> None:
    """What is not certain is suggested with its reasons, never booked."""
    found = match(incoming, OpenItems.of(ITEMS), EASY)
    assert isinstance(found, Suggestions)
    assert why in {reason for each in found.found for reason in each.reasons}


def test_nothing_known() -> None:
    """Nothing is suggested where nothing fits."""
    assert match(coming("77.77", "Miete November"), OpenItems.of(ITEMS), EASY) == Suggestions()


@pytest.mark.parametrize(
    ("incoming", "amount", "said"),
    [
        (coming("1187.50", RF), "1187.50", "2.50 EUR less than is open, within accept_difference"),
        (coming("1190.02", RF), "1190.02", "0.02 EUR more than is open, within accept_difference"),
        (coming("1185.00", RF), "1185.00", "5.00 EUR less than is open, within accept_difference"),
        (coming("1184.99", RF), "1184.99", ""),
        (coming("1170.00", RF, original=(Decimal("1300.00"), "USD")), "1170.00", "converted by the bank, within 2 %"),
        (coming("1150.00", RF, original=(Decimal("1300.00"), "USD")), "1150.00", ""),
        (coming("1170.00", RF), "1170.00", ""),
        (coming("49600", "ELB-2026-00015", currency="JPY"), "49600", "400 JPY less than is open"),
    ],
)  # fmt: skip
def test_differences(incoming: Incoming, amount: str, said: str) -> None:
    """A difference passes within the policy's limit, in either direction; beyond it, it is a part payment."""
    found = match(incoming, OpenItems.of(ITEMS), EASY)
    assert isinstance(found, Match)
    (part,) = found.parts
    assert str(part.amount) == amount
    assert said in part.difference
    assert bool(part.difference) is bool(said)


def test_charges() -> None:
    """What banks kept on the way was paid, too, where that is exactly what is missing."""
    found = match(coming("1177.50", RF, charges=Decimal("12.50")), OpenItems.of(ITEMS), STRICT)
    assert isinstance(found, Match)
    assert (found.parts[0].amount, found.parts[0].fee) == (Decimal("1190.00"), Decimal("12.50"))
    found = match(coming("1000.00", RF, charges=Decimal("12.50")), OpenItems.of(ITEMS), STRICT)
    assert isinstance(found, Match)
    assert (found.parts[0].amount, found.parts[0].fee) == (Decimal("1000.00"), Decimal(0))


def test_items_change() -> None:
    """What is paid is not found again, and what is left of it is."""
    items = OpenItems.of(ITEMS)
    items.put(item(1, "ELB-2026-00011", "0.00"))
    assert match(coming("1190.00", RF), items, STRICT) == Suggestions(
        tuple(each for each in _suggestions(items, "1190.00"))
    )
    items.put(item(2, "ELB-2026-00012", "38.00"))
    found = match(coming("38.00", client="nordlicht"), items, STRICT)
    assert isinstance(found, Match)


def _suggestions(items: OpenItems, amount: str) -> Any:
    found = match(coming(amount), items, STRICT)
    assert isinstance(found, Suggestions)
    return found.found


@given(
    st.integers(1, 10**7),
    st.text(alphabet="ELB-2026 01\nOI/.", max_size=60),
    st.sampled_from(["", "nordlicht", "ateliers"]),
    st.sampled_from([STRICT, EASY]),
)
def test_no_cent_is_lost(cents: int, text: str, client: str, policy: PaymentPolicy) -> None:
    """Whatever a payer writes: the parts of a match are the payment, and no invoice is in it twice."""
    incoming = coming(str(Decimal(cents) / 100), tuple(text.split("\n")), client=client)
    found = match(incoming, OpenItems.of(ITEMS), policy)
    if isinstance(found, Match):
        assert total(each.amount for each in found.parts) == incoming.amount
        assert len({each.invoice for each in found.parts}) == len(found.parts)
        assert all(each.amount > 0 for each in found.parts)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Nordlicht Verlag GmbH", "NORDLICHT VERLAG", True),
        ("Nordlicht Verlag GmbH & Co. KG", "Nordlicht Verlag G.m.b.H.", True),
        ("Ateliers Réunis SARL", "ateliers réunis", True),
        ("Nordlicht Verlag", "Nordlicht Druck", False),
        ("", "Nordlicht", False),
        ("GmbH", "AG", False),
    ],
)
def test_names(one: str, other: str, same: bool) -> None:
    """Names are of one company if one has all telling words of the other; legal forms tell nothing."""
    assert same_name(one, other) is same
