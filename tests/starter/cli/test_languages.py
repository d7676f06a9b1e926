"""A company's own catalogue, from `billow apply` to the mail and the document a client gets."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from activities.documents.look import LookFiles
from activities.ledger.company_records import apply_company
from billing.looks import Look
from tests.mail_server import MailServer
from tests.starter.cli.conftest import Desk
from tests.starter.cli.test_interest import policy

SWEDISH = """
msgid ""
msgstr "Content-Type: text/plain; charset=utf-8\\nPlural-Forms: nplurals=2; plural=(n != 1);\\n"

msgid "Dear %(contact_name)s,"
msgstr "Hej %(contact_name)s,"

msgid "Reminder: invoice %(number)s was due on %(due_date)s"
msgstr "Påminnelse: faktura %(number)s förföll %(due_date)s"
"""


def reminder(desk: Desk, smtp: MailServer, language: str, catalogues: dict[str, bytes]) -> Any:
    desk.company.dunning = policy()
    desk.company.clients[0]["language"] = language
    look = LookFiles(Look(id="berlin"), {f"languages/{name}.po": data for name, data in catalogues.items()})
    desk.company.write_sources()
    company, now = desk.company.company(), datetime.now(UTC)
    apply_company(desk.effects.ledger, company, str(desk.company.folder), "mara", now, looks={"berlin": look})
    number = desk.opening_item(late=6)
    desk.work(f"opening/acme/{number.lower()}")
    (mail,) = [each for each in smtp.messages() if number in each.subject]
    return mail


def test_a_language_of_ones_own(desk: Desk, smtp: MailServer) -> None:
    """A client is reminded in the language the issuer's look adds, in its dates, and in English where words lack."""
    mail = reminder(desk, smtp, "sv", {"sv": SWEDISH.encode()})
    assert mail.subject.startswith("Påminnelse: faktura OLD-1 förföll ")
    assert mail.text.startswith("Hej ") and "Kind regards" in mail.text
    assert "1\N{NO-BREAK SPACE}190,00\N{NO-BREAK SPACE}€" in mail.text


@pytest.mark.parametrize("language", ["sv", "en"])
def test_a_language_nobody_has(desk: Desk, smtp: MailServer, language: str) -> None:
    """Without such a catalogue the client reads English."""
    mail = reminder(desk, smtp, language, {})
    assert mail.subject.startswith("Reminder: invoice OLD-1 was due on ")


def test_every_language_of_billow(desk: Desk, smtp: MailServer) -> None:
    """A client whose language Billow has is reminded in it: a Pole in Polish."""
    assert "termin płatności faktury OLD-1 minął" in reminder(desk, smtp, "pl", {}).subject
