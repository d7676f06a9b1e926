"""What mails say and how they are built."""

from datetime import UTC, date, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8, default
from typing import Any

import pytest

from activities.delivery.mail import (
    CLIENT_EVENTS,
    STAFF_EVENTS,
    Attachment,
    Composed,
    MailTemplateFaulty,
    build,
    compose,
)
from billing.money import Money
from billing.parties import Contact
from tests.activities.documents.samples import ISSUER

ANSWERS = ("credit-note", "receipt", "dispute-received")
"""What asks for no payment."""

SENDER = Contact(name="Nordlicht Systems GmbH", email="billing@nordlicht.example")
TO = Contact(name="Weiß, Katharina (Müller & Söhne)", email="weiss@mueller.example")


def context(**changes: Any) -> dict[str, Any]:
    """Every field, as the caller fills them."""
    values = {
        "number": "BER-2026-00017",
        "title": "Wartung, November 2026",
        "client_name": "Müller & Söhne GmbH",
        "contact_name": "Katharina Weiß",
        "issuer": ISSUER,
        "amount_due": Money.of("2156.88", "EUR"),
        "open_amount": Money.of("2156.88", "EUR"),
        "issue_date": date(2026, 11, 22),
        "due_date": date(2026, 12, 22),
        "days_late": 14,
        "payment_reference": "RF18BER202600017",
        "level": 1,
        "invoice_url": "https://billing.example/i/abc",
        "others": [],
        "person_name": "Anna Berg",
        "reason": "above 10,000",
        "kind": "refund",
        "deadline": datetime(2026, 11, 25, 16, tzinfo=UTC),
        "zone": "Europe/Berlin",
        "findings": ["CRM 8,500.00 EUR, contract 9,200.00 EUR"],
        "inbox_url": "http://localhost/inbox",
        "preceding": "BER-2026-00011",
        "received": Money.of("2156.88", "EUR"),
        "received_on": date(2026, 12, 22),
        "answer": "All hours were agreed on 3 November.",
        "pay_by": date(2026, 12, 29),
        "instalments": [],
    }
    return values | changes


def plain(text: str) -> str:
    """As one reads it: lines folded or not, with simple blanks."""
    return " ".join(text.split())


@pytest.mark.parametrize(
    ("kind", "asked"),
    [
        ("write-off", "a write-off"),
        ("refund", "a refund"),
        ("credit note", "a credit note"),
        ("", "a write-off, refund or credit note"),  # prepared by the version before this one
    ],
)
def test_what_is_asked_for(kind: str, asked: str) -> None:
    """The subject of a mail that asks for another's consent says to what."""
    subject = compose("agreement-wanted", "en", context(kind=kind)).subject
    assert subject == f"Please decide: {asked}, BER-2026-00017"


@pytest.mark.parametrize("language", ["de", "en"])
@pytest.mark.parametrize("event", [each for each in CLIENT_EVENTS if each not in ANSWERS])
def test_clients_are_told_what_and_how_to_pay(event: str, language: str) -> None:
    """Each mail to a client names invoice, amount, due date, account and reference, as text and as HTML."""
    composed = compose(event, language, context())
    amount, day = ("2.156,88 €", "22. Dez. 2026") if language == "de" else ("€2,156.88", "22 Dec 2026")
    assert "BER-2026-00017" in composed.subject
    for body in (composed.text, composed.html):
        for part in (amount, day, "DE89 3704 0044 0532 0130 00", "RF18 BER2 0260 0017", "Katharina Weiß"):
            assert part in plain(body)
        assert "https://billing.example/i/abc" in body


@pytest.mark.parametrize("event", STAFF_EVENTS)
def test_staff_are_told_who_why_and_until_when(event: str) -> None:
    """Each mail to our people names client, amount, reason, findings, deadline in their zone, inbox."""
    composed = compose(event, "en", context())
    for body in (composed.text, composed.html.replace("&amp;", "&")):
        for part in ("Müller & Söhne GmbH", "€2,156.88", "above 10,000", "contract 9,200.00 EUR"):
            assert part in plain(body)
        assert "Wednesday, 25 Nov 2026, 17:00 (Europe/Berlin)" in plain(body)
        assert "http://localhost/inbox" in body


