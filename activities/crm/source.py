"""What Billow asks of a CRM."""

from __future__ import annotations

from typing import Protocol

from billing.sources import CrmClient, CrmDeal


class CrmSource(Protocol):
    """Reads a CRM. Every call may raise `billing.errors.SourceUnavailable`, which is worth another try."""

    def clients(self) -> tuple[CrmClient, ...]:
        """Every company, by id."""

    def client(self, client_id: str) -> CrmClient | None:
        """The company with that id, as the CRM knows it now; None if there is none."""

    def deals(self) -> tuple[CrmDeal, ...]:
        """Every deal, won or not, by id; values are net."""

    def deal(self, deal_id: str) -> CrmDeal | None:
        """The deal with that id; its value is net. None if there is none."""
