"""Handing over to a real mail server."""

import shutil
import socket
import ssl
import subprocess
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import pytest
from aiosmtpd.smtp import AuthResult, LoginPassword

from activities.delivery.mail import Attachment, Composed, build
from activities.delivery.smtp import MailDeferred, MailRefused, SmtpTransport
from billing.parties import Contact
from tests.activities.delivery.conftest import PostOffice, free_port, running

TO = Contact(name="Katharina Weiß", email="weiss@mueller.example")
COPY = "copy@mueller.example"


def mail(*cc: str, to: Contact = TO, reply_to: str | None = None) -> EmailMessage:
    return build(
        "<invoice.1@billing.example>",
        Contact(name="Nordlicht Systems GmbH", email="billing@nordlicht.example"),
        to,
        cc,
        reply_to,
        Composed("Rechnung für Müller", "Guten Tag,\n.\n..zwei Punkte\n", "<p>Guten Tag</p>"),
        [Attachment("Rechnung.pdf", "application/pdf", b"%PDF-1.7\r\n.\r\n\x00\xff")],
        date=datetime(2026, 11, 22, 9, 30, tzinfo=UTC),
    )


def test_arrives_whole(post_office: PostOffice) -> None:
    """A mail arrives at To and Cc with headers, texts and attachment byte for byte, and counts as taken."""
    handover = post_office.transport.send(mail(COPY))
    (message,) = post_office.taken
    attachment = next(message.iter_attachments())
    body = message.get_body(("plain",))
    assert handover.reply == "250 OK queued as 42"
    assert handover.refused == ()
    assert post_office.recipients == [[TO.email, COPY]]
    assert message["Message-ID"] == "<invoice.1@billing.example>"
    assert message["Subject"] == "Rechnung für Müller"
    assert isinstance(attachment, EmailMessage)
    assert attachment.get_content() == b"%PDF-1.7\r\n.\r\n\x00\xff"
    assert body is not None
    assert body.get_content().splitlines() == ["Guten Tag,", ".", "..zwei Punkte"]


@pytest.mark.parametrize("reply", ["550 5.1.1 no such user", "553 bad name"])
def test_recipient_refused(post_office: PostOffice, reply: str) -> None:
    """A recipient refused for good is `MailRefused` with code, address and reply; nothing is sent."""
    post_office.to_recipient = {TO.email: reply}
    with pytest.raises(MailRefused, match="correct it at its source") as refusal:
        post_office.transport.send(mail(COPY))
    assert (refusal.value.code, refusal.value.recipient) == (int(reply[:3]), TO.email)
    assert refusal.value.text == reply[4:]
    assert post_office.contents == []


@pytest.mark.parametrize("reply", ["450 4.2.0 greylisted", "421 closing", "452 mailbox full"])
def test_recipient_deferred(post_office: PostOffice, reply: str) -> None:
    """A recipient refused for now is `MailDeferred` and names the server; nothing is sent."""
    post_office.to_recipient = {TO.email: reply}
    with pytest.raises(MailDeferred, match=f"127.0.0.1:{post_office.port} answers {reply}"):
        post_office.transport.send(mail(COPY))
    assert post_office.contents == []


@pytest.mark.parametrize("reply", ["550 no such user", "450 greylisted"])
def test_copy_refused(post_office: PostOffice, reply: str) -> None:
    """A refused copy is reported and keeps the message from nobody else."""
    post_office.to_recipient = {COPY: reply}
    handover = post_office.transport.send(mail(COPY, "other@mueller.example"))
    assert [(each.address, each.code) for each in handover.refused] == [(COPY, int(reply[:3]))]
    assert post_office.recipients == [[TO.email, "other@mueller.example"]]


def test_content_refused(post_office: PostOffice) -> None:
    """A message refused for good after its content is `MailRefused`, of no particular recipient."""
    post_office.to_content = "554 5.7.1 looks like spam"
    with pytest.raises(MailRefused, match=r"refuses the message: 554 5\.7\.1 looks like spam") as refusal:
        post_office.transport.send(mail())
    assert refusal.value.recipient == ""


def test_content_deferred(post_office: PostOffice) -> None:
    """A message refused for now after its content is `MailDeferred`."""
    post_office.to_content = "451 try again later"
    with pytest.raises(MailDeferred, match="451 try again later"):
        post_office.transport.send(mail())


def test_looks_again_before_sending(post_office: PostOffice) -> None:
    """The caller is asked after the recipients are accepted and before anything is sent."""
    seen: list[int] = []
    post_office.transport.send(mail(), before_data=lambda: seen.append(len(post_office.contents)))
    assert seen == [0]
    assert len(post_office.contents) == 1


@pytest.mark.parametrize("error", [RuntimeError("paid meanwhile"), OSError("database gone")])
def test_caller_changes_its_mind(post_office: PostOffice, error: Exception) -> None:
    """If the caller raises, its own exception comes back and nothing is sent; the next mail goes through."""

    def paid_meanwhile() -> None:
        raise error

    with pytest.raises(type(error)) as raised:
        post_office.transport.send(mail(), before_data=paid_meanwhile)
    assert raised.value is error
    assert post_office.contents == []
    post_office.transport.send(mail())
    assert len(post_office.contents) == 1


