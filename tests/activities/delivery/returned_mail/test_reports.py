"""Mails that come back are told apart; strangers can write what they like into them."""

from __future__ import annotations

import base64
import random

import pytest

from activities.delivery.returned_mail import reports
from activities.delivery.returned_mail.reports import Kind, read
from tests.activities.delivery.returned_mail.bounces import (
    BIG_PROVIDER,
    EXCHANGE,
    EXIM,
    EXIM_DELAY,
    GERMAN,
    KIM,
    MESSAGE_ID,
    QMAIL,
    QUOTA,
    RETURNED,
    STILL_TRYING,
    TOKEN,
    VERP,
    of,
    plain,
    report,
)

ANSWER = "Kim Vogel <ap@client.example>"
REPORT, BOUNCE, AUTOMATIC, OTHER = Kind.REPORT, Kind.BOUNCE, Kind.AUTOMATIC, Kind.OTHER

ENCODED = base64.b64encode(
    f"Reporting-MTA: dns; mx\n\nFinal-Recipient: rfc822; {KIM}\nAction: failed\nStatus: 5.1.10\n".encode()
).decode()

SHAPES = {
    # the standard, as Postfix, Sendmail, Exchange, Exim and others write it
    "user unknown": (
        report(of("failed", "5.1.1", "550 5.1.1 user unknown")),
        REPORT,
        "failed",
        "5.1.1 550 5.1.1",
    ),
    "mailbox full": (
        report(of("failed", "5.2.2", "552 over quota")),
        REPORT,
        "failed",
        "5.2.2 552 over quota",
    ),
    "spam": (report(of("failed", "5.7.1", "554 5.7.1 blocked")), REPORT, "failed", "5.7.1"),
    "expired": (report(of("failed", "4.4.1", "connection timed out")), REPORT, "failed", "4.4.1 connection"),
    "no such domain": (report(of("failed", "5.1.2"), envid=None), REPORT, "failed", "5.1.2"),
    "delayed": (report(of("delayed", "4.4.1", "451 greylisted")), REPORT, "delayed", "4.4.1 451"),
    "delivered": (
        report(of("delivered", "2.0.0", "250 ok"), text="delivered"),
        REPORT,
        "delivered",
        "2.0.0 250 ok",
    ),
    "relayed": (report(of("relayed", "2.0.0")), REPORT, "relayed", "2.0.0"),
    "expanded": (report(of("expanded", "2.0.0")), REPORT, "expanded", "2.0.0"),
    "action with a comment": (report(of("failed (bad address)", "5.1.1")), REPORT, "failed", "5.1.1"),
    "in capitals": (report(of("FAILED", "5.1.1", to=KIM.upper())), REPORT, "failed", "5.1.1"),
    "headers only": (
        report(of("failed", "5.0.0"), returned="text/rfc822-headers"),
        REPORT,
        "failed",
        "5.0.0",
    ),
    "beyond ASCII": (
        report(
            of("failed", "5.1.1"), status="message/global-delivery-status", returned="message/global-headers"
        ),
        REPORT,
        "failed",
        "5.1.1",
    ),
    "original recipient in xtext": (
        report(
            of("failed", "5.1.1", to="alias@inside.example", Original_Recipient="rfc822;ap@client.example")
        ),
        REPORT,
        "failed",
        "5.1.1",
    ),
    "folded fields": (
        report(of("failed", "5.1.1", f"550 5.1.1 <{KIM}>:\n\trecipient address rejected")),
        REPORT,
        "failed",
        "5.1.1 550 5.1.1 <ap@client.example>: recipient address rejected",
    ),
    "fields in base64": (
        report(of("failed", "5.1.10")).replace(
            b"Content-Type: message/delivery-status\n\n",
            b"Content-Type: message/delivery-status\nContent-Transfer-Encoding: base64\n\n"
            + ENCODED.encode()
            + b"\n--=b\n\n",
        ),
        REPORT,
        "failed",
        "5.1.10",
    ),
    "delivered-to": (
        report(of("failed", "5.1.1"), to="undisclosed", envid=None, headers=f"Delivered-To: {VERP}\n"),
        REPORT,
        "failed",
        "5.1.1",
    ),
    # without a report
    "qmail": (
        plain(QMAIL, "failure notice"),
        BOUNCE,
        "failed",
        "Sorry, no mailbox here by that name. (#5.1.1)",
    ),
    "exim": (
        plain(
            EXIM, "Mail delivery failed: returning message to sender", headers=f"X-Failed-Recipients: {KIM}\n"
        ),
        BOUNCE,
        "failed",
        "550 5.1.1 no such user",
    ),
    "exim, delayed": (
        plain(EXIM_DELAY, "Warning: message 1abc delayed 24 hours"),
        BOUNCE,
        "delayed",
        "Delay reason",
    ),
    "exchange in HTML": (
        plain(EXCHANGE, "Undeliverable: Invoice", "postmaster@client.example", kind="text/html"),
        BOUNCE,
        "failed",
        "550 5.1.10 RESOLVER",
    ),
    "a big provider": (
        plain(
            BIG_PROVIDER,
            "Delivery Status Notification (Failure)",
            "Mail Delivery Subsystem <mailer-daemon@big.example>",
        ),
        BOUNCE,
        "failed",
        "550 5.1.1 The email account",
    ),
    "over quota": (plain(QUOTA, "Returned mail: see transcript"), BOUNCE, "failed", "552 5.2.2 mailbox full"),
    "in German": (
        plain(GERMAN, "Unzustellbar: Rechnung", "postmaster@kunde.example"),
        BOUNCE,
        "failed",
        "Grund: 550",
    ),
    "still trying": (
        plain(STILL_TRYING, "Delivery Status Notification (Delay)"),
        BOUNCE,
        "delayed",
        "Delivery to the",
    ),
    "beyond ASCII, without a report": (
        plain("User unknown: 550 5.1.1 gone \u00e4", "Error"),
        BOUNCE,
        "failed",
        "User unknown: 550 5.1.1 gone \u00e4",
    ),
    # what is no bounce
    "out of office": (plain("I am away until Monday.", "Out of office", ANSWER), AUTOMATIC, None, ""),
    "away by RFC 3834": (
        plain("Danke.", "Re: Rechnung", ANSWER, headers="Auto-Submitted: auto-replied (vacation)\n"),
        AUTOMATIC,
        None,
        "",
    ),
    "away, from 5.1.1 on": (
        plain("I do not exist; 550 5.1.1", "Automatic reply: Invoice", ANSWER, headers="X-Autoreply: yes\n"),
        AUTOMATIC,
        None,
        "",
    ),
    "away, from the postmaster": (
        plain("Closed.", "Abwesenheitsnotiz", "postmaster@client.example"),
        AUTOMATIC,
        None,
        "",
    ),
    "precedence": (
        plain("Got it.", "Re: Invoice", ANSWER, headers="Precedence: auto_reply\n"),
        AUTOMATIC,
        None,
        "",
    ),
    "a person": (
        plain("The invoice could not be delivered to Bob, 5.1.1", "Re: Invoice", ANSWER),
        OTHER,
        None,
        "",
    ),
    "a read receipt": (
        report(of("failed", "5.1.1"), status="message/disposition-notification"),
        OTHER,
        None,
        "",
    ),
    "a complaint": (report(of("failed", "5.1.1"), status="message/feedback-report"), OTHER, None, ""),
    "a daemon that says nothing": (plain("Hello.", "Information"), OTHER, None, ""),
    "an unknown action": (report(of("pondered", "5.1.1")), OTHER, None, ""),
    "no recipients": (report(), OTHER, None, ""),
    "a report in the body": (
        plain(report(of("failed", "5.1.1")).decode(), "Fwd: look at this", ANSWER),
        OTHER,
        None,
        "",
    ),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_shapes(shape: str) -> None:
    """Kind, outcome and reason of each shape; what it is about, and for whom, where it says."""
    content, kind, outcome, why = SHAPES[shape]
    found = read(content)
    assert found.kind is kind
    assert [each.outcome for each in found.fates] == ([outcome] if outcome else [])
    for fate in found.fates:
        assert why in fate.why and "\n" not in fate.why
        assert KIM in fate.addresses or (kind is BOUNCE and not fate.addresses)
        assert found.tokens == (TOKEN,)
    if kind is REPORT:
        assert found.message_ids == (MESSAGE_ID,)
    if kind is BOUNCE:
        assert KIM in found.text or "gone" in found.text


def test_of_several_recipients() -> None:
    """Each recipient has a fate of its own; one nobody can make sense of is left out."""
    mail = report(
        of("failed", "5.1.1"), of("delivered", "2.0.0", to="boss@client.example"), {"Action": "failed"}
    )
    assert [(each.outcome, each.addresses) for each in read(mail).fates] == [
        ("failed", (KIM,)),
        ("delivered", ("boss@client.example",)),
    ]


def test_the_same_mail_has_the_same_id() -> None:
    """An id follows from the content alone."""
    mail = report(of("failed", "5.1.1"))
    assert read(mail).id == read(mail).id != read(mail + b" ").id


HOSTILE = {
    "nothing": b"",
    "no headers": b"\r\n\r\n\r\n",
    "deep": b"".join(
        b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (n, n) for n in range(3000)
    ),
    "deep messages": b"Content-Type: message/rfc822\n\n" * 3000,
    "a report of reports": b"To: x\n" + b'Content-Type: multipart/report; boundary="b"\n\n--b\n' * 500,
    "unknown charset": plain("550 5.1.1 user unknown", "failure", kind="text/plain; charset=klingon"),
    "charset of bytes": plain("550 5.1.1 user unknown", "failure", kind="text/plain; charset=hex"),
    "broken words": plain("550 5.1.1", "=?utf-8?b?////?= =?x?q?=?="),
    "nul": plain("550 5.1.1\0\0 user unknown", "failure\0"),
    "raw bytes": bytes(range(256)) * 50,
    "bytes in headers": b"From: mailer-daemon\xff\xfe@x\nTo: \xe4+\xff\nSubject: \x80\n\nuser unknown",
    "many recipients": report(*(of("failed", "5.1.1", to=f"a{n}@x.example") for n in range(5000))),
    "many parts": b'Content-Type: multipart/mixed; boundary="b"\n\n' + b"--b\n\nx\n" * 20_000 + b"--b--",
    "huge": plain("<" * 3_000_000 + " 550 5.1.1", "failure", kind="text/html"),
    "long line": plain(
        "a@" * 400_000, "failure", headers="X-Failed-Recipients: " + "a@b.c, " * 50_000 + "\n"
    ),
    "id without end": report(of("failed", "5.1.1"), message_id="<" * 5000),
    "a status block of numbers": report({"Action": "failed", "Final-Recipient": ";;;;", "Status": "\t"}),
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.timeout(30)
def test_hostile(name: str) -> None:
    """Nothing raises, everything is bounded, and takes moments."""
    found = read(HOSTILE[name])
    assert len(found.fates) <= 100 and len(found.text) <= 20_000
    assert all(len(each.why) <= 300 for each in found.fates)


def test_damaged() -> None:
    """Reports with bytes changed, cut and doubled at random are read or not, but never raise."""
    chance = random.Random(5)
    whole = [content for content, *_ in SHAPES.values()]
    for _ in range(1500):
        mail = bytearray(chance.choice(whole))
        for _ in range(chance.randrange(1, 12)):
            at = chance.randrange(len(mail))
            match chance.randrange(3):
                case 0:
                    mail[at] = chance.randrange(256)
                case 1:
                    del mail[at : at + chance.randrange(200)]
                case _:
                    mail[at:at] = mail[at : at + chance.randrange(200)]
            mail = mail or bytearray(b"x")
        read(bytes(mail))


def test_only_the_beginning_is_read() -> None:
    """A report before a message of any size is read; the message is not."""
    mail = report(of("failed", "5.1.1")).replace(b"Dear Kim", b"x" * (reports.LARGEST * 3))
    found = read(mail)
    assert found.kind is REPORT and found.message_ids == (MESSAGE_ID,)


def test_tokens_of_the_returned_message_are_no_proof() -> None:
    """Only where a mail was sent to counts, and the envelope id a report gives: not what it quotes."""
    quoted = RETURNED + f"Return-Path: <{VERP}>\n"
    mail = report(of("failed", "5.1.1"), to="bounces@issuer.example", envid=None)
    assert read(mail.replace(RETURNED.encode(), quoted.encode())).tokens == ()
