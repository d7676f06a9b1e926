"""The client's link where it is really read: in the mail that went over the wire, and in the PDF that was issued."""

from __future__ import annotations

import re
from dataclasses import replace
from io import BytesIO

import pytest
from pypdf import PdfReader

from tests.mail_server import MailServer
from tests.starter.cli.conftest import Desk
from workers.assembly import effects
from workers.settings import Settings

PUBLIC = "https://billing.example"


def links_of(pdf: bytes) -> set[str]:
    """The addresses one can click in a PDF."""
    pages = PdfReader(BytesIO(pdf)).pages
    notes = [each.get_object() for page in pages for each in page.get("/Annots", [])]
    return {str(each["/A"]["/URI"]) for each in notes if "/URI" in each.get("/A", {})}


def issued(desk: Desk, smtp: MailServer, *, portal_url: str | None, public: bool) -> tuple[str, bytes]:
    """Text of the mail with a new invoice, and its PDF."""
    desk.effects = replace(desk.effects, portal_url=portal_url, public=public)
    desk.issue()
    (mail,) = smtp.messages()
    return mail.text, mail.attachments[0].read()


def test_in_mail_and_pdf(desk: Desk, smtp: MailServer) -> None:
    """With a public address mail and PDF carry one and the same link, the one staff sees, and its token is living."""
    text, pdf = issued(desk, smtp, portal_url=PUBLIC, public=True)
    (said,) = re.findall(rf"{PUBLIC}/i/([A-Za-z0-9_-]{{43}})\s", text)
    assert f"{PUBLIC}/i/{said}" in links_of(pdf)
    number = desk.read("invoices")["invoices"][0]["number"]
    shown = desk.type("portal-link", number, "--json", BILLOW_WEB_URL=PUBLIC).stdout
    assert f"{PUBLIC}/i/{said}" in shown


def test_address_of_this_machine(desk: Desk, smtp: MailServer) -> None:
    """In development the mail has the link, the PDF, which lives longer, has none."""
    text, pdf = issued(desk, smtp, portal_url="http://127.0.0.1:8080", public=False)
    assert "http://127.0.0.1:8080/i/" in text
    assert not any("/i/" in each for each in links_of(pdf))


@pytest.mark.parametrize(
    ("address", "development", "portal", "public"),
    [
        (PUBLIC, False, PUBLIC, True),
        ("http://127.0.0.1:8080", True, "http://127.0.0.1:8080", False),
        (None, True, "http://127.0.0.1:8080", False),
        (None, False, None, False),
    ],
)
def test_settings(
    settings: Settings, address: str | None, development: bool, portal: str | None, public: bool
) -> None:
    """What is printed on paper is a public address only; `make run` names this machine's, in development."""
    changed = {"public_url": address, "development": development, "web_host": "127.0.0.1", "web_port": 8080}
    outside = effects(settings.model_copy(update=changed))
    try:
        assert (outside.portal_url, outside.public) == (portal, public)
    finally:
        outside.ledger.close()


def test_where_nobody_could_follow_it(desk: Desk, smtp: MailServer) -> None:
    """Without an address there is no link anywhere."""
    text, pdf = issued(desk, smtp, portal_url=None, public=False)
    assert "/i/" not in text and not any("/i/" in each for each in links_of(pdf))
