"""`billow interest`, and interest on reminders, on a real ledger."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from billing.interest.accrual import Interest, OpenAmount, accrue
from billing.interest.regimes import regime_of
from billing.money import Money
from tests.mail_server import MailServer
from tests.starter.cli.conftest import KEY_OF_ACME, Desk, today

AUGUST: dict[str, Any] = {"issue_date": date(2025, 7, 17), "due_date": date(2025, 7, 31)}
"""EUR 1,190 a month late under German law: 1190 × 10.27 % × 31/365 = 10.38."""


def policy(**changes: Any) -> list[dict[str, Any]]:
    """The company's one dunning policy: it reminds at any hour."""
    return [{"id": "standard", "around_the_clock": True, "levels": [{"days": 5}, {"days": 15}], **changes}]


def test_as_reckoned_by_hand(desk: Desk) -> None:
    """The issuer's law applies unless the policy names another; the segments, the sum and the law are told."""
    number = desk.opening_item(**AUGUST)
    found = desk.read("interest", number, "--as-of", "2025-08-31")
    assert found["total"] == {"amount": "10.38", "currency": "EUR"}
    assert found["compensation"] == {"amount": "40.00", "currency": "EUR"}
    assert found["law"] == "§ 288(2), (5) BGB"
    assert [(each["days"], each["rate"]) for each in found["segments"]] == [(31, "10.27")]
    said = desk.type("interest", number, "--as-of", "2025-08-31").output
    for part in ("2025-08-01", "2025-08-31", "10.27 %", "EUR 10.38", "Fixed compensation EUR 40.00", "§ 288"):
        assert part in said


def test_payments_count(desk: Desk) -> None:
    """A part payment lowers what bears interest from the day after: 1190 × 10 days, 690 × 21 days at 10.27 %."""
    number = desk.opening_item(**AUGUST)
    desk.type("pay", number, "--amount", "500", "--date", "2025-08-10", "--as", "pia")
    found = desk.read("interest", number, "--as-of", "2025-08-31")
    assert [each["principal"] for each in found["segments"]] == ["1190.00", "690.00"]
    assert found["total"]["amount"] == "7.43"  # 3.35 + 4.08


def test_nothing_is_added_to_the_invoice(desk: Desk) -> None:
    """Neither reckoning nor a statement changes the invoice, its open amount, or its audit trail."""
    number = desk.opening_item(**AUGUST)
    before = desk.read("show", number), desk.read("timeline", number)
    desk.type("interest", number, "--as-of", "2025-08-31", "-o", desk.folder / "statement.pdf")
    assert (desk.read("show", number), desk.read("timeline", number)) == before


@pytest.mark.parametrize(("in_dispute", "days"), [("runs", 11), ("rests", 9)])
def test_a_dispute(desk: Desk, in_dispute: str, days: int) -> None:
    """A dispute does not stop interest unless the policy lets it rest; then its days are free, the first too."""
    desk.company.dunning = policy(interest_law="CH", interest_in_dispute=in_dispute)
    desk.company.apply(desk.effects.ledger)
    number = desk.opening_item(late=10)
    desk.type("dispute", number, "--reason", "hours are wrong", "--as", "pia")
    found = desk.read("interest", number, "--as-of", str(today() + timedelta(days=1)))
    assert sum(each["days"] for each in found["segments"]) == days


def test_statement(desk: Desk) -> None:
    """`-o` writes a PDF, names it in the JSON, and overwrites nothing unless forced."""
    number, target = desk.opening_item(**AUGUST), desk.folder / "statement.pdf"
    arguments = ("interest", number, "--as-of", "2025-08-31", "-o", target)
    assert desk.read(*arguments)["file"] == str(target)
    assert target.read_bytes().startswith(b"%PDF-1.7")
    assert "--force" in desk.type(*arguments, code=1).output
    desk.type(*arguments, "--force")


