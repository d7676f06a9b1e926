"""Signed contracts in a file: read afresh, and never half."""

from datetime import date
from pathlib import Path

import pytest

from activities.esign.files import FilesContracts
from activities.esign.source import ContractSource
from billing.errors import SourceUnavailable

CONTRACT = "- {id: CT-1, client: C-1, value: 9200.00, currency: EUR, signed_on: 2026-10-01}\n"


def test_a_contract_is_read_and_a_missing_one_is_none(tmp_path: Path) -> None:
    """What was signed comes back exactly; a contract that is not there is None."""
    (tmp_path / "contracts.yaml").write_text(CONTRACT)
    contracts: ContractSource = FilesContracts(tmp_path)
    contract = contracts.contract("CT-1")
    assert contract is not None
    assert (str(contract.value), contract.signed_on) == ("9200.00", date(2026, 10, 1))
    assert contracts.contract("CT-2") is None
    (tmp_path / "contracts.yaml").write_text(CONTRACT.replace("CT-1", "CT-2") + CONTRACT)
    assert [each.id for each in contracts.contracts()] == ["CT-1", "CT-2"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (CONTRACT.replace("9200.00", "9.200,00"), "line 1: CT-1.00: '00' has no value"),
        (CONTRACT.replace("2026-10-01", "20261001"), "'20261001' is not a date; write year-month-day"),
        (CONTRACT.replace("signed_on: 2026-10-01", "signed: yes"), "'signed_on' is missing"),
    ],
)
def test_a_contract_that_cannot_be_read_is_told(tmp_path: Path, text: str, says: str) -> None:
    """A malformed contract raises `SourceUnavailable` with line and reason; nothing is guessed."""
    (tmp_path / "contracts.yaml").write_text(text)
    with pytest.raises(SourceUnavailable) as caught:
        FilesContracts(tmp_path).contract("CT-1")
    assert says in str(caught.value)
