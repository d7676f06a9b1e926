"""Each message comes back to an address of its own; reports are asked for where the server can pass that on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP
from pydantic import ValidationError

from activities.delivery.return_path import ReturnPath, tokens_in
from activities.delivery.smtp import MailRefused
from billing.company import Delivery
from tests.activities.delivery.conftest import PostOffice, free_port

TOKEN = "0123456789abcdef01234567"
RETURNS = ReturnPath.of("bounces@issuer.example", TOKEN)
VERP = f"bounces+{TOKEN}@issuer.example"


@dataclass
class Reporting(PostOffice):
    """A server that passes on which reports are wanted (RFC 3461)."""

    senders: list[tuple[str, list[str]]] = field(default_factory=list)
    wanted: list[tuple[str, list[str]]] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)

    async def handle_EHLO(  # noqa: N802
        self, server: Any, session: Any, envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        return [*responses[:-1], "250-DSN", responses[-1]]


class WithReports(SMTP):
    """aiosmtpd knows no DSN: the parameters are taken off, checked against RFC 3461, and kept."""

    async def smtp_MAIL(self, arg: str) -> None:  # noqa: N802
        rest = self._taken(arg, self.event_handler.senders, ("RET=HDRS", "RET=FULL"), "ENVID=")
        await super().smtp_MAIL(rest)

    async def smtp_RCPT(self, arg: str) -> None:  # noqa: N802
        await super().smtp_RCPT(self._taken(arg, self.event_handler.wanted, (), "NOTIFY=", "ORCPT=rfc822;"))

    def _taken(self, arg: str, kept: list[tuple[str, list[str]]], exact: tuple[str, ...], *begin: str) -> str:
        words = arg.split()
        ours = [each for each in words[1:] if each in exact or each.startswith(begin)]
        assert all(" " <= c <= "~" for each in ours for c in each)
        kept.append((words[0], ours))
        return " ".join(each for each in words if each not in ours)


@contextmanager
def running(office: PostOffice, kind: type[SMTP]) -> Iterator[None]:
    class Here(Controller):
        def factory(self) -> SMTP:
            return kind(self.handler)

    controller = Here(office, hostname="127.0.0.1", port=office.port)
    controller.start()
    try:
        yield
    finally:
        controller.stop()


def mail(to: str = "kim+inv=1@client.example") -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Cc"] = "billing@issuer.example", to, "boss@client.example"
    message["Message-ID"], message["Subject"] = "<1@issuer.example>", "Invoice"
    message.set_content("Hello")
    return message


def test_with_reports() -> None:
    """Envelope sender and id are the message's own; reports of all kinds are asked for every recipient, in xtext."""
    office = Reporting(free_port())
    with running(office, WithReports):
        office.transport.send(mail(), returns=RETURNS)
    assert office.senders == [(f"FROM:<{VERP}>", ["RET=HDRS", f"ENVID={TOKEN}"])]
    assert office.wanted == [
        (
            "TO:<kim+inv=1@client.example>",
            ["NOTIFY=SUCCESS,FAILURE,DELAY", "ORCPT=rfc822;kim+2Binv+3D1@client.example"],
        ),
        ("TO:<boss@client.example>", ["NOTIFY=SUCCESS,FAILURE,DELAY", "ORCPT=rfc822;boss@client.example"]),
    ]
    (taken,) = office.taken
    assert str(taken["From"]) == "billing@issuer.example" and TOKEN not in str(taken)


def test_without_reports(post_office: PostOffice) -> None:
    """A server that knows no reports is asked for none; the envelope sender is the message's own all the same."""
    office = post_office
    office.transport.send(mail(), returns=RETURNS)
    assert len(office.taken) == 1


def test_as_before() -> None:
    """Without a return path mail comes from its From address, and nothing is asked for."""
    office = Reporting(free_port())
    with running(office, WithReports):
        office.transport.send(mail())
    assert office.senders == [("FROM:<billing@issuer.example>", [])]
    assert [words for _, words in office.wanted] == [[], []]


def test_sender_refused() -> None:
    """A server that will not have the return path is named with it."""

    class Strict(WithReports):
        async def smtp_MAIL(self, arg: str) -> None:  # noqa: N802
            await self.push("550 5.7.1 not your domain")

    office = Reporting(free_port())
    with running(office, Strict), pytest.raises(MailRefused, match=r"bounces\+0123.*not your domain"):
        office.transport.send(mail(), returns=RETURNS)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        (VERP, (TOKEN,)),
        (f"Bounces <{VERP}>, {VERP}", (TOKEN,)),
        (f"a+{'0' * 24}@x b+{TOKEN}@y", ("0" * 24, TOKEN)),
        (f"bounces+{TOKEN}", ()),
        (f"bounces+{TOKEN[1:]}@issuer.example", ()),
        (f"bounces+{TOKEN}0@issuer.example", ()),
        (f"BOUNCES+{TOKEN.upper()}@ISSUER.EXAMPLE", (TOKEN,)),
        ("", ()),
    ],
)
def test_tokens(text: str, tokens: tuple[str, ...]) -> None:
    """Only whole tokens, each once."""
    assert tokens_in(text) == tokens


@pytest.mark.parametrize("address", ["b" * 40 + "@issuer.example", "bünces@issuer.example", "no address"])
def test_addresses_without_room(address: str) -> None:
    """An address that has no room for a token, or cannot be anywhere, is refused in the company folder."""
    with pytest.raises(ValidationError):
        Delivery(bounces_to=address)
    assert Delivery(bounces_to="b" * 39 + "@issuer.example").bounces_to
    assert len(ReturnPath.of("b" * 39 + "@issuer.example", TOKEN).address.split("@")[0]) == 64