def test_not_late(desk: Desk) -> None:
    """An invoice that is not late owes nothing, that is said, and no statement is made of it."""
    number = desk.opening_item(**AUGUST)
    arguments = ("interest", number, "--as-of", "2025-07-31")
    assert "nothing is owed" in desk.type(*arguments).output
    assert "nothing to state" in desk.type(*arguments, "-o", desk.folder / "none.pdf", code=1).output
    assert not (desk.folder / "none.pdf").exists()


def test_before_it_is_issued(desk: Desk) -> None:
    """A draft owes nothing yet: the refusal says that it has no amount or no due date."""
    desk.type("trigger", "--agreement", "acme-care", "--as", "pia")
    assert "has no draft yet" in desk.type("interest", KEY_OF_ACME, code=1).output


def test_several_invoices_in_one_reminder(desk: Desk, smtp: MailServer) -> None:
    """A reminder of several invoices tells the interest of each, by number."""
    desk.company.dunning = policy(consolidate=True, interest="print", interest_law="CH")
    desk.company.apply(desk.effects.ledger)
    for number in ("OLD-1", "OLD-2"):
        desk.opening_item(number, late=6)
    desk.work("opening/acme/old-1")
    (mail,) = smtp.messages()
    lines = [line for line in mail.text.splitlines() if "interest up to" in line]
    assert [line[:8] for line in lines] == ["- OLD-1:", "- OLD-2:"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"interest_law": "US"}, "no law on late payment is known for US"),
        ({}, "is not known; look it up (§ 247 BGB"),
    ],
)
def test_unknown_is_refused(desk: Desk, changes: dict[str, Any], said: str) -> None:
    """Where a law or a rate is not known nothing is reckoned; the refusal names what is missing."""
    desk.company.dunning = policy(**changes)
    desk.company.apply(desk.effects.ledger)
    number = desk.opening_item(**AUGUST)
    told = desk.type("interest", number, "--as-of", "2199-07-02", code=1).output
    assert said in " ".join(told.split())


def reminder(desk: Desk, smtp: MailServer, changes: dict[str, Any]) -> str:
    """The one reminder of an invoice that is six days late, under a policy so changed."""
    desk.company.dunning = policy(**changes)
    desk.company.apply(desk.effects.ledger)
    number = desk.opening_item(late=6)
    desk.work(f"opening/acme/{number.lower()}")
    (mail,) = [each for each in smtp.messages() if number in each.subject]
    return " ".join(mail.text.split())


def test_reminder_prints_interest(desk: Desk, smtp: MailServer) -> None:
    """Where the policy prints interest, a reminder tells it up to today, by the law the policy names: Swiss, 5 %."""
    said = reminder(desk, smtp, {"interest": "print", "interest_law": "CH"})
    regime = regime_of("CH")
    assert regime
    late = OpenAmount(due=Money.of("1190.00", "EUR"), due_date=today() - timedelta(days=6))
    found = accrue(late, regime, today())
    assert isinstance(found, Interest)
    assert f"- OLD-1: €{found.total.amount} interest up to" in said
    assert "€0.16 for each further day (Art. 104(1) OR)" in said
    assert "Open amount" not in said  # what the invoice asks for is what it asked for before


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"interest_law": "CH"},
        {"interest": "print", "interest_law": "CH", "interest_from_level": 2},
        {"interest": "print", "interest_law": "US"},
    ],
    ids=["by default", "law alone", "from a later level", "unknown"],
)
def test_reminder_without_interest(desk: Desk, smtp: MailServer, changes: dict[str, Any]) -> None:
    """By default, below the level, and where the law is unknown, a reminder goes out and says nothing of interest."""
    assert "beside the invoice amount" not in reminder(desk, smtp, changes)


def test_late_fee_instead_of_interest(desk: Desk, smtp: MailServer) -> None:
    """A late fee by contract takes the place of interest by law: never both."""
    fee = {"clause": "clause 9", "fixed": "25"}
    said = reminder(desk, smtp, {"interest": "print", "interest_law": "CH", "late_fee": fee})
    assert "- OLD-1: €25.00 fixed compensation (clause 9)" in said
    assert "Art. 104" not in said and "interest up to" not in said
