"""Handing a mail over to a mail server, and telling apart what waiting mends and what it does not."""

from __future__ import annotations

import smtplib
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8

from activities.delivery.return_path import ReturnPath
from billing.errors import BillowError

_GOODBYE_SECONDS = 2


class MailRefused(BillowError):
    """The server will never take this message (5xx): a person must correct the address or the message.

    `code` and `text` are the server's reply; `recipient` is the address refused, empty for the message.
    """

    def __init__(self, code: int, text: str, recipient: str = "") -> None:
        self.code, self.text, self.recipient = code, text, recipient
        what = f"mail to {recipient}" if recipient else "the message"
        super().__init__(
            f"the mail server refuses {what}: {code} {text}; correct it at its source, then send again"
        )


class MailDeferred(BillowError):
    """The server cannot take the message now (4xx, no connection, time-out). Retryable, same Message-ID."""


@dataclass(frozen=True)
class RefusedCopy:
    """A recipient of a copy whom the server refused, with its reply."""

    address: str
    code: int
    text: str


@dataclass(frozen=True)
class Handover:
    """The server took the message: its reply, and the copies it would not take."""

    reply: str
    refused: tuple[RefusedCopy, ...] = ()


@dataclass(frozen=True)
class SmtpTransport:
    """A mail server that takes our mail: a smart host or submission server. Each `send` opens a connection.

    `timeout` is in seconds and counts for every answer of the server.
    """

    host: str
    port: int
    username: str = ""
    password: str = field(default="", repr=False)
    starttls: bool = False
    timeout: float = 20.0

    def send(
        self,
        message: EmailMessage,
        before_data: Callable[[], EmailMessage | None] | None = None,
        returns: ReturnPath | None = None,
    ) -> Handover:
        """Hands the message to the server for the addresses of its To and Cc headers.

        `before_data` is called once the server has accepted them and before anything is sent: if it raises,
        nothing will be, and its exception comes through; what it returns is sent instead, to the same
        addresses. A refused copy keeps the message from nobody else. With `returns`, that is the envelope sender, and
        reports are asked for where the server can pass that on (DSN, RFC 3461).
        `MailRefused` or `MailDeferred` if the server did not take the message; a `MailDeferred` after the
        content was sent leaves open whether it did, so a repetition must keep the Message-ID.
        """
        with self._errors_told_apart():
            server = smtplib.SMTP(self.host, self.port, local_hostname=_own_name(), timeout=self.timeout)
        try:
            with self._errors_told_apart():
                refused = self._announce(server, message, returns)
            newest = before_data() if before_data else None
            if newest is not None and _envelope(newest) != _envelope(message):
                raise self._deferred("was told other addresses", "the message has others by now")
            message = newest or message
            with self._errors_told_apart():
                code, reply = server.data(_content(message))
                self._check(code, reply)
        finally:
            _leave(server)
        return Handover(reply=f"{code} {_text(reply)}", refused=refused)

    def greet(self) -> str:
        """What the server says once it has let us in; nothing is sent. `MailRefused` or `MailDeferred` if it does
        not."""
        with self._errors_told_apart():
            server = smtplib.SMTP(self.host, self.port, local_hostname=_own_name(), timeout=self.timeout)
        try:
            with self._errors_told_apart():
                self._enter(server)
                code, reply = server.noop()
                self._check(code, reply)
        finally:
            _leave(server)
        return f"{code} {_text(reply)}"

    def _enter(self, server: smtplib.SMTP) -> None:
        server.ehlo_or_helo_if_needed()
        if self.starttls:
            server.starttls(context=ssl.create_default_context())
            server.ehlo()
        if self.username:
            server.login(self.username, self.password)

    def _announce(
        self, server: smtplib.SMTP, message: EmailMessage, returns: ReturnPath | None
    ) -> tuple[RefusedCopy, ...]:
        sender, to, copies = _envelope(message)
        if returns is not None:
            sender = returns.address
        self._enter(server)
        reports = returns is not None and server.has_extn("dsn")
        options = self._options(server, message)
        if returns is not None and reports:
            options += ["RET=HDRS", f"ENVID={returns.envelope_id}"]
        self._check(*server.mail(sender, options), recipient=sender)
        for address in to:
            self._check(*server.rcpt(address, _wants(address) if reports else ()), recipient=address)
        refused = []
        for address in copies:
            code, reply = server.rcpt(address, _wants(address) if reports else ())
            if code == 421:
                self._check(code, reply)
            if code not in (250, 251):
                refused.append(RefusedCopy(address, code, _text(reply)))
        return tuple(refused)

    def _options(self, server: smtplib.SMTP, message: EmailMessage) -> list[str]:
        if not (international := _international(message)):
            return []
        if not server.has_extn("smtputf8"):
            raise MailRefused(
                553, "the server takes no addresses with such letters (SMTPUTF8)", international[0]
            )
        return ["SMTPUTF8", "BODY=8BITMIME"]

    def _check(self, code: int, reply: bytes, recipient: str = "") -> None:
        if not 200 <= code < 300:
            raise self._from_reply(code, reply, recipient)

    def _deferred(self, what: str, check: str) -> MailDeferred:
        return MailDeferred(f"mail server {self.host}:{self.port} {what}; {check}")

    @contextmanager
    def _errors_told_apart(self) -> Iterator[None]:
        try:
            yield
        except smtplib.SMTPException as error:
            raise self._from_protocol(error) from error
        except OSError as error:
            raise self._from_network(error) from error

    def _from_protocol(self, error: smtplib.SMTPException) -> BillowError:
        if isinstance(error, smtplib.SMTPAuthenticationError):
            what = f"rejects the login: {error.smtp_code} {_text(error.smtp_error)}"
            return self._deferred(what, "check user name and password")
        if isinstance(error, smtplib.SMTPResponseException):
            return self._from_reply(error.smtp_code, error.smtp_error)
        if isinstance(error, smtplib.SMTPNotSupportedError):
            return self._deferred(f"does not offer what is needed ({error})", "check the port and STARTTLS")
        if isinstance(error.__context__, TimeoutError):
            return self._from_network(error.__context__)
        return self._deferred(f"ended the session ({error})", "check its log, and the port")

    def _from_network(self, error: OSError) -> MailDeferred:
        if isinstance(error, TimeoutError):
            what = f"did not answer within {self.timeout:g} s"
            return self._deferred(what, "check the address, the firewall and the server's load")
        if isinstance(error, ConnectionRefusedError):
            return self._deferred("takes no connections", "start it, or correct host and port")
        if isinstance(error, socket.gaierror):
            return self._deferred(f"is not known ({error.strerror})", "check the host name and DNS")
        if isinstance(error, ssl.SSLError):
            return self._deferred(f"has no valid TLS ({error})", "check its certificate and host name")
        return self._deferred(f"cannot be reached ({error})", "check the network")

    def _from_reply(self, code: int, reply: bytes | str, recipient: str = "") -> BillowError:
        if code >= 500:
            return MailRefused(code, _text(reply), recipient)
        return self._deferred(f"answers {code} {_text(reply)}", "it may take the message later")


