"""A mail server for development: it takes every message and keeps it as a file, readable as text.

Each message is one `.eml` file whose name sorts by time of arrival. To try failures, recipients at
`bounce.test` are refused for good (550), recipients at `greylist.test` the first time (451).

Run as `python -m starter.local_stack.mailbox FOLDER HOST PORT`.
"""

import asyncio
import os
import re
import secrets
import signal
import smtplib
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from email.utils import formatdate
from functools import cached_property, partial
from pathlib import Path
from typing import cast

from aiosmtpd.smtp import SMTP, Envelope, Session

from starter.local_stack.service import Service

DEFAULT_PORT = 1025
SIZE_LIMIT = 30 * 1024 * 1024
HEADERS_LIMIT = 64 * 1024
BOUNCING = "bounce.test"
GREYLISTING = "greylist.test"
NAME = re.compile(r"(\d{20})-[0-9a-f]{8}")


class MailboxHandler:
    """What the server does with recipients and messages."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._greylisted: set[tuple[str | None, str]] = set()

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take the recipient, unless its domain stands for a failure."""
        domain = address.rpartition("@")[2].lower()
        if domain == BOUNCING:
            return f"550 5.1.1 <{address}> no such mailbox here"
        if domain == GREYLISTING and (envelope.mail_from, address) not in self._greylisted:
            self._greylisted.add((envelope.mail_from, address))
            return f"451 4.7.1 <{address}> greylisted, try again later"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Keep the message; it is taken only when it stands in the folder."""
        content = envelope.content
        try:
            kept = keep(self.folder, envelope.mail_from or "", envelope.rcpt_tos, cast("bytes", content))
        except OSError as error:
            return f"452 4.3.1 cannot keep the message: {error.strerror}"
        return f"250 OK kept as {kept}"


def keep(folder: Path, sender: str, recipients: list[str], content: bytes) -> str:
    """Write one message whole or not at all, with its envelope in front; its id."""
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{time.time_ns():020d}-{secrets.token_hex(4)}"
    trace = [
        f"Return-Path: <{sender}>",
        *(f"Delivered-To: {recipient}" for recipient in recipients),
        f"Received: by the development mailbox; {formatdate()}",
    ]
    part = folder / f".{name}.part"
    part.write_bytes("\r\n".join([*trace, ""]).encode() + content)
    part.replace(folder / f"{name}.eml")
    return name


@dataclass(frozen=True)
class Attachment:
    """One attached file of a message."""

    name: str
    media_type: str
    part: EmailMessage

    def read(self) -> bytes:
        """Its bytes, decoded."""
        content = self.part.get_payload(decode=True)
        return content if isinstance(content, bytes) else b""


class StoredMessage:
    """A kept message, read from its file when asked; what is broken in it reads as empty."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.id = path.stem

    @property
    def received_at(self) -> datetime:
        """When the server took it, in UTC."""
        return datetime.fromtimestamp(int(self.id.partition("-")[0]) / 1e9, UTC)

    @property
    def sender(self) -> str:
        """The From header."""
        return self._header("From")

    @property
    def to(self) -> list[str]:
        """The addresses of the To header, with names where given."""
        return self._addresses("To")

    @property
    def cc(self) -> list[str]:
        """The addresses of the Cc header."""
        return self._addresses("Cc")

    @property
    def recipients(self) -> list[str]:
        """Whom the server was told to deliver to, blind copies too."""
        return [_text(value) for value in self._headers.get_all("Delivered-To", [])]

    @property
    def subject(self) -> str:
        """The Subject header, decoded."""
        return self._header("Subject")

    @property
    def message_id(self) -> str:
        """The Message-ID header with its angle brackets."""
        return self._header("Message-ID")

    @property
    def text(self) -> str:
        """The plain text body; empty if there is none."""
        return self._body("plain")

    @property
    def html(self) -> str:
        """The HTML body; empty if there is none. It comes from outside: show it in a sandbox only."""
        return self._body("html")

    @property
    def attachments(self) -> list[Attachment]:
        """The attached files, in order."""
        return [
            Attachment(
                part.get_filename() or f"attachment-{number}",
                part.get_content_type(),
                part,
            )
            for number, part in enumerate(self._parts(), 1)
        ]

    def header(self, name: str) -> str:
        """Any header, decoded; empty if it is not there."""
        return self._header(name)

    def raw(self) -> bytes:
        """The file as it was received, with the envelope in front."""
        return self.path.read_bytes()

    @cached_property
    def _headers(self) -> EmailMessage:
        return self._parse(headersonly=True)

    @cached_property
    def _whole(self) -> EmailMessage:
        return self._parse(headersonly=False)

    def _parse(self, headersonly: bool) -> EmailMessage:
        try:
            with self.path.open("rb") as file:
                content = file.read(HEADERS_LIMIT if headersonly else -1)
        except OSError:
            content = b""
        return BytesParser(policy=policy.default).parsebytes(content, headersonly=headersonly)

    def _header(self, name: str) -> str:
        try:
            return _text(self._headers.get(name, ""))
        except (ValueError, IndexError, AttributeError):  # the parser's own trouble with malformed headers
            return ""

    def _addresses(self, name: str) -> list[str]:
        try:
            header = self._headers.get(name)
            return [_text(address) for address in header.addresses] if header else []
        except (ValueError, IndexError, AttributeError):
            return []

    def _body(self, kind: str) -> str:
        try:
            body = self._whole.get_body((kind,))
            return str(body.get_content()).replace("\r\n", "\n") if body else ""
        except (LookupError, ValueError, AttributeError):
            return ""

    def _parts(self) -> Iterator[EmailMessage]:
        try:
            yield from self._whole.iter_attachments()
        except (ValueError, AttributeError):
            return


def messages(folder: Path) -> list[StoredMessage]:
    """All kept messages, oldest first; none if there is no folder yet."""
    try:
        names = sorted(
            path for path in folder.iterdir() if path.suffix == ".eml" and NAME.fullmatch(path.stem)
        )
    except OSError:
        return []
    return [StoredMessage(path) for path in names]


def message(folder: Path, identity: str) -> StoredMessage | None:
    """The message with this id, None if there is none."""
    path = folder / f"{identity}.eml"
    return StoredMessage(path) if NAME.fullmatch(identity) and path.is_file() else None


def server(handler: object) -> SMTP:
    """One connection's protocol: 8-bit and SMTPUTF8, messages up to `SIZE_LIMIT` bytes."""
    return SMTP(handler, data_size_limit=SIZE_LIMIT, enable_SMTPUTF8=True, hostname="mailbox.localhost")


def service(folder: Path, port: int) -> Service:
    """The server as a child process."""
    return Service(
        name="mailbox",
        command=(sys.executable, "-m", "starter.local_stack.mailbox", str(folder), "127.0.0.1", str(port)),
        ready=partial(greets, "127.0.0.1", port),
    )


def greets(host: str, port: int) -> bool:
    """Whether a mail server answers there."""
    try:
        with smtplib.SMTP(host, port, timeout=2):
            return True
    except OSError:
        return False


async def serve(folder: Path, host: str, port: int) -> None:
    """Serve until SIGTERM or SIGINT."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    listener = await loop.create_server(partial(server, MailboxHandler(folder)), host, port)
    await ended.wait()
    listener.close()


def _text(value: object) -> str:
    """Headers in raw UTF-8 come from the parser as surrogates."""
    return str(value).encode("utf-8", "surrogateescape").decode("utf-8", "replace")


if __name__ == "__main__":
    os.umask(0o077)
    asyncio.run(serve(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
