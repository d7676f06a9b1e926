"""Clients of the small company who look at their invoices: issued, rendered, with a link each."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType

from activities.documents.look import LookFiles
from activities.documents.rendering import InThisProcess
from activities.documents.store import FolderStore
from activities.invoicing import account_documents, issued_files
from activities.ledger import company_records, invoices, number_series, portal_links
from billing.looks import Look
from billing.parties import Address, BankAccount, Buyer, Contact
from billing.status import DocumentStatus
from tests.starter.web.story import COMPANY, Story
from workers.settings import Settings

LOGO = (
    Path(account_documents.__file__).parents[1] / "company/samples/havelwerk/templates/berlin/logo.svg"
).read_bytes()

ISSUER = COMPANY.issuers[0].model_copy(
    update={
        "bank_account": BankAccount(iban="DE02120300000000202051", bic="BYLADEM1001", bank="Spreebank"),
        "registration": "Amtsgericht Charlottenburg, HRB 240112",
        "phone": "+49 30 555 0199",
    }
)

BUYERS: Mapping[str, tuple[str, str, Buyer]] = MappingProxyType(
    {
        "de": (
            "nordlicht",
            "Plattformbetrieb und Support, November 2026",
            Buyer(
                name="Nordlicht Verlag GmbH",
                address=Address(street="Speicherstadt 8", postcode="20457", city="Hamburg", country="DE"),
                contact=Contact(name="Kim Sommer", email="ap@nordlicht.example"),
            ),
        ),
        "en": (
            "nordlicht",
            "Platform operations and support, November 2026",
            Buyer(
                name="Northlight Press Ltd",
                address=Address(street="8 Quay Street", postcode="D02 X285", city="Dublin", country="IE"),
                contact=Contact(name="Kim Summers", email="ap@northlight.example"),
            ),
        ),
        "fr": (
            "ateliers",
            "Exploitation et assistance, novembre 2026",
            Buyer(
                name="Ateliers du Lac SARL",
                address=Address(
                    street="12 quai des Bateliers", postcode="67000", city="Strasbourg", country="FR"
                ),
                contact=Contact(name="Camille Aubert", email="compta@ateliers.example"),
            ),
        ),
    }
)


class Clients(Story):
    """Invoices as clients have them before them."""

    def __init__(self, settings: Settings, story: Story, *, logo: bool = False) -> None:
        self.ledger, self.at, self.settings = story.ledger, story.at, settings
        self.documents = FolderStore(settings.documents_folder)
        if logo:
            look = LookFiles(
                Look(id="elbwerk", logo="logo.svg", accent="#1d6b74"), {"elbwerk/logo.svg": LOGO}
            )
            company = COMPANY.model_copy(update={"issuers": (ISSUER,)})
            company_records.apply_company(
                self.ledger, company, "company", "lena", self.at - timedelta(days=80), {"elbwerk": look}
            )

    def sent(
        self,
        key: str,
        language: str = "en",
        *,
        at: datetime | None = None,
        prices: tuple[str, ...] = ("4200", "1260", "350"),
        rendered: bool = True,
    ) -> str:
        """An invoice the client has got; its number."""
        at = at or self.at - timedelta(days=6)
        client, title, buyer = BUYERS[language]
        made = self.drafted(key, client=client, name=buyer.name, title=title, prices=prices, at=at)
        with self.ledger.transaction() as tx:
            row = invoices.locked(tx, made)
            draft = invoices.draft_of(row)
            invoices.put_draft(
                tx, row, draft.model_copy(update={"language": language, "buyer": buyer, "issuer": ISSUER})
            )
            number = number_series.issue(tx, row, at=at)
            row.delivered_at = at + timedelta(minutes=2)
            if not rendered:
                return number
            document = account_documents.invoice_document(tx, row, at)
            look = account_documents.look_now(tx, ISSUER)
            kept = issued_files.store(self.documents, InThisProcess().render(document, look), document)
            issued_files.record(tx, row, kept, at=at)
            row.document_status = DocumentStatus.ISSUED
            return number

    def token(self, number: str) -> str:
        """The client's link to the invoice."""
        with self.ledger.transaction() as tx:
            row = invoices.find(tx, number, lock=True)
            return portal_links.current(tx, row, COMPANY, at=self.at).token

    def path(self, number: str) -> str:
        return f"/i/{self.token(number)}"

    def open_amount(self, number: str) -> Decimal:
        with self.ledger.transaction() as tx:
            return invoices.find(tx, number).open_amount
