"""The page of an invoice: what it shows, what it offers, and that a click does what the page said."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from activities.ledger import company_records, dispute_commands, settling_commands, views
from activities.ledger.read_models import InvoiceView
from activities.ledger.tables import MessageRow
from billing.allowed_acts import Act, WhyNot
from billing.approval_policy import Channel
from billing.exceptions import ReasonCode
from billing.payment_policy import Agreeing, PaymentPolicy
from starter.web.commands import COMMANDS
from starter.web.invoice_words import ACTS, WHY_NOT
from starter.web.permissions import RULES
from tests.starter.web.conftest import Visitor
from tests.starter.web.story import COMPANY, Story

_HIDDEN = re.compile(r'<input type="hidden" name="([\w-]+)" value="([^"]*)">')


def now() -> datetime:
    return datetime.now(UTC)


def invoice(story: Story, reference: str) -> InvoiceView:
    with story.ledger.transaction() as tx:
        return views.invoice(tx, reference, now())


def form(page: str, name: str) -> dict[str, str]:
    """The hidden fields of a form of the page."""
    found = re.search(rf'<form method="post" action="/commands/{name}".*?</form>', page, re.DOTALL)
    assert found, f"no form to {name}"
    return {field: html.unescape(value) for field, value in _HIDDEN.findall(found[0])}


def press(visitor: Visitor, path: str, name: str, **typed: str) -> str:
    """Fills in a form of a page and sends it; the page it leads to."""
    page = visitor.get(path).text
    return send(visitor, form(page, name), name, **typed)


def send(visitor: Visitor, fields: dict[str, str], name: str, **typed: str) -> str:
    answer = visitor.post(f"/commands/{name}", data=fields | typed)
    assert answer.status_code == 200
    return html.unescape(str(answer.text))


def test_billed_after_all(story: Story, visitor: Visitor) -> None:
    """What was waived with a draft is freed on its page, with a reason and once; four eyes and history stay."""
    story.asked("one")
    visitor.sign_in("lena").give("void", invoice="manual/one", after="waive", reason="a mistake")
    path = "/invoices/manual/one"
    assert "may be billed again: a period by the next run" in press(
        visitor, path, "bill-again", reason="it was right"
    )
    assert (
        "Bill it after all" in visitor.get(path).text
        and 'action="/commands/bill-again"' not in visitor.get(path).text
    )
    with story.ledger.transaction() as tx:
        events = [(each.event, each.actor, each.channel) for each in views.timeline(tx, "manual/one")]
    assert events[-1] == ("to be billed again", "lena", "web")


def test_every_act_is_a_command() -> None:
    """Each act has words, is a command of the pages for operators, and each refusal has words."""
    assert set(Act) == set(ACTS)
    assert {act: RULES[f"POST /commands/{act}"].role for act in Act} == dict.fromkeys(Act, "operator")
    assert [act for act in Act if act not in COMMANDS] == []
    assert sorted(WHY_NOT) == sorted(why.value for why in WhyNot)


def test_buttons_and_reasons(story: Story, visitor: Visitor) -> None:
    """Each act is a form, or stands below with the reason against it; a viewer gets neither form nor link."""
    number = story.issued("one")
    page = visitor.sign_in("lena").get(f"/invoices/{number}").text
    offered = set(re.findall(r'action="/commands/([\w-]+)"', page)) & {str(act) for act in Act}
    assert offered == {
        "pay", "write-off", "promise", "hold", "dispute", "change-due-date", "plan", "renew-link"
    }  # fmt: skip
    assert 'action="/credit-notes/preview"' in page
    for why in (WhyNot.NOT_PAID_TOO_MUCH, WhyNot.NO_CREDIT, WhyNot.NOT_HELD, WhyNot.NO_LINK, WhyNot.ISSUED):
        assert html.escape(why.value, quote=False) in page
    visitor.post("/session/end", data={"csrf": visitor.token("/tokens")})
    page = visitor.sign_in("vito").get(f"/invoices/{number}").text
    assert 'action="/commands/pay"' not in page
    assert f"{len(Act)} acts are not possible now" in page and WhyNot.ROLE.value in page


def test_timeline_by_day(story: Story, visitor: Visitor) -> None:
    """What happened stands under its day with who and from where in words; its facts are there on demand."""
    number = story.issued("one", at=story.at - timedelta(days=3))
    story.paid(number, "100.00")
    page = html.unescape(visitor.sign_in("vito").get(f"/invoices/{number}").text)
    told = page[page.index("Timeline") :]
    assert told.index("payment received") < told.index("issued") < told.index("triggered")
    assert len(re.findall(r'<h3 class="quiet">', told)) == 2
    assert "Lena Brandt by the command line" in told
    assert '<dt>received on</dt><dd class="key">' in told


def test_credit_with_a_look_first(story: Story, visitor: Visitor) -> None:
    """A credit note by line is looked at first, and issued once however often its button is pressed.

    Worked by hand: line 2 of net 2,142.86 with 19 % tax (407.14) comes to 2,550.00; 8,500.00 less that are 5,950.00.
    """
    number = story.issued("one")
    visitor.sign_in("lena")
    asked = {"invoice": number, "of": "lines", "line-2": "on", "reason": "agreed on the phone"}
    page = html.unescape(visitor.get("/credit-notes/preview", params=asked).text)
    assert "EUR 2,550.00" in page.replace("\u00a0", " ")
    assert "EUR 5,950.00 of the invoice stay open" in page.replace("\u00a0", " ")
    assert invoice(story, number).credit_notes == ()
    fields = form(page, "credit")
    assert "Another person" in page and "is asked for;" in send(visitor, fields, "credit", after="waive")
    assert "was asked for already" in send(visitor, fields, "credit", after="waive")
    assert invoice(story, number).credit_notes == ()


def test_small_credit_is_issued(story: Story, visitor: Visitor) -> None:
    """What a person may credit alone is issued with the click, once; the page shows the credit note."""
    number = story.issued("one")
    visitor.sign_in("lena")
    asked = {"invoice": number, "of": "amount", "amount": "119.00", "reason": "two hours too many"}
    page = visitor.get("/credit-notes/preview", params=asked).text
    fields = form(page, "credit")
    assert "is issued; it is made and mailed now" in send(visitor, fields, "credit", after="waive")
    page = send(visitor, fields, "credit", after="waive")
    assert "was issued already; nothing was added" in page
    (note,) = invoice(story, number).credit_notes
    assert (note.gross, note.net) == (Decimal("119.00"), Decimal("100.00"))
    assert note.number in page and "two hours too many" in page


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"of": "lines"}, "Tick the lines"),
        ({"of": "lines", "line-9": "on"}, "line"),
        ({"of": "amount", "amount": "9000"}, "left to credit"),
        ({"of": "amount", "amount": "1.234,00"}, "is not an amount"),
        ({"of": "amount", "amount": "-5"}, "more than nothing"),
        ({"reason": " "}, "Say why"),
        ({"invoice": "manual/none"}, "no invoice has the number"),
    ],
)
def test_preview_refused(story: Story, visitor: Visitor, asked: dict[str, str], said: str) -> None:
    """What cannot be credited is refused in words before anybody can issue it."""
    number = story.issued("one")
    answer = visitor.sign_in("lena").get(
        "/credit-notes/preview", params={"invoice": number, "reason": "why"} | asked
    )
    assert answer.status_code in (404, 409)
    assert said in html.unescape(answer.text) or said.capitalize() in html.unescape(answer.text)


def test_small_write_off_once(story: Story, visitor: Visitor) -> None:
    """What a person may give up alone is given up with the click; the same form again says that it was already."""
    alone = PaymentPolicy(write_offs=Agreeing(approvers=("tom",), alone_up_to={"EUR": Decimal(10)}))
    company = COMPANY.model_copy(update={"payments": alone})
    company_records.apply_company(story.ledger, company, "company", "lena", story.at)
    number = story.issued("one")
    fields = form(visitor.sign_in("lena").get(f"/invoices/{number}").text, "write-off")
    first = send(visitor, fields, "write-off", reason="small change", amount="5.00")
    assert "is written off." in first
    again = send(visitor, fields, "write-off", reason="small change", amount="5.00")
    assert "was written off already; nothing was added" in again
    assert invoice(story, number).written_off == 5


def test_write_off_once(story: Story, visitor: Visitor) -> None:
    """A write-off is asked for once, and the page says who must agree."""
    number = story.issued("one")
    path = f"/invoices/{number}"
    fields = form(visitor.sign_in("lena").get(path).text, "write-off")
    assert "another person must agree: tom" in send(visitor, fields, "write-off", reason="insolvent")
    page = send(visitor, fields, "write-off", reason="insolvent")
    assert "was asked for already" in page
    assert "waits for Tom Iversen" in page
    assert WhyNot.WRITE_OFF_WAITS.value in page


def test_stale_page(story: Story, visitor: Visitor) -> None:
    """What was decided on a page that others have overtaken is not done, and the reason says what happened."""
    number = story.issued("one")
    fields = form(visitor.sign_in("tom").get(f"/invoices/{number}").text, "write-off")
    story.paid(number, "8000.00")
    page = send(visitor, fields, "write-off", reason="insolvent")
    assert "has moved on since you opened the page (payment received)" in page
    assert invoice(story, number).written_off == 0
    assert "another person must agree" in press(
        visitor, f"/invoices/{number}", "write-off", reason="insolvent"
    )


def test_plan_once(story: Story, visitor: Visitor) -> None:
    """A plan of equal parts comes to what is open (8,500.00 in three: 2,833.34, 2,833.33, 2,833.33); a second click
    agrees on nothing anew."""
    number = story.issued("one")
    first = (story.at + timedelta(days=5)).date().isoformat()
    fields = form(visitor.sign_in("lena").get(f"/invoices/{number}").text, "plan")
    typed = {"count": "3", "first": first, "reason": "short of cash", "tell": "on"}
    assert "is to be paid in 3 parts" in send(visitor, fields, "plan", **typed)
    page = send(visitor, fields, "plan", **typed)
    assert "was agreed already" in page
    shown = page.replace("\u00a0", " ")
    assert shown.count("open EUR 2,833.33") == 2 and "open EUR 2,833.34" in shown
    assert "Not done" in press(visitor, f"/invoices/{number}", "plan", parts="tomorrow 4", reason="x")
    page = press(visitor, f"/invoices/{number}", "end-plan", reason="not kept")
    assert "the plan holds no longer" in page


def test_dispute_by_line(story: Story, visitor: Visitor) -> None:
    """A line is disputed, the rest stays due; the decision is mailed to the client and shown with its answer."""
    number = story.issued("one")
    visitor.sign_in("lena")
    typed = {"reason": "hours of 12 October", "code": "quantity", "line-2": "on"}
    page = press(visitor, f"/invoices/{number}", "dispute", **typed)
    assert f"{number} is disputed (line 2); the rest stays due." in page
    assert "quantity · line 2 · EUR 2,550.00" in page.replace("\u00a0", " ")
    page = press(visitor, f"/invoices/{number}", "reject-dispute", answer="they are on the signed sheet")
    assert "the claim stands" in page and "they are on the signed sheet" in page
    assert invoice(story, number).disputed is None


def test_due_date_and_promise(story: Story, visitor: Visitor) -> None:
    """Another due date is agreed once; a promise is noted and withdrawn."""
    number = story.issued("one")
    day = (story.at + timedelta(days=40)).date().isoformat()
    fields = form(visitor.sign_in("lena").get(f"/invoices/{number}").text, "change-due-date")
    assert f"is due on {day} now" in send(visitor, fields, "change-due-date", to=day, reason="agreed")
    assert "already; nothing was changed" in send(visitor, fields, "change-due-date", to=day, reason="agreed")
    assert str(invoice(story, number).due_date) == day, "its own page and every list say the same day"
    soon = (story.at + timedelta(days=3)).date().isoformat()
    press(visitor, f"/invoices/{number}", "promise", on=soon, note="Kim, by phone")
    page = press(visitor, f"/invoices/{number}", "withdraw-promise", reason="a slip")
    assert "holds no longer" in page and "Kim, by phone" in page


def test_refund_and_credit(story: Story, visitor: Visitor) -> None:
    """What was paid too much pays another invoice, once, and the rest is asked back."""
    over, other = story.issued("one"), story.issued("two", title="Other", prices=("1000",))
    story.paid(over, "10000.00")
    visitor.sign_in("lena")
    fields = form(visitor.get(f"/invoices/{other}").text, "use-credit")
    assert "EUR 1,190.00" in send(visitor, fields, "use-credit", source=over).replace("\u00a0", " ")
    assert "already; nothing was added" in send(visitor, fields, "use-credit", source=over)
    page = press(visitor, f"/invoices/{over}", "refund", reason="paid twice").replace("\u00a0", " ")
    assert "A refund of EUR 310.00" in page and "another person must agree" in page


@pytest.mark.parametrize(("after", "said"), [("rebill", "billed again"), ("waive", "waived")])
def test_void_a_draft(story: Story, visitor: Visitor, after: str, said: str) -> None:
    """A draft that waits for approval is voided by whoever may; nobody is asked about it any more."""
    story.asked("one")
    page = press(visitor.sign_in("lena"), "/invoices/manual/one", "void", reason="wrong client", after=after)
    assert said in page
    assert invoice(story, "manual/one").document_status == "voided draft"
    with story.ledger.transaction() as tx:
        assert views.inbox(tx, None, now()) == []


def test_void_says_what_happens(story: Story, visitor: Visitor) -> None:
    """Without saying what becomes of the key nothing is voided; an issued invoice cannot be."""
    story.drafted("one")
    visitor.sign_in("lena")
    assert "billed again or waived" in press(visitor, "/invoices/manual/one", "void", reason="x")
    number = story.issued("two")
    assert "issued and never changes" in visitor.give("void", invoice=number, reason="x", after="waive")


def test_fetch_again(story: Story, visitor: Visitor) -> None:
    """A draft is made anew from the sources."""
    story.asked("one")
    page = press(visitor.sign_in("lena"), "/invoices/manual/one", "fetch-again")
    assert "is made anew" in page


def test_links(story: Story, visitor: Visitor) -> None:
    """A link is made, renewed and revoked; operators see it, viewers do not."""
    number = story.issued("one")
    path = f"/invoices/{number}"
    assert "There is a new link" in press(visitor.sign_in("lena"), path, "renew-link")
    first = re.search(r"/i/([\w-]{43})", visitor.get(path).text)
    assert first and "Not seen by a person yet" in visitor.get(path).text
    assert "lead nowhere any more" in press(visitor, path, "renew-link")
    second = re.search(r"/i/([\w-]{43})", visitor.get(path).text)
    assert second and second[1] != first[1]
    visitor.post("/session/end", data={"csrf": visitor.token("/tokens")})
    assert second[1] not in visitor.sign_in("vito").get(path).text
    visitor.post("/session/end", data={"csrf": visitor.token("/tokens")})
    assert "the client sees it by none of them" in press(visitor.sign_in("lena"), path, "revoke-link")
    assert WhyNot.NO_LINK.value in visitor.get(path).text


def test_copy_to_an_address(story: Story, visitor: Visitor) -> None:
    """An invoice with its document is mailed to an address; nonsense is refused."""
    number = story.issued("one")
    story.with_document(number)
    visitor.sign_in("lena")
    assert "mailed once more, to cfo@nordlicht.example" in press(
        visitor, f"/invoices/{number}", "resend", to="cfo@nordlicht.example"
    )
    assert "is not an e-mail address" in press(visitor, f"/invoices/{number}", "resend", to="nobody")


def test_document_beside(story: Story, visitor: Visitor) -> None:
    """The pages of the PDF stand on the page, as pictures in a frame of our own."""
    number = story.issued("one")
    sha256 = story.with_document(number)
    page = visitor.sign_in("vito").get(f"/invoices/{number}").text
    assert f'src="/documents/{sha256}/pages"' in page and 'data-live="5"' not in page


def test_message_as_sent(story: Story, visitor: Visitor) -> None:
    """A message is shown as it was sent; its HTML is in a sandbox without scripts and forms."""
    number = story.issued("one")
    with story.ledger.transaction() as tx:
        row = story.invoice(tx, number)
        tx.add(
            MessageRow(
                key=f"invoice-{row.id}/invoice",
                message_id="<1@elbwerk.example>",
                invoice=row.id,
                event="invoice",
                audience="client",
                recipient="ap@nordlicht.example",
                copies_to=["boss@nordlicht.example"],
                subject="Invoice <one>",
                body="Dear Kim",
                html="<p>Dear Kim</p><script>alert(1)</script>",
                prepared_at=story.at,
                handed_over_at=story.at,
            )
        )
        key = f"invoice-{row.id}/invoice"
    page = visitor.sign_in("vito").get(f"/invoices/{number}").text
    assert f'href="/messages/{key}"' in page
    page = visitor.get(f"/messages/{key}").text
    assert "Invoice &lt;one&gt;" in page and "boss@nordlicht.example" in page and "Dear Kim" in page
    answer = visitor.get(f"/message-bodies/{key}")
    assert answer.headers["content-security-policy"].startswith("sandbox allow-popups")
    assert visitor.get("/messages/invoice-0/none").status_code == 404


def test_facts_of_an_earlier_draft(story: Story, visitor: Visitor) -> None:
    """The page of an earlier, voided draft offers nothing, since commands are about the newest."""
    story.raised("one", ReasonCode.EMPTY, "nothing to bill")
    visitor.sign_in("lena")
    press(visitor, "/invoices/manual/one", "void", reason="wrong", after="rebill")
    story.drafted("one")
    page = visitor.get("/invoices/manual/one?generation=1").text
    assert 'action="/commands/void"' not in page
    assert 'action="/commands/void"' in visitor.get("/invoices/manual/one").text


def test_dispute_of_a_client_shown(story: Story, visitor: Visitor) -> None:
    """What a client said by its page stands under its name."""
    number = story.issued("one")
    dispute_commands.dispute(
        story.ledger, number, reason="not ordered", by="client:nordlicht", channel="portal", at=now()
    )
    page = html.unescape(visitor.sign_in("vito").get(f"/invoices/{number}").text)
    assert "Nordlicht Verlag GmbH by the client's page" in page


def test_given_up_in_sum(story: Story, visitor: Visitor) -> None:
    """What was written off stands in the sums, and what is open after it."""
    number = story.issued("one")
    story.paid(number, "8400.00")
    item = settling_commands.write_off(
        story.ledger, number, reason="small", by="lena", channel=Channel.CLI, at=now()
    )
    (who, *_) = item.waits_for
    settling_commands.agree(story.ledger, item.id, by=who, channel=Channel.CLI, at=now())
    page = visitor.sign_in("vito").get(f"/invoices/{number}").text.replace("\u00a0", " ")
    assert "Written off" in page and "EUR −100.00" in page
