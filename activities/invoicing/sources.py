"""The source systems of a company: CRM, PSA and the store of signed contracts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from activities.crm.files import FilesCrm
from activities.crm.source import CrmSource
from activities.esign.files import FilesContracts
from activities.esign.source import ContractSource
from activities.ledger.company_records import CompanyVersion
from activities.providers.registry import adapter
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
    def of(cls, version: CompanyVersion) -> Systems:
        """The systems of a company as it was applied; what was read of a file is kept until the file changes."""
        return cls.in_folder(Path(version.folder), version.company.integrations, version.company.connections)

    @classmethod
    def in_folder(
        cls, folder: Path, integrations: Integrations, connections: Sequence[Connection] = ()
    ) -> Systems:
        """The systems of a company folder that need not be applied: those it connects to, files for the others."""
        files = _files(folder, integrations.crm, integrations.psa, integrations.contracts)
        named = {_ATTRIBUTES[each.port]: adapter(each) for each in connections if each.port in _ATTRIBUTES}
        return replace(files, **named)


@lru_cache(maxsize=4)
def _files(folder: Path, crm: str, psa: str, contracts: str) -> Systems:
    return Systems(
        crm=FilesCrm(folder / crm), psa=FilesPsa(folder / psa), contracts=FilesContracts(folder / contracts)
    )
