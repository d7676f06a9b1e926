"""A real mail server in the test process that answers as it is told."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from activities.delivery.smtp import SmtpTransport


@dataclass
class PostOffice:
    """What the server answers to whom, and what it has taken. Handler of aiosmtpd."""

    port: int
    to_recipient: dict[str, str] = field(default_factory=dict)
    to_content: str = "250 OK queued as 42"
    hesitates: float = 0.0
    contents: list[bytes] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)

    @property
    def taken(self) -> list[EmailMessage]:
        return [message_from_bytes(each, policy=default) for each in self.contents]

    @property
    def transport(self) -> SmtpTransport:
        return SmtpTransport("127.0.0.1", self.port, timeout=30)

    async def handle_RCPT(  # noqa: N802
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        if (reply := self.to_recipient.get(address, "250 OK")).startswith("250"):
            envelope.rcpt_tos.append(address)
        return reply

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        await asyncio.sleep(self.hesitates)
        if self.to_content.startswith("250"):
            self.contents.append(envelope.content)
            self.recipients.append(list(envelope.rcpt_tos))
        return self.to_content


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def running(office: PostOffice, **options: Any) -> Iterator[None]:
    """The server runs meanwhile, with options of aiosmtpd's `SMTP`."""
    controller = Controller(office, hostname="127.0.0.1", port=office.port, **options)
    controller.start()
    try:
        yield
    finally:
        controller.stop()


@pytest.fixture
def post_office() -> Iterator[PostOffice]:
    """A running mail server of this test's own."""
    office = PostOffice(free_port())
    with running(office):
        yield office
