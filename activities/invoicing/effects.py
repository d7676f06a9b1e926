"""What the steps act with: the ledger, the sources, the document store, the mail server."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from activities.delivery.signed_links import SignedLinks
from activities.delivery.smtp import SmtpTransport
from activities.documents.rendering import InThisProcess, Renderer
from activities.documents.store import DocumentStore
from activities.invoicing.sources import Systems
from activities.ledger.company_records import CompanyVersion
from activities.ledger.database import Ledger
from billing.sources import CrmClient

if TYPE_CHECKING:
    from activities.tax_ids.vies import Vies


@dataclass(frozen=True)
class Effects:
    """The outside world, as the steps of one worker see it.

    Below `portal_url` clients look at their invoices: no mail links there without one. `public` says that it will be
    the same for years, so that issued documents may bear it. Without `links`, messages to our own people lead to the
    inbox.
    """

    ledger: Ledger
    documents: DocumentStore
    mail: SmtpTransport
    web_url: str
    vies: Vies | None = None
    renderer: Renderer = field(default_factory=InThisProcess)
    portal_url: str | None = None
    public: bool = False
    links: SignedLinks | None = None


def client_record(version: CompanyVersion, client: str) -> CrmClient | None:
    """What the CRM says about a client now. `SourceUnavailable` if it cannot be read."""
    known = version.company.client(client)
    return Systems.of(version).crm.client(known.crm) if known else None
