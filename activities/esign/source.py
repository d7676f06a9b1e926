"""What Billow asks of the store of signed contracts."""

from __future__ import annotations

from typing import Protocol

from billing.sources import SignedContract


class ContractSource(Protocol):
    """Reads signed contracts. May raise `billing.errors.SourceUnavailable`, which is worth another try."""

    def contracts(self) -> tuple[SignedContract, ...]:
        """Every signed contract and amendment, by id; values are net."""

    def contract(self, contract_id: str) -> SignedContract | None:
        """The contract with that id, if it is signed; its value is net. None if there is none."""
