"""A CRM in two files: `clients.yaml` and `deals.yaml`, each a list."""

from __future__ import annotations

from pathlib import Path

from activities.company.record_file import WatchedFile, yaml_records
from billing.sources import CrmClient, CrmDeal


class FilesCrm:
    """Reads one folder afresh on every call, so that a person may edit it while Billow runs."""

    def __init__(self, folder: Path) -> None:
        self._clients = WatchedFile(folder / "clients.yaml", yaml_records(CrmClient, lambda each: each.id))
        self._deals = WatchedFile(folder / "deals.yaml", yaml_records(CrmDeal, lambda each: each.id))

    def clients(self) -> tuple[CrmClient, ...]:
        """Every company, by id. Raises `SourceUnavailable` with file and line."""
        return tuple(each for _, each in sorted(self._clients.content().items()))

    def client(self, client_id: str) -> CrmClient | None:
        """The company with that id, or None. Raises `SourceUnavailable` with file and line."""
        return self._clients.content().get(client_id)

    def deals(self) -> tuple[CrmDeal, ...]:
        """Every deal, by id; values are net. Raises `SourceUnavailable` with file and line."""
        return tuple(each for _, each in sorted(self._deals.content().items()))

    def deal(self, deal_id: str) -> CrmDeal | None:
        """The deal with that id, or None; its value is net. Raises `SourceUnavailable` with file and line."""
        return self._deals.content().get(deal_id)
