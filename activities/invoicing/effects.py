"""What the steps act with: the ledger, the sources, the document store, the mail server."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from activities.crm.files import FilesCrm
from activities.delivery.smtp import SmtpTransport
from activities.documents.store import FolderStore
from activities.esign.files import FilesContracts
from activities.ledger.company_records import CompanyVersion
from activities.ledger.database import Ledger
from activities.psa.files import FilesPsa
from billing.agreements import Milestones, TimeAndMaterials
from billing.assembly import client_of
from billing.periods import Period
from billing.request import BillingRequest
from billing.sources import CrmClient, Sources


@dataclass(frozen=True)
class Effects:
    """The outside world, as the steps of one worker see it."""

    ledger: Ledger
    documents: FolderStore
    mail: SmtpTransport
    web_url: str


def client_record(version: CompanyVersion, client: str) -> CrmClient | None:
    """What the CRM says about a client now. `SourceUnavailable` if it cannot be read."""
    known = version.company.client(client)
    crm = FilesCrm(Path(version.folder) / version.company.integrations.crm)
    return crm.client(known.crm) if known else None


def fetch(version: CompanyVersion, request: BillingRequest, today: date) -> Sources:
    """Everything the sources say about a request now. `SourceUnavailable` if one of them cannot be read."""
    client = client_of(request, version.company)
    record = client_record(version, client) if client else None
    occasion = request.occasion
    agreement = version.company.agreement(occasion.agreement) if occasion else None
    if agreement is None or occasion is None:
        return Sources(client=record)
    folder, integrations = Path(version.folder), version.company.integrations
    crm, psa = FilesCrm(folder / integrations.crm), FilesPsa(folder / integrations.psa)
    contracts = FilesContracts(folder / integrations.contracts)
    by_time = isinstance(agreement, TimeAndMaterials) and occasion.period is not None
    worked = occasion.period if by_time else None
    return Sources(
        client=record,
        deal=crm.deal(agreement.deal) if agreement.deal else None,
        contract=contracts.contract(agreement.contract) if agreement.contract else None,
        project=psa.project(agreement.project) if agreement.project else None,
        milestone=psa.milestone(agreement.project, occasion.item)
        if isinstance(agreement, Milestones)
        else None,
        time_entries=psa.time_entries(agreement.project, _until(worked, today))
        if agreement.project and worked
        else (),
    )


def _until(period: Period, today: date) -> Period:
    """The part of the period that has begun: an early invoice bills what was worked so far."""
    return period if period.end <= today else Period(start=period.start, end=max(today, period.start))
