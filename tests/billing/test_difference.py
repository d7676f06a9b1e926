"""What an approver is told that differs from the client's last invoice, each case worked by hand."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from billing.difference import Change, Difference, Part, differences
from billing.draft import Draft, InvoiceLine, line
from billing.money import Money
from billing.parties import BankAccount, Contact
from billing.payment_terms import PaymentTerms
from tests.billing.einvoice.documents import document


def item(words: str, price: str = "1000", quantity: str = "1") -> InvoiceLine:
    return line(words, Decimal(quantity), "HUR", Decimal(price), "EUR")


def draft(*lines: InvoiceLine, **changes: Any) -> Draft:
    return document(lines or (item("Support, November 2026"),)).draft.model_copy(update=changes)


def euro(amount: str) -> Money:
    return Money.of(amount, "EUR")


def told(new: Draft, last: Draft, part: Part) -> list[Difference]:
    return [each for each in differences(new, last) if each.part is part]


def test_the_same_again() -> None:
    """The next month of a retainer differs in nothing: months and years in its words are no difference."""
    november = draft(item("Support, November 2026"), item("Hosting 11/2026", "49.90"))
    december = draft(item("Support, December 2026"), item("Hosting 12/2026", "49.90"), billing_key="other")
    assert differences(december, november) == ()


def test_price_and_quantity() -> None:
    """A line that is billed again says what of it differs: 1,000 to 1,100 is a tenth more."""
    (price, net) = told(draft(item("Support", "1100")), draft(item("Support")), Part.LINES)
    assert (price.what, price.before, price.after, price.of) == ("unit price", "1000", "1100", "Support")
    assert (net.before, net.after, net.growth) == (euro("1000"), euro("1100"), Decimal("0.1"))
    (hours, _) = told(draft(item("Support", "100", "12.5")), draft(item("Support", "100", "10")), Part.LINES)
    assert (hours.what, hours.before, hours.after) == ("quantity", "10", "12.5")


def test_new_and_gone() -> None:
    """Lines that were not there, and those that are not there any more."""
    found = told(
        draft(item("Support"), item("Travel to Oslo", "320")),
        draft(item("Licences of the database", "90"), item("Support")),
        Part.LINES,
    )
    assert [(each.change, each.of, each.before, each.after) for each in found] == [
        (Change.ADDED, "Travel to Oslo", None, euro("320")),
        (Change.REMOVED, "Licences of the database", euro("90"), None),
    ]


def test_other_words() -> None:
    """A line with nearly the same words is the same line, worded anew."""
    (found,) = told(draft(item("Support for the web shop")), draft(item("Support for the shop")), Part.LINES)
    assert (found.what, found.before, found.after) == (
        "words",
        "Support for the shop",
        "Support for the web shop",
    )


def test_each_line_once() -> None:
    """Of three equal lines, two of which were there before, one is new."""
    found = told(draft(*[item("Day")] * 3), draft(*[item("Day")] * 2), Part.LINES)
    assert [each.change for each in found] == [Change.ADDED]


def test_amounts() -> None:
    """Net, tax and gross that differ: at 19 per cent, 1,100 net are 209 tax and 1,309 gross, not 190 and 1,190."""
    found = told(draft(item("Support", "1100")), draft(item("Support")), Part.AMOUNTS)
    assert [(each.what, each.before, each.after) for each in found] == [
        ("net", euro("1000"), euro("1100")),
        ("tax", euro("190"), euro("209")),
        ("gross", euro("1190"), euro("1309")),
    ]


def test_another_currency() -> None:
    """Amounts of two currencies stand beside each other; no growth is reckoned between them."""
    francs = draft(currency="CHF")
    found = {each.what: each for each in told(francs, draft(), Part.AMOUNTS)}
    assert (found["currency"].before, found["currency"].after) == ("EUR", "CHF")
    assert (found["net"].after, found["net"].growth) == (Money.of("1000", "CHF"), None)


LAST = draft()


@pytest.mark.parametrize(
    ("changes", "part", "what"),
    [
        ({"buyer": LAST.buyer.model_copy(update={"name": "Other GmbH"})}, Part.PARTIES, "buyer"),
        (
            {
                "buyer": LAST.buyer.model_copy(
                    update={"contact": Contact(name="Kim", email="kim@new.example")}
                )
            },
            Part.PARTIES,
            "written to",
        ),
        ({"copies_to": ("cfo@new.example",)}, Part.PARTIES, "copies to"),
        (
            {
                "issuer": LAST.issuer.model_copy(
                    update={"bank_account": BankAccount(iban="DE02120300000000202051")}
                )
            },
            Part.PARTIES,
            "bank account",
        ),
        ({"terms": PaymentTerms(net_days=90)}, Part.TERMS, "payment terms"),
        ({"order_reference": "PO 4711"}, Part.REFERENCES, "order of the client"),
        ({"language": "fr"}, Part.REFERENCES, "language"),
        (
            {"taxes": (LAST.taxes[0].model_copy(update={"rate": Decimal("7.0")}),)},
            Part.TAX,
            "tax",
        ),
    ],
)
def test_facts(changes: dict[str, Any], part: Part, what: str) -> None:
    """Each other fact of an invoice is told under its part, with what it was; and nothing else with it."""
    (found,) = differences(LAST.model_copy(update=changes), LAST)
    assert (found.part, found.what) == (part, what)
    assert found.before != found.after


def test_very_many_lines() -> None:
    """Fifteen hundred lines against as many others are told apart without comparing each with each."""
    new = draft(*[item(f"Task {chr(97 + number % 26)} of ticket", "1") for number in range(1500)])
    last = draft(*[item(f"Work {chr(97 + number % 26)} on system", "1") for number in range(1500)])
    assert len(told(new, last, Part.LINES)) == 3000