@pytest.mark.parametrize("event", ANSWERS)
def test_answers_ask_for_no_payment(event: str) -> None:
    """A credit note, a receipt and an answer to a dispute name the invoice and its amount, and no bank account."""
    composed = compose(event, "en", context())
    for body in (composed.text, composed.html):
        assert "BER-2026-00017" in body and "€2,156.88" in plain(body) and "Katharina Weiß" in body
        assert "IBAN" not in body and "transfer" not in body


@pytest.mark.parametrize(
    ("paid", "says"), [("2156.88", "paid in full"), ("100.00", "Of this invoice €2,056.88 is still open.")]
)
def test_receipts(paid: str, says: str) -> None:
    """A receipt says what came when, and what is left of the invoice, if anything is."""
    left = Money.of("2156.88", "EUR") - Money.of(paid, "EUR")
    composed = compose("receipt", "en", context(received=Money.of(paid, "EUR"), open_amount=left))
    for body in (composed.text, composed.html):
        assert says in plain(body)
    assert "reached us on 22 Dec 2026" in plain(composed.text)


def test_before_there_is_a_number() -> None:
    """An approval or exception can be written about before number, dates and even the amount exist."""
    bare = context(number="", issue_date=None, due_date=None, amount_due=None, open_amount=None, findings=[])
    text = compose("exception", "en", bare).text
    assert not any(word in text for word in ("None", "Invoice:", "Due date", "What was found"))


def test_reminders_rise() -> None:
    """Each level reads differently; levels beyond the last say what the last says, with their own number."""
    texts = [compose(f"reminder-{level}", "de", context(level=level)) for level in (1, 2, 3, 4)]
    assert len({each.text for each in texts[:3]}) == 3
    assert texts[3].subject.startswith("4. Mahnung")
    assert texts[3].text == texts[2].text


@pytest.mark.parametrize(
    ("days", "german", "english"),
    [
        (0, "seit heute", "since today"),
        (1, "seit einem Tag", "for one day"),
        (12, "seit 12 Tagen", "for 12 days"),
    ],
)
def test_plurals(days: int, german: str, english: str) -> None:
    """Days late are counted as people speak."""
    assert german in compose("reminder-2", "de", context(days_late=days)).subject
    assert english in compose("reminder-3", "en", context(days_late=days)).text


def test_partly_paid() -> None:
    """What is still open is named beside the amount once something was paid, and only then."""
    partly = compose("reminder-1", "en", context(open_amount=Money.of(100, "EUR")))
    assert "Still open:          €100.00" in partly.text
    assert "Still open" not in compose("reminder-1", "en", context()).text


def test_no_portal() -> None:
    """Without a page to show there is no empty link."""
    composed = compose("invoice", "en", context(invoice_url=""))
    assert "View the invoice" not in composed.text + composed.html


def test_country_decides_the_figures() -> None:
    """A reader in Vienna gets amounts as Austrians write them."""
    assert "€ 2.156,88" in plain(compose("invoice", "de", context(), territory="AT").text)


def test_names_are_only_names() -> None:
    """HTML in a name is shown, line breaks in it neither add a header nor a paragraph."""
    evil = "<script>alert(1)</script>\r\nBcc: all@example.com\u2028\x85x"
    composed = compose("invoice", "en", context(title=evil, contact_name=evil))
    assert "\n" not in composed.subject
    assert "<script>" not in composed.html
    assert "&lt;script&gt;" in composed.html
    assert not any(line.startswith("Bcc") for line in composed.text.splitlines())


def test_missing_field() -> None:
    """A field the template needs and does not get stops the mail, naming the template and the field."""
    values = context()
    del values["due_date"]
    with pytest.raises(MailTemplateFaulty, match=r"invoice.j2 needs a field.*due_date"):
        compose("invoice", "en", values)


@pytest.mark.parametrize("event", ["reminder-0", "thanks", "../invoice", ""])
def test_unknown_event(event: str) -> None:
    """An event without a template is refused with a list of those there are."""
    with pytest.raises(MailTemplateFaulty, match="approval-request"):
        compose(event, "en", context())


