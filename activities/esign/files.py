"""The signed contracts in one file: `contracts.yaml`, a list."""

from __future__ import annotations

from pathlib import Path

from activities.company.record_file import WatchedFile, yaml_records
from billing.sources import SignedContract


class FilesContracts:
    """Reads one folder afresh on every call, so that a person may edit it while Billow runs."""

    def __init__(self, folder: Path) -> None:
        self._contracts = WatchedFile(
            folder / "contracts.yaml", yaml_records(SignedContract, lambda each: each.id)
        )

    def contracts(self) -> tuple[SignedContract, ...]:
        """Every contract, by id. Raises `SourceUnavailable` with file and line."""
        return tuple(each for _, each in sorted(self._contracts.content().items()))

    def contract(self, contract_id: str) -> SignedContract | None:
        """The contract with that id, or None. Raises `SourceUnavailable` with file and line."""
        return self._contracts.content().get(contract_id)
