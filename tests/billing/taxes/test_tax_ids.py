"""Tax ids by form and check digit: one that fits and one that does not, country by country."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.taxes.tax_ids import wrong_by_form
from tests.billing.assembling import care, codes
from tests.billing.properties import examples
from tests.billing.records import crm_client

IDS = [
    # country of the party, an id that fits, the same with one character changed
    ("DE", "DE136695976", "DE136695977"),
    ("DE", "DE 136 695 976", "DE 136 695 970"),
    ("DE", "de136695976", "136695976"),
    ("AT", "ATU12345675", "ATU12345676"),
    ("FR", "FR40303265045", "FR41303265045"),
    ("GR", "EL094259216", "EL094259217"),
    ("BE", "BE0428759497", "BE0428759498"),
    ("NL", "NL004495445B01", "NL004495446B01"),
    ("IT", "IT00743110157", "IT00743110158"),
    ("PL", "PL8567346215", "PL8567346216"),
    ("GB", "GB980780684", "GB980780685"),
    ("GB", "XI980780684", "XI980780685"),
    ("CH", "CHE-107.787.577 MWST", "CHE-107.787.578 MWST"),
    ("CH", "CHE-107.787.577", "CHE-107.787.57"),
    ("NO", "NO 995 525 828 MVA", "NO 995 525 829 MVA"),
    ("NO", "995525828", "995525829"),
    ("IN", "27AAPFU0939F1ZV", "27AAPFU0939F1ZX"),
    ("AU", "51 824 753 556", "51 824 753 557"),
    ("NZ", "49-091-850", "49-091-851"),
    ("CA", "12302 6635 RT0001", "12302 6636 RT0001"),
    ("JP", "T5835678256246", "5835678256246"),
    ("JP", "T5835678256246", "T5835678256247"),
    ("AT", "DE136695976", "DE136695977"),
]


@pytest.mark.parametrize(("country", "right", "wrong"), IDS)
def test_check_digits(country: str, right: str, wrong: str) -> None:
    """The one passes without a word; the other is named with what does not fit."""
    assert wrong_by_form(right, country) == ""
    assert repr(wrong) in wrong_by_form(wrong, country)


def test_countries_without_a_known_form_are_let_pass() -> None:
    """What nobody can check is not called wrong: American and Emirati numbers have no rule here."""
    assert wrong_by_form("12-3456789", "US") == wrong_by_form("100123456700003", "AE") == ""


def test_a_clients_wrong_id_holds_the_invoice() -> None:
    """One digit off is a finding that a person can repair in the CRM or set by hand; no id at all is none."""
    assert "vat-id-wrong" in codes(care(client=crm_client(vat_id="DE129273399")))
    assert "vat-id-wrong" not in codes(care(client=crm_client(vat_id="DE129273398")))
    assert "vat-id-wrong" not in codes(care(client=crm_client(vat_id="")))


@given(
    st.text(max_size=30), st.sampled_from(["DE", "GR", "GB", "CH", "NO", "IN", "AU", "NZ", "CA", "JP", "US"])
)
@examples(300)
def test_any_text_is_answered(number: str, country: str) -> None:
    """What people type into a CRM never breaks the check: it is told as wrong, or let pass."""
    said = wrong_by_form(number, country)
    assert said == "" or repr(number) in said