def message(**changes: Any) -> EmailMessage:
    arguments: dict[str, Any] = {
        "message_id": "invoice.1@billing.example",
        "sender": SENDER,
        "to": TO,
        "cc": [
            "copy@mueller.example",
            "COPY2@mueller.example",
            "copy@mueller.example",
            "weiss@mueller.example",
        ],
        "reply_to": "anna@nordlicht.example",
        "composed": Composed("Rechnung für Müller 🙂", "Guten Tag\n", "<p>Guten Tag</p>\n"),
        "attachments": [Attachment("Rechnung für Müller.pdf", "application/pdf", b"%PDF")],
        "date": datetime(2026, 11, 22, 9, 30, tzinfo=UTC),
    }
    return build(**(arguments | changes))


def test_message_is_as_the_standards_ask() -> None:
    """Headers read the same after the wire: names, subject, file name, date; nobody is addressed twice."""
    read = message_from_bytes(message().as_bytes(), policy=default)
    attachment = next(read.iter_attachments())
    assert read["Message-ID"] == "<invoice.1@billing.example>"
    assert read["Date"] == "Sun, 22 Nov 2026 09:30:00 +0000"
    assert read["To"].addresses[0].display_name == TO.name
    assert [each.addr_spec for each in read["Cc"].addresses] == [
        "copy@mueller.example",
        "COPY2@mueller.example",
    ]
    assert read["Reply-To"] == "anna@nordlicht.example"
    assert read["Subject"] == "Rechnung für Müller 🙂"
    assert read["Auto-Submitted"] == "auto-generated"
    assert attachment.get_filename() == "Rechnung für Müller.pdf"
    assert attachment.get_content_type() == "application/pdf"


LONG = "Still unpaid after all reminders: BER-2026-00017, Quickstep Delivery and Sons GmbH"


@pytest.mark.parametrize("policy", [SMTP, SMTPUTF8])
@pytest.mark.parametrize(
    "subject",
    [
        "Invoice",
        LONG,
        f"{LONG}, €571.20",
        f"{LONG}, 571,20\N{NO-BREAK SPACE}€ offen",
        "€" * 300,
        "word " * 250 + "end",
        f"{LONG} =?utf-8?q?x?= €",
        "x" * 1200,
    ],
)
def test_subject_begins_on_its_line(subject: str, policy: Any) -> None:
    """However long it is, a subject has text on its first line, is read as written, and breaks no standard."""
    data = message(composed=Composed(subject, "text", "<p>html</p>")).as_bytes(policy=policy)
    head = data.partition(b"\r\n\r\n")[0].split(b"\r\n")
    first = next(line for line in head if line.startswith(b"Subject:"))
    assert len(first) > len("Subject: ") + 4
    assert max(map(len, head)) <= 998
    assert all(len(line) <= 76 for line in head if b"=?" in line)
    if subject.isascii() and len(subject) < 900:
        assert first == f"Subject: {subject}".encode() or "=?" in subject
    if "=?" not in subject:
        assert message_from_bytes(data, policy=default)["Subject"] == " ".join(subject.split())


def test_encoded_words_cannot_add_a_header() -> None:
    """A line break hidden in an encoded word of a subject adds no header either."""
    hidden = Composed("x =?utf-8?q?y=0D=0ABcc:_all=40example.com?=", "text", "<p>html</p>")
    for policy in (SMTP, SMTPUTF8):
        read = message_from_bytes(message(composed=hidden).as_bytes(policy=policy), policy=default)
        assert read["Bcc"] is None
        assert "Bcc: all@example.com" in read["Subject"]


def test_same_message_same_bytes() -> None:
    """A repetition is the same message byte for byte; another Message-ID has other boundaries."""
    assert message().as_bytes() == message().as_bytes()
    boundaries = {message(message_id=each).get_boundary() for each in ("a@x.example", "b@x.example")}
    assert len(boundaries) == 2


@pytest.mark.parametrize("field", ["sender", "to", "composed", "message_id"])
def test_no_header_can_be_added(field: str) -> None:
    """Line breaks in names, subject or Message-ID add no header."""
    evil = "x\r\nBcc: all@example.com"
    values: dict[str, Any] = {
        "sender": Contact(name=evil, email="a@example.com"),
        "to": Contact(name=evil, email="a@example.com"),
        "composed": Composed(evil, "text", "<p>html</p>"),
        "message_id": evil,
    }
    read = message_from_bytes(message(**{field: values[field]}).as_bytes(policy=SMTP), policy=default)
    assert read["Bcc"] is None
