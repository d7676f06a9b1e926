"""What agreements and clients name in the source systems, and is not there: warnings, since it may still come."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

from activities.company.problems import did_you_mean
from activities.crm.files import FilesCrm
from activities.esign.files import FilesContracts
from activities.psa.files import FilesPsa
from billing.agreements import Agreement, Milestones, Trigger
from billing.company import Integrations
from billing.complaints import CompanyRecords, Complaint, KeyPath
from billing.due import all_milestones
from billing.errors import SourceUnavailable
from billing.periods import EVER


def check_source_references(
    folder: Path, integrations: Integrations, records: CompanyRecords, ports: Collection[str]
) -> Iterator[Complaint]:
    """Companies, deals, contracts, projects and milestones that the files of these sources do not have."""
    for name, found in (
        ("crm", _crm(FilesCrm(folder / integrations.crm), records)),
        ("contracts", _contracts(FilesContracts(folder / integrations.contracts), records)),
        ("psa", _psa(FilesPsa(folder / integrations.psa), records)),
    ):
        if name not in ports:
            continue
        try:
            yield from found
        except SourceUnavailable as error:
            yield Complaint(("integrations", name), str(error).partition(". Correct the file")[0], True)


def _crm(crm: FilesCrm, records: CompanyRecords) -> Iterator[Complaint]:
    companies = {each.id for each in crm.clients()}
    for position, client in records.clients.read.items():
        yield from _missing(
            ("clients", position, "crm"), client.crm, companies, "company in the CRM", "its invoices stop"
        )
    deals = {each.id for each in crm.deals()}
    for at, agreement in _agreements(records):
        if agreement.trigger is not Trigger.DEAL_WON:
            yield from _missing((*at, "deal"), agreement.deal, deals, "deal in the CRM", "its invoices stop")


def _contracts(contracts: FilesContracts, records: CompanyRecords) -> Iterator[Complaint]:
    signed = {each.id for each in contracts.contracts()}
    for at, agreement in _agreements(records):
        if agreement.trigger is not Trigger.CONTRACT_SIGNED:
            yield from _missing(
                (*at, "contract"), agreement.contract, signed, "signed contract", "its invoices stop"
            )
        for n, order in enumerate(agreement.change_orders):
            if order.approved_by is not None:
                here = (*at, "change_orders", n, "document")
                yield from _missing(here, order.document, signed, "signed amendment", "its invoices stop")


def _psa(psa: FilesPsa, records: CompanyRecords) -> Iterator[Complaint]:
    psa.time_entries("", EVER)
    psa.expenses("", EVER)
    projects = {each.id for each in psa.projects()}
    for at, agreement in _agreements(records):
        project = agreement.project
        yield from _missing(
            (*at, "project"), project, projects, "project in the PSA", "nothing of it is billed"
        )
        if not isinstance(agreement, Milestones) or project not in projects:
            continue
        known = {each.id for each in psa.milestones(agreement.project)}
        for n, each in enumerate(all_milestones(agreement)):
            here = (*at, "milestones", n, "id") if n < len(agreement.milestones) else (*at, "change_orders")
            yield from _missing(
                here, each.id, known, f"milestone of project {project} in the PSA", "it is never signed off"
            )


def _agreements(records: CompanyRecords) -> Iterator[tuple[KeyPath, Agreement]]:
    for position, agreement in sorted(records.agreements.read.items()):
        yield ("agreements", position), agreement


def _missing(
    path: KeyPath, named: str | None, known: Collection[str], what: str, meanwhile: str
) -> Iterator[Complaint]:
    if named is not None and named not in known:
        advice = did_you_mean(named, sorted(known)) or "; add it there, or correct the id"
        yield Complaint(path, f"there is no {what} {named!r}{advice}; until then {meanwhile}", warning=True)
