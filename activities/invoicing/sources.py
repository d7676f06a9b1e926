"""The source systems of a company: CRM, PSA and the store of signed contracts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from activities.crm.files import FilesCrm
from activities.crm.source import CrmSource
from activities.esign.files import FilesContracts
from activities.esign.source import ContractSource
from activities.invoicing.live_source import LiveSource, Note, nobody
from activities.ledger.company_records import CompanyVersion
from activities.psa.files import FilesPsa
from activities.psa.source import PsaSource
from billing.company import Integrations
from billing.connections import Connection, Port

_ATTRIBUTES = {Port.CRM: "crm", Port.PSA: "psa", Port.CONTRACTS: "contracts"}


@dataclass(frozen=True)
class Systems:
    """Where the facts come from, as the company's `integrations` name them. Safe between threads."""

    crm: CrmSource
    psa: PsaSource
    contracts: ContractSource

    @classmethod
    def of(cls, version: CompanyVersion, note: Note = nobody, fresh_for: float = 0.0) -> Systems:
        """The systems of a company as it was applied; what was read of a file is kept until the file changes.

        `note` hears how connected systems fare; what was read of them at most `fresh_for` seconds ago is not asked for
        again.
        """
        company = version.company
        return cls.in_folder(Path(version.folder), company.integrations, company.connections, note, fresh_for)

    @classmethod
    def in_folder(
        cls,
        folder: Path,
        integrations: Integrations,
        connections: Sequence[Connection] = (),
        note: Note = nobody,
        fresh_for: float = 0.0,
    ) -> Systems:
        """The systems of a company folder that need not be applied: those it connects to, files for the others.

        Nothing is asked, and no secret looked for, before a record is.
        """
        files = _files(folder, integrations.crm, integrations.psa, integrations.contracts)
        named: dict[str, Any] = {
            _ATTRIBUTES[each.port]: LiveSource(each, note, fresh_for)
            for each in connections
            if each.port in _ATTRIBUTES
        }
        return replace(files, **named)


@lru_cache(maxsize=4)
def _files(folder: Path, crm: str, psa: str, contracts: str) -> Systems:
    return Systems(
        crm=FilesCrm(folder / crm), psa=FilesPsa(folder / psa), contracts=FilesContracts(folder / contracts)
    )
