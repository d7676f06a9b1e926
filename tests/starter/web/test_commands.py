"""What can be done from the pages: each command, its refusals, and forms that are not ours."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from activities.ledger import commands, views
from activities.ledger.read_models import InvoiceView
from billing.exceptions import ReasonCode
from tests.starter.web.conftest import Visitor
from tests.starter.web.story import Story


def now() -> datetime:
    return datetime.now(UTC)


def invoice(story: Story, reference: str) -> InvoiceView:
    with story.ledger.transaction() as tx:
        return views.invoice(tx, reference, now())


def digest(story: Story, key: str = "manual/one") -> str:
    return invoice(story, key).digest or ""


def test_approve(story: Story, visitor: Visitor) -> None:
    """An approver approves from the inbox, with a comment; the item is gone."""
    story.asked("one")
    page = visitor.sign_in("tom").give(
        "decide", invoice="manual/one", digest=digest(story), verdict="approve", comment="as agreed"
    )
    assert "You approved manual/one." in page
    assert "Nothing waits for you." in page
    with story.ledger.transaction() as tx:
        told = views.timeline(tx, "manual/one")[-1]
    assert (told.event, told.actor, told.channel, told.line) == (
        "approved",
        "tom",
        "web",
        "tier large: as agreed",
    )


def test_second_click(story: Story, visitor: Visitor) -> None:
    """Approving twice says what holds now, and approves once."""
    story.asked("one")
    visitor.sign_in("tom").give("decide", invoice="manual/one", digest=digest(story), verdict="approve")
    page = visitor.give("decide", invoice="manual/one", digest=digest(story), verdict="approve")
    assert "Not done" in page
    assert [each.approved_by for each in invoice(story, "manual/one").approvals] == [("tom",)]


@pytest.mark.parametrize(("after", "said"), [("rebill", "billed again"), ("waive", "waived")])
def test_reject(story: Story, visitor: Visitor, after: str, said: str) -> None:
    """A rejected draft is voided, and its billing key freed or waived."""
    story.asked("one")
    page = visitor.sign_in("rosa").give(
        "decide",
        invoice="manual/one",
        digest=digest(story),
        verdict="reject",
        comment="twice the price",
        after=after,
    )
    assert said in page
    assert invoice(story, "manual/one").document_status == "voided draft"


@pytest.mark.parametrize(
    ("person", "change", "reason"),
    [
        ("uma", {}, "is not an approver of tier"),
        ("tom", {"digest": "0" * 64}, "the draft has changed since"),
        ("tom", {"digest": ""}, "load the page again"),
        ("tom", {"verdict": "perhaps"}, "whether you approve or reject"),
        ("tom", {"verdict": "reject"}, "say why you reject it"),
        ("tom", {"invoice": "manual/other"}, "no invoice has the number or billing key"),
    ],
)
def test_decision_refused(
    story: Story, visitor: Visitor, person: str, change: dict[str, str], reason: str
) -> None:
    """A decision that does not count is told with its reason, and changes nothing."""
    story.asked("one")
    fields = {"invoice": "manual/one", "digest": digest(story), "verdict": "approve"} | change
    page = visitor.sign_in(person).give("decide", **fields)
    assert reason in page.lower() or reason in page
    assert 'class="flash refused" role="alert"' in page
    assert invoice(story, "manual/one").document_status == "awaiting approval"


def test_four_eyes(story: Story, visitor: Visitor) -> None:
    """Whoever triggered the draft is not offered to approve it, and is refused if they try."""
    story.asked("one", by="tom")
    page = visitor.sign_in("tom").get("/?for=all").text
    assert "Nordlicht Verlag" in page
    assert 'value="approve"' not in page
    page = visitor.give("decide", invoice="manual/one", digest=digest(story), verdict="approve")
    assert "Four eyes:" in page


@pytest.mark.parametrize(
    ("fields", "said", "status"),
    [
        ({"resolution": "retry"}, "is tried again now", "draft"),
        ({"resolution": "accept", "reason": "agreed by phone"}, "Accepted as it is", "draft"),
        ({"resolution": "void", "reason": "wrong", "after": "waive"}, "waived", "voided draft"),
        ({"resolution": "void", "reason": "wrong", "after": "rebill"}, "billed again", "voided draft"),
        ({"resolution": "accept"}, "Say why", "draft"),
        ({"resolution": "shrug", "reason": "x"}, "retry, accept, override or void", "draft"),
        ({"resolution": "retry", "exception": "999"}, "there is no exception 999", "draft"),
    ],
)
def test_resolve(story: Story, visitor: Visitor, fields: dict[str, str], said: str, status: str) -> None:
    """An exception is retried, accepted or voided from the inbox; a refusal says why."""
    exception = story.raised("one", ReasonCode.SOURCES_DIFFER, "value differs")
    page = visitor.sign_in("lena").give("resolve", **({"exception": str(exception)} | fields))
    assert said.lower() in page.lower()
    assert invoice(story, "manual/one").document_status == status


@pytest.mark.parametrize(
    ("command", "field", "named"),
    [("resolve", "exception", "exception"), ("set-aside", "payment", "payment")],
)
@pytest.mark.parametrize("given", ["abc", "", "-1", "\u00b2", "9" * 30])
def test_id_that_is_none(
    story: Story, visitor: Visitor, command: str, field: str, named: str, given: str
) -> None:
    """A form that names no exception or payment is refused in a sentence, whatever it holds instead."""
    story.raised("one", ReasonCode.SOURCES_DIFFER, "value differs")
    page = visitor.sign_in("lena").give(command, **{field: given, "resolution": "retry", "reason": "r"})
    assert f"the form does not say which {named} you looked at" in page.lower()


def test_resolved_meanwhile(story: Story, visitor: Visitor) -> None:
    """An exception somebody else decided meanwhile is not decided again."""
    exception = str(story.raised("one", ReasonCode.SOURCES_DIFFER, "value differs"))
    visitor.sign_in("lena").give("resolve", exception=exception, resolution="accept", reason="fine")
    page = visitor.sign_in("rosa").give("resolve", exception=exception, resolution="void", reason="no")
    assert "is decided already: accepted: fine, by lena" in page


@pytest.mark.parametrize(
    ("amount", "said", "open_after"),
    [
        ("1500", "EUR\u00a01,500.00 received on", "7000.00"),
        ("1500,5", "EUR\u00a01,500.50 received on", "6999.50"),
        ("8 500.00", "is booked", "0.00"),
        ("1.500", "is not an amount in EUR", "8500.00"),
        ("1,500.00", "is not an amount in EUR", "8500.00"),
        ("zwölf", "is not an amount in EUR", "8500.00"),
        ("0", "a payment of nothing", "8500.00"),
        ("-10", "no more can be taken back", "8500.00"),
    ],
)
def test_pay(story: Story, visitor: Visitor, amount: str, said: str, open_after: str) -> None:
    """A payment is booked as typed; what could mean another amount is refused."""
    number = story.issued("one")
    page = visitor.sign_in("lena").give(
        "pay", back=f"/invoices/{number}", invoice=number, currency="EUR", amount=amount,
        received_on=story.at.date().isoformat(), note="statement 12",
    )  # fmt: skip
    assert said.lower() in page.lower()
    assert str(invoice(story, number).open) == open_after


def test_pay_twice(story: Story, visitor: Visitor) -> None:
    """The same payment sent twice is booked once, and the page says so."""
    number = story.issued("one")
    visitor.sign_in("lena")
    pages = [
        visitor.give(
            "pay", invoice=number, currency="EUR", amount="100", received_on=story.at.date().isoformat()
        )
        for _ in range(2)
    ]
    assert "is booked." in pages[0]
    assert "booked already; nothing was added" in pages[1]
    assert str(invoice(story, number).paid) == "100.00"


def test_pay_in_future(story: Story, visitor: Visitor) -> None:
    """Money cannot be received tomorrow, nor on a day that is none."""
    number = story.issued("one")
    visitor.sign_in("lena")
    for day, said in (("2099-01-01", "still to come"), ("soon", "write a day such as")):
        assert said in visitor.give("pay", invoice=number, currency="EUR", amount="100", received_on=day)


def kept(story: Story, amount: str = "8500", payer: str = "Nordlicht <Holding>") -> int:
    payment, _ = commands.keep_unmatched(
        story.ledger, Decimal(amount), "EUR", received_on=story.at.date(), payer=payer, reference="R 1", by="lena",
        at=story.at,
    )  # fmt: skip
    return payment


def test_allocate(story: Story, visitor: Visitor) -> None:
    """A payment without invoice is in the inbox with payer and reference, and is booked by an invoice number."""
    number = story.issued("one")
    payment = kept(story)
    page = visitor.sign_in("lena").get("/").text
    for part in ("unmatched payment", "Nordlicht &lt;Holding&gt;", "R 1", "EUR\u00a08,500.00", "Lena Brandt"):
        assert part in page
    assert "which invoice the payment is for" in visitor.give("allocate", payment=str(payment), invoice="")
    assert "load the page again" in visitor.give("allocate", payment="x", invoice=number)
    said = visitor.give("allocate", payment=str(payment), invoice=number)
    assert f"EUR\u00a08,500.00 is booked for {number}." in said
    assert "Nothing waits for you." in said
    assert invoice(story, number).payment_status == "paid"
    assert "is decided already" in visitor.give("allocate", payment=str(payment), invoice=number)
    shown = visitor.get(f"/invoices/{number}").text
    assert f"unmatched payment {payment}, manual" in shown


def test_allocate_to_several(story: Story, visitor: Visitor) -> None:
    """What is ticked or typed is booked together or not at all; what is left of the payment waits."""
    one, two = story.issued("one", prices=("1000",)), story.issued("two", prices=("2000",))
    payment = kept(story, "3700")
    visitor.sign_in("lena")
    several = {"payment": str(payment), "several": "yes", "currency": "EUR"}
    assert "ay which invoice" in visitor.give("allocate", back="/bank", **several)
    offered = {"number-1": one, "offered-1": "yes", "number-2": two}
    assert "ay for which invoice 5 are" in visitor.give("allocate", **several, **offered, **{"amount-3": "5"})
    too_much = visitor.give("allocate", **several, **offered, **{"take-1": "on", "amount-2": "4000"})
    assert "Not done" in too_much and invoice(story, one).payment_status == "unpaid"
    said = visitor.give(
        "allocate", back="/bank", **several, **offered, **{"take-1": "on", "amount-2": "2.000,00"}
    )
    assert "is not an amount in EUR" in said
    said = visitor.give(
        "allocate", back="/bank", **several, **offered, **{"take-1": "on", "amount-2": "2000"}
    )
    assert (
        f"EUR\u00a01,190.00 is booked for {one}, EUR\u00a02,000.00 for {two}; EUR\u00a0510.00 of it waits"
        in said
    )
    assert (invoice(story, one).open, invoice(story, two).open) == (Decimal("0.00"), Decimal("380.00"))


def test_undo(story: Story, visitor: Visitor) -> None:
    """Money booked for the wrong invoice is taken from it on its page, once, with a reason; it waits again."""
    number, payment = story.issued("one"), kept(story)
    visitor.sign_in("lena").give("allocate", payment=str(payment), invoice=number)
    page = f"/invoices/{number}"
    booking = re.search(r'name="booking" value="([0-9]+)"', visitor.get(page).text)
    assert booking
    assert "ay why" in visitor.give("undo", back=page, booking=booking[1])
    assert f"EUR\u00a08,500.00 is taken from {number} again" in visitor.give(
        "undo", back=page, booking=booking[1], reason="it was for another"
    )
    assert 'name="booking"' not in visitor.get(page).text
    assert "is taken back already" in visitor.give("undo", back=page, booking=booking[1], reason="again")
    assert "Nordlicht &lt;Holding&gt;" in visitor.get("/bank").text
    assert invoice(story, number).payment_status == "unpaid"


def test_nothing_to_undo(story: Story, visitor: Visitor) -> None:
    """Money booked by hand came from nowhere it could go back to: no such form, nor for who may only look."""
    number = story.issued("one")
    story.paid(number, "100")
    assert 'name="booking"' not in visitor.sign_in("lena").get(f"/invoices/{number}").text
    other, payment = story.issued("two"), kept(story)
    visitor.give("allocate", payment=str(payment), invoice=other)
    assert 'name="booking"' in visitor.get(f"/invoices/{other}").text
    assert 'name="booking"' not in visitor.sign_in("vito").get(f"/invoices/{other}").text


STALE = {
    "pay": {"amount": "10", "currency": "EUR", "received_on": "2026-11-02"},
    "promise": {"on": "2099-12-01"},
    "hold": {"until": "2099-12-01", "reason": "asked for time"},
    "dispute": {"code": "other", "reason": "not ours"},
    "change-due-date": {"to": "2099-12-01", "reason": "agreed"},
    "plan": {"count": "2", "first": "2099-12-01", "reason": "agreed"},
    "resend": {},
    "renew-link": {},
}


@pytest.mark.parametrize("name", STALE)
def test_page_that_was_overtaken(story: Story, visitor: Visitor, name: str) -> None:
    """What is done from a page of an invoice that others moved on meanwhile is not done, and says what happened."""
    number = story.issued("one")
    page = visitor.sign_in("tom").get(f"/invoices/{number}").text
    seen = re.search(r'name="seen" value="([0-9]+)"', page)
    assert seen
    story.paid(number, "100")
    said = visitor.give(name, invoice=number, seen=seen[1], **STALE[name])
    assert "has moved on since you opened the page (payment received); look at it again" in said
    assert len(invoice(story, number).payments) == 1


def test_set_aside(story: Story, visitor: Visitor) -> None:
    """A payment that is not ours is set aside with a reason, and with none stays where it is."""
    payment = kept(story, payer="")
    assert "Unknown payer" in visitor.sign_in("lena").get("/").text
    assert "needs a reason" in visitor.give("set-aside", payment=str(payment))
    assert "is set aside" in visitor.give("set-aside", payment=str(payment), reason="paid back")
    assert "is decided already: set aside: paid back" in visitor.give(
        "set-aside", payment=str(payment), reason="again"
    )


def test_hold_and_release(story: Story, visitor: Visitor) -> None:
    """Reminders are held until a day of the issuer's zone, and released."""
    number = story.issued("one")
    day = (story.at + timedelta(days=5)).date()
    page = visitor.sign_in("lena").give(
        "hold", back=f"/invoices/{number}", invoice=number, until=day.isoformat(), reason="talks"
    )
    assert f"is on hold until {day}" in page
    assert "Release the hold" in page
    assert invoice(story, number).collection_status == "blocked"
    assert "reminders go on" in visitor.give("release", invoice=number)
    assert "Not done" in visitor.give("release", invoice=number)