def _envelope(message: EmailMessage) -> tuple[str, list[str], list[str]]:
    """The addresses of From, To and Cc; nobody twice."""
    (sender,) = _addresses(message, "From")
    to = _addresses(message, "To")
    return sender, to, [address for address in _addresses(message, "Cc") if address not in to]


def _wants(address: str) -> list[str]:
    """Which reports are asked for; the address comes back as we wrote it, in xtext (RFC 3461, section 4)."""
    if not address.isascii():
        return ["NOTIFY=SUCCESS,FAILURE,DELAY"]
    written = "".join(c if "!" <= c <= "~" and c not in "+=" else f"+{ord(c):02X}" for c in address)
    return ["NOTIFY=SUCCESS,FAILURE,DELAY", f"ORCPT=rfc822;{written}"]


def _addresses(message: EmailMessage, header: str) -> list[str]:
    return list(
        dict.fromkeys(each.addr_spec for value in message.get_all(header, []) for each in value.addresses)
    )


def _international(message: EmailMessage) -> list[str]:
    """The addresses in the message that are not ASCII and need a server with SMTPUTF8 (RFC 6531)."""
    headers = ("From", "To", "Cc", "Reply-To")
    return [address for header in headers for address in _addresses(message, header) if not address.isascii()]


def _content(message: EmailMessage) -> bytes:
    return message.as_bytes(policy=SMTPUTF8 if _international(message) else SMTP)


def _own_name() -> str:
    """The name this host greets with; never asks DNS, which may take long to fail."""
    name = socket.gethostname()
    return name if "." in name else "[127.0.0.1]"


def _leave(server: smtplib.SMTP) -> None:
    """Ends the session politely but soon; an unfinished message is forgotten by the server."""
    with suppress(OSError):
        if server.sock:
            server.sock.settimeout(_GOODBYE_SECONDS)
            server.quit()
    server.close()


def _text(reply: bytes | str) -> str:
    text = reply if isinstance(reply, str) else reply.decode("utf-8", "replace")
    return " ".join(text.split())
