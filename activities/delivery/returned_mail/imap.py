"""The mailbox to which mail comes back, read by IMAP (RFC 9051, 3501). Nothing in it is ever deleted or moved.

A mail that was understood is marked as read, one that a person should look at as important. Where reading goes on is
kept in the ledger (UIDVALIDITY and UID), not in the mailbox: whatever people do there, nothing is told twice.
"""

from __future__ import annotations

import imaplib
import re
import socket
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import Field

from activities.delivery.returned_mail.reports import LARGEST
from activities.providers.field_map import settings_of
from activities.providers.provider import FieldSample, Provider
from billing.connections import Connection, Port
from billing.errors import SourceFaulty, SourceUnavailable
from billing.parties import Strict

TITLE = "Mailbox of returned mail"
TIMEOUT = 20.0
"""Seconds for each answer of the server."""

_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class Security(StrEnum):
    """How the connection is encrypted; `none` only on this machine."""

    TLS = "tls"
    STARTTLS = "starttls"
    NONE = "none"


class Settings(Strict):
    """The server and the folder; STARTTLS is usually at port 143."""

    host: str = Field(min_length=1)
    port: int = Field(default=993, ge=1, le=65535)
    folder: str = Field(
        default="INBOX", pattern=r"^[ -~]{1,200}$", description="as the server lists it (RFC 3501, 5.1.3)"
    )
    security: Security = Security.TLS


@dataclass(frozen=True)
class Mail:
    """A mail of the mailbox: its UID and its beginning, `LARGEST` bytes at most."""

    uid: int
    content: bytes


@dataclass(frozen=True)
class Batch:
    """The mails behind a cursor, oldest first; `cursor` stands behind the last of them."""

    mails: tuple[Mail, ...]
    cursor: str
    more: bool


class Folder:
    """The open folder."""

    def __init__(self, server: imaplib.IMAP4, validity: str, count: int) -> None:
        self._server, self._validity, self.count = server, validity, count

    def after(self, cursor: str | None, most: int) -> Batch:
        """The next mails; from the beginning where the server has numbered its mails anew (RFC 9051, 2.3.1.1)."""
        validity, _, last = (cursor or "").partition(":")
        start = int(last) if validity == self._validity and last.isdigit() else 0
        answer = self._server.uid("SEARCH", f"UID {start + 1}:*")
        found = sorted(int(each) for each in b" ".join(filter(None, _ok(answer, "SEARCH"))).split())
        new = [each for each in found if each > start]  # "n:*" names the last mail even where n is behind it
        taken = new[:most]
        mails = tuple(mail for uid in taken if (mail := self._mail(uid)))
        return Batch(mails, f"{self._validity}:{taken[-1] if taken else start}", len(new) > most)

    def _mail(self, uid: int) -> Mail | None:
        """None if somebody has just deleted it."""
        answer = _ok(self._server.uid("FETCH", str(uid), f"(UID BODY.PEEK[]<0.{LARGEST}>)"), "FETCH")
        content = next((each[1] for each in answer if isinstance(each, tuple)), None)
        return Mail(uid, content[:LARGEST]) if isinstance(content, bytes) else None

    def flag(self, uids: Sequence[int], flag: str) -> None:
        r"""Sets a flag such as `\Seen`; a mailbox that may only be read stays as it is."""
        if uids:
            with suppress(imaplib.IMAP4.readonly):
                self._server.uid("STORE", ",".join(map(str, uids)), "+FLAGS.SILENT", f"({flag})")