def test_promise_and_dispute(story: Story, visitor: Visitor) -> None:
    """A promise and a dispute are noted and shown."""
    number = story.issued("one")
    day = (story.at + timedelta(days=3)).date().isoformat()
    visitor.sign_in("lena")
    assert "is promised for" in visitor.give("promise", invoice=number, on=day, note="Kim, by phone")
    page = visitor.give("dispute", back=f"/invoices/{number}", invoice=number, reason="hours of 12 October")
    assert "<b>Disputed:</b> hours of 12 October" in page
    assert "Not done" in visitor.give("promise", invoice=number, on="2020-01-01")


@pytest.mark.parametrize("token", ["", "x" * 32, "ü"])
def test_foreign_form(story: Story, visitor: Visitor, token: str) -> None:
    """A form without this session's token is refused and changes nothing."""
    story.asked("one")
    visitor.sign_in("tom")
    fields = {"csrf": token, "invoice": "manual/one", "digest": digest(story), "verdict": "approve"}
    answer = visitor.post("/commands/decide", data=fields)
    assert answer.status_code == 403
    assert "Nothing was changed" in answer.text
    assert invoice(story, "manual/one").document_status == "awaiting approval"


def test_signed_out(story: Story, visitor: Visitor) -> None:
    """Without a person nothing is decided."""
    story.asked("one")
    token = visitor.token()
    answer = visitor.post(
        "/commands/decide",
        data={"csrf": token, "invoice": "manual/one", "digest": digest(story), "verdict": "approve"},
    )
    assert "sign in and repeat it" in answer.text
    assert invoice(story, "manual/one").document_status == "awaiting approval"


@pytest.mark.parametrize(
    "back", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"]
)
def test_way_back(story: Story, visitor: Visitor, back: str) -> None:
    """A command leads back to a page of ours only."""
    visitor.sign_in("tom")
    answer = visitor.post(
        "/commands/release",
        data={"csrf": visitor.token("/"), "back": back, "invoice": "x"},
        follow_redirects=False,
    )
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


def test_other_ways_in(story: Story, visitor: Visitor) -> None:
    """An unknown command is 404, a command by link 405, a huge form 413."""
    visitor.sign_in("tom")
    assert visitor.post("/commands/burn", data={"csrf": visitor.token("/")}).status_code == 404
    assert visitor.get("/commands/decide").status_code == 405
    assert visitor.post("/commands/decide", data={"comment": "x" * 70_000}).status_code == 413