def test_not_asked_when_refused(post_office: PostOffice) -> None:
    """The caller is not asked for a message the server refuses anyway."""
    post_office.to_recipient = {TO.email: "550 no"}
    asked: list[str] = []
    with pytest.raises(MailRefused):
        post_office.transport.send(mail(), before_data=lambda: asked.append("asked"))
    assert asked == []


def test_server_down() -> None:
    """Without a server the error names host and port and says what to do."""
    port = free_port()
    with pytest.raises(MailDeferred, match=f"127.0.0.1:{port} takes no connections; start it"):
        SmtpTransport("127.0.0.1", port).send(mail())


def test_unknown_host() -> None:
    """A host name that does not exist is `MailDeferred` that says to check DNS."""
    with pytest.raises(MailDeferred, match=r"nowhere\.invalid:25 is not known"):
        SmtpTransport("nowhere.invalid", 25).send(mail())


def test_slow_server(post_office: PostOffice) -> None:
    """A server that takes too long is `MailDeferred` after the time-out."""
    post_office.hesitates = 1.0
    with pytest.raises(MailDeferred, match=r"did not answer within 0\.2 s"):
        SmtpTransport("127.0.0.1", post_office.port, timeout=0.2).send(mail())


def test_silent_server() -> None:
    """A port that takes connections and says nothing is `MailDeferred` after the time-out."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        transport = SmtpTransport("127.0.0.1", listener.getsockname()[1], timeout=0.2)
        with pytest.raises(MailDeferred, match=r"did not answer within 0\.2 s"):
            transport.send(mail())


def test_no_starttls(post_office: PostOffice) -> None:
    """Where STARTTLS is asked for and not offered, nothing is sent in the clear."""
    with pytest.raises(MailDeferred, match="check the port and STARTTLS"):
        SmtpTransport("127.0.0.1", post_office.port, starttls=True, timeout=5).send(mail())
    assert post_office.contents == []


@pytest.mark.filterwarnings("ignore:Requiring AUTH")
@pytest.mark.parametrize("password", ["right", "wrong"])
def test_login(password: str) -> None:
    """A login is used where given; a wrong one is `MailDeferred`; the password stays secret."""
    office = PostOffice(free_port())

    def check(server: object, session: object, envelope: object, mechanism: str, data: object) -> AuthResult:
        return AuthResult(
            success=isinstance(data, LoginPassword) and data.password == b"right", handled=False
        )

    transport = SmtpTransport("127.0.0.1", office.port, username="billow", password=password, timeout=5)
    assert password not in repr(transport)
    with running(office, authenticator=check, auth_required=True, auth_require_tls=False):
        if password == "right":
            transport.send(mail())
        else:
            with pytest.raises(MailDeferred, match="check user name and password"):
                transport.send(mail())
    assert len(office.contents) == (password == "right")


def test_international_address(post_office: PostOffice) -> None:
    """A domain with umlauts is sent in ASCII, a mailbox name with umlauts as it is."""
    post_office.transport.send(mail(to=Contact(name="Jörg", email="joerg@bücher.example")))
    post_office.transport.send(mail(to=Contact(name="Jörg", email="jörg@bücher.example")))
    assert post_office.recipients == [["joerg@xn--bcher-kva.example"], ["jörg@xn--bcher-kva.example"]]
    assert "jörg@xn--bcher-kva.example".encode() in post_office.contents[1]


def test_international_address_and_an_old_server() -> None:
    """A server without SMTPUTF8 cannot be given a mailbox name with umlauts: `MailRefused` names it."""
    office = PostOffice(free_port())
    with running(office, enable_SMTPUTF8=False), pytest.raises(MailRefused, match="SMTPUTF8") as refusal:
        office.transport.send(mail(to=Contact(name="Jörg", email="jörg@bücher.example")))
    assert refusal.value.recipient == "jörg@xn--bcher-kva.example"


@pytest.mark.skipif(not shutil.which("openssl"), reason="makes its certificate with openssl")
@pytest.mark.parametrize("trusted", [True, False])
def test_starttls(trusted: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With STARTTLS a mail goes encrypted to a server whose certificate is trusted, and to no other."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-keyout", key, "-out", certificate, "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost"],
        check=True, capture_output=True,
    )  # fmt: skip
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate, key)
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    office = PostOffice(free_port())
    transport = SmtpTransport("localhost", office.port, starttls=True, timeout=5)
    with running(office, tls_context=tls, require_starttls=True):
        if trusted:
            transport.send(mail())
        else:
            with pytest.raises(MailDeferred, match="check its certificate and host name"):
                transport.send(mail())
    assert len(office.contents) == trusted


def test_plain_message_on_the_wire() -> None:
    """What is sent is seven-bit ASCII in lines of a length every server takes."""
    wire = mail().as_bytes(policy=SMTP)
    assert wire.isascii()
    assert max(len(line) for line in wire.split(b"\r\n")) <= 998