class ImapMailbox:
    """The adapter. `SourceUnavailable` for a server that is away, `SourceFaulty` for what only a person can mend."""

    def __init__(self, connection: Connection, secrets: Mapping[str, str]) -> None:
        self._name = f"{TITLE} ({connection.id})"
        self._settings = settings_of(connection, Settings, TITLE)
        self._username, self._password = secrets["username"], secrets["password"]
        if self._settings.security is Security.NONE and self._settings.host not in _LOOPBACK:
            raise SourceFaulty(
                f"{self._name}: the password would go to {self._settings.host} for everybody to read; set "
                "security to tls or starttls in integrations.yaml"
            )

    @contextmanager
    def open(self) -> Iterator[Folder]:
        """The folder, until the end of the block; errors of the server in it are told apart here, too."""
        with self._errors_told_apart():
            server = self._connected()
            try:
                self._log_in(server)
                yield self._selected(server)
            finally:
                with suppress(imaplib.IMAP4.error, OSError):
                    server.logout()

    def samples(self) -> Sequence[FieldSample]:
        """Whether the folder can be opened, and how many mails are in it."""
        with self.open() as folder:
            return (FieldSample("returned mail", self._settings.folder, f"{folder.count} mails"),)

    def _connected(self) -> imaplib.IMAP4:
        at = self._settings
        if at.security is Security.TLS:
            return imaplib.IMAP4_SSL(
                at.host, at.port, ssl_context=ssl.create_default_context(), timeout=TIMEOUT
            )
        server = imaplib.IMAP4(at.host, at.port, timeout=TIMEOUT)
        if at.security is Security.STARTTLS:
            server.starttls(ssl.create_default_context())
        return server

    def _log_in(self, server: imaplib.IMAP4) -> None:
        try:
            server.login(self._username, self._password)
        except imaplib.IMAP4.abort:
            raise
        except imaplib.IMAP4.error as error:
            if "[UNAVAILABLE]" in str(error).upper():  # RFC 5530, section 3
                raise
            raise SourceFaulty(
                f"{self._name}: the server refuses the login; correct user name and password in the environment"
            ) from None  # some servers repeat what they were given

    def _selected(self, server: imaplib.IMAP4) -> Folder:
        name = self._settings.folder
        quoted = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
        try:
            server.select(quoted)
        except imaplib.IMAP4.readonly:
            server.select(quoted, readonly=True)
        if server.state != "SELECTED":
            raise SourceFaulty(
                f"{self._name}: there is no folder {name!r}; write its name as the server lists it in integrations.yaml"
            )
        _, validity = server.response("UIDVALIDITY")
        _, count = server.response("EXISTS")
        number = re.fullmatch(rb"\d+", (validity or [b""])[-1] or b"")
        if number is None:
            raise SourceFaulty(
                f"{self._name}: the server gives no UIDVALIDITY, so nothing can be read just once"
            )
        return Folder(server, number[0].decode(), int((count or [b"0"])[-1] or 0))

    @contextmanager
    def _errors_told_apart(self) -> Iterator[None]:
        try:
            yield
        except (imaplib.IMAP4.error, socket.gaierror, ssl.SSLError, OSError, EOFError) as error:
            raise SourceUnavailable(f"{self._name} cannot be read now: {self._said(error)}") from error

    def _said(self, error: Exception) -> str:
        at = f"{self._settings.host}:{self._settings.port}"
        if isinstance(error, TimeoutError):
            return f"{at} did not answer within {TIMEOUT:g} s"
        if isinstance(error, ssl.SSLError):
            return (
                f"{at} has no valid TLS ({error.reason}); check the certificate, or set security to starttls"
            )
        if isinstance(error, OSError):
            return (
                f"{at} takes no connections ({error.strerror or type(error).__name__}); check host and port"
            )
        return f"{at} ended the session ({str(error).replace(self._password, '…')[:200]})"


def _ok(answer: tuple[str, list[Any]], what: str) -> list[Any]:
    kind, content = answer
    if kind != "OK":
        raise imaplib.IMAP4.abort(f"{what} was answered with {kind}")
    return content


PROVIDER = Provider(
    name="imap",
    title=TITLE,
    ports=frozenset({Port.RETURNED_MAIL}),
    base_url="",
    settings=Settings,
    secrets=("username", "password"),
    fields=(),
    build=ImapMailbox,
)
