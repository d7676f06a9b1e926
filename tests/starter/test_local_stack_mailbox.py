"""The development mailbox takes what a mail server must take, keeps it whole, and fails when told to."""

import smtplib
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest

from starter.local_stack import mailbox, ports
from tests.mail_server import MailServer


def letter(
    to: str = "ap@client.test", subject: str = "Invoice 2026-0001", attachment: bytes = b""
) -> EmailMessage:
    message = EmailMessage()
    message["From"] = "Nordlicht IT <billing@nordlicht.test>"
    message["To"] = to
    message["Subject"] = subject
    message["Message-ID"] = "<invoice-1@billow.test>"
    message.set_content("Please find the invoice attached.\n")
    message.add_alternative("<p>Please find the invoice attached.</p>", subtype="html")
    if attachment:
        message.add_attachment(attachment, maintype="application", subtype="pdf", filename="Rechnung №1.pdf")
    return message


def send(server: MailServer, message: EmailMessage) -> None:
    with smtplib.SMTP(server.host, server.port, timeout=30) as client:
        client.send_message(message)


def test_message_reads_back(smtp: MailServer) -> None:
    """A message is read back with its texts, its attachment byte for byte, and the time it came."""
    pdf = bytes(range(256)) * 40
    message = letter(to="Zoë Müller <ap@client.test>, 张伟 <zhang@client.test>", attachment=pdf)
    message["Cc"] = "owner@nordlicht.test"
    send(smtp, message)

    (kept,) = smtp.messages()
    assert kept.sender == "Nordlicht IT <billing@nordlicht.test>"
    assert kept.to == ["Zoë Müller <ap@client.test>", "张伟 <zhang@client.test>"]
    assert kept.cc == ["owner@nordlicht.test"]
    assert kept.recipients == ["ap@client.test", "zhang@client.test", "owner@nordlicht.test"]
    assert kept.subject == "Invoice 2026-0001"
    assert kept.message_id == "<invoice-1@billow.test>"
    assert kept.text == "Please find the invoice attached.\n"
    assert kept.html.strip() == "<p>Please find the invoice attached.</p>"
    (attached,) = kept.attachments
    assert (attached.name, attached.media_type, attached.read()) == (
        "Rechnung №1.pdf",
        "application/pdf",
        pdf,
    )
    assert abs(datetime.now(UTC) - kept.received_at) < timedelta(minutes=1)


def test_arrival_order(smtp: MailServer) -> None:
    """Messages are listed in the order they came, and each is found by its id."""
    for number in range(5):
        send(smtp, letter(subject=f"{number}"))
    assert [kept.subject for kept in smtp.messages()] == ["0", "1", "2", "3", "4"]
    last = smtp.messages()[-1]
    found = mailbox.message(smtp.folder, last.id)
    assert found is not None
    assert found.subject == "4"


def test_utf8_addresses_and_raw_utf8_headers(smtp: MailServer) -> None:
    """Addresses and headers in UTF-8, as SMTPUTF8 allows, are taken and read as they were written."""
    raw = "From: büro@näh.test\r\nTo: josé@client.test\r\nSubject: Größe ☃\r\n\r\nÄrger\r\n".encode()
    with smtplib.SMTP(smtp.host, smtp.port, timeout=30) as client:
        client.ehlo()
        client.sendmail(
            "büro@näh.test", ["josé@client.test"], raw, mail_options=["SMTPUTF8", "BODY=8BITMIME"]
        )
    (kept,) = smtp.messages()
    assert (kept.subject, kept.recipients, kept.sender) == ("Größe ☃", ["josé@client.test"], "büro@näh.test")


def test_bounce_and_greylist(smtp: MailServer) -> None:
    """Recipients at bounce.test are refused for good, at greylist.test once."""
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        send(smtp, letter(to="nobody@bounce.test"))
    assert refused.value.recipients["nobody@bounce.test"][0] == 550
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        send(smtp, letter(to="slow@greylist.test"))
    assert refused.value.recipients["slow@greylist.test"][0] == 451
    send(smtp, letter(to="slow@greylist.test"))
    assert [kept.recipients for kept in smtp.messages()] == [["slow@greylist.test"]]


def test_size_limit(smtp: MailServer) -> None:
    """A message over 30 MB is refused with 552, one of 8 MB is taken."""
    send(smtp, letter(attachment=b"x" * 6_000_000))
    with pytest.raises(smtplib.SMTPSenderRefused) as refused:
        send(smtp, letter(attachment=b"x" * 24_000_000))
    assert refused.value.smtp_code == 552
    assert len(smtp.messages()) == 1


def test_broken_files_do_not_hide_others(smtp: MailServer) -> None:
    """Half-written, empty, binary and foreign files spoil neither the list nor the other messages."""
    send(smtp, letter())
    (smtp.folder / ".00000000000000000001-aaaaaaaa.part").write_bytes(b"From: ")
    (smtp.folder / "notes.txt").write_text("not a message")
    (smtp.folder / "strange.eml").write_text("Subject: not ours")
    (smtp.folder / "00000000000000000001-aaaaaaaa.eml").write_bytes(b"")
    (smtp.folder / "00000000000000000002-aaaaaaaa.eml").write_bytes(bytes(range(256)))
    (smtp.folder / "00000000000000000003-aaaaaaaa.eml").write_bytes(
        b"To: <<broken,, \r\nContent-Type: multipart/mixed; boundary=\r\nSubject: =?x?q?=ff?=\r\n\r\n--\r\n"
    )
    (smtp.folder / "00000000000000000004-aaaaaaaa.eml").write_bytes(
        b"Content-Type: text/plain; charset=nonsense\r\nContent-Transfer-Encoding: base64\r\n\r\n%%%\r\n"
    )
    kept = smtp.messages()
    assert len(kept) == 5
    for one in kept:
        assert isinstance(
            (one.sender, one.to, one.cc, one.subject, one.text, one.html, one.message_id), tuple
        )
        assert [attached.read() for attached in one.attachments] == []
    assert kept[-1].subject == "Invoice 2026-0001"


def test_no_folder_is_an_empty_mailbox(tmp_path: Path) -> None:
    """Before the first message the mailbox is empty, and an id that leads out of the folder finds nothing."""
    assert mailbox.messages(tmp_path / "none") == []
    (tmp_path / "secret.eml").write_text("Subject: secret\n\n")
    assert mailbox.message(tmp_path / "none", "../secret") is None


def test_told_to_fail(smtp: MailServer) -> None:
    """The tests' server answers as told, calls back before taking, and goes down and up on one port."""
    smtp.answer("451 4.3.0 later")
    with pytest.raises(smtplib.SMTPDataError):
        send(smtp, letter())
    seen: list[int] = []
    smtp.before_data(lambda _: seen.append(len(smtp.messages())))
    send(smtp, letter())
    assert seen == [0]
    port = smtp.port
    smtp.down()
    with pytest.raises(OSError, match="refused"):
        send(smtp, letter())
    smtp.up()
    assert smtp.port == port
    send(smtp, letter())
    assert len(smtp.messages()) == 2


def test_own_process(tmp_path: Path) -> None:
    """As a process of its own it takes messages, and SIGTERM ends it cleanly."""
    port = ports.choose(24000, None, "a port")
    command = [
        sys.executable,
        "-m",
        "starter.local_stack.mailbox",
        str(tmp_path / "box"),
        "127.0.0.1",
        str(port),
    ]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
        deadline = time.monotonic() + 60
        while not mailbox.greets("127.0.0.1", port):
            assert process.poll() is None
            assert time.monotonic() < deadline
        with smtplib.SMTP("127.0.0.1", port, timeout=30) as client:
            client.send_message(letter())
        process.terminate()
        assert process.wait(60) == 0
        assert process.stderr is not None
        assert process.stderr.read() == b""
    assert [kept.subject for kept in mailbox.messages(tmp_path / "box")] == ["Invoice 2026-0001"]
