"""The CRM in files: read afresh, and never half."""

import os
from pathlib import Path

import pytest

from activities.crm.files import FilesCrm
from activities.crm.source import CrmSource
from billing.errors import SourceUnavailable

CLIENT = """- id: C-1
  name: "حلول <b>Ünïted</b> 株式会社 🚀"
  address: {street: A 1, postcode: 01067, city: Oslo, country: NO}
  billing_contact: {name: Eva, email: eva@client.example}
  segment: unknown keys are left alone
"""


@pytest.fixture
def crm(tmp_path: Path) -> FilesCrm:
    (tmp_path / "clients.yaml").write_text(CLIENT, encoding="utf-8")
    (tmp_path / "deals.yaml").write_text("- {id: D-1, client: C-1, value: 8500.10, currency: EUR}\n")
    return FilesCrm(tmp_path)


def test_records_are_read_exactly(crm: CrmSource) -> None:
    """Names in any script, leading zeros, Norway and every digit of a value survive."""
    client, deal = crm.client("C-1"), crm.deal("D-1")
    assert client is not None
    assert deal is not None
    assert client.name == "حلول <b>Ünïted</b> 株式会社 🚀"
    assert (client.address.postcode, client.address.country, client.business) == ("01067", "NO", True)
    assert str(deal.value) == "8500.10"


def test_records_are_listed(crm: CrmSource, tmp_path: Path) -> None:
    """Clients and deals come by id, won or not."""
    (tmp_path / "deals.yaml").write_text(
        "- {id: D-2, client: C-1, value: 1, currency: EUR, won: no}\n"
        "- {id: D-1, client: C-1, value: 2, currency: EUR}\n"
    )
    assert [each.id for each in crm.clients()] == ["C-1"]
    assert [(each.id, each.won) for each in crm.deals()] == [("D-1", True), ("D-2", False)]


def test_what_is_not_there_is_none(crm: CrmSource) -> None:
    """A missing record is no error: the invoice says what is missing."""
    assert crm.client("C-2") is None
    assert crm.deal("D-2") is None


def test_an_edit_is_seen_at_the_next_call(crm: CrmSource, tmp_path: Path) -> None:
    """An edit made while Billow runs is read by the next call, also when a new file is moved over the old."""
    assert crm.client("C-1")
    edited = tmp_path / "new"
    edited.write_text(CLIENT.replace("Eva", "Ada"), encoding="utf-8")
    os.utime(edited, ns=(0, (tmp_path / "clients.yaml").stat().st_mtime_ns))
    edited.replace(tmp_path / "clients.yaml")
    client = crm.client("C-1")
    assert client is not None
    assert client.billing_contact is not None
    assert client.billing_contact.name == "Ada"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "the file is empty; write []"),
        (CLIENT[:70], "line 3: broken YAML: a bracket is opened"),
        (CLIENT.replace("city: Oslo, ", ""), "line 3: C-1.address.city: 'city' is missing"),
        (CLIENT.replace("email: eva@client.example", "email: eva"), "line 4: C-1.billing_contact.email"),
        (CLIENT + CLIENT, "line 6: C-1.id: 'C-1' stands here a second time"),
        ("id: C-1\n", "must be one list"),
        ("- C-1\n- C-2\n- C-3\n- C-4\n", "and 1 more"),
    ],
)
def test_a_file_that_is_half_saved_is_told_by_line_and_tried_again(
    crm: CrmSource, tmp_path: Path, text: str, says: str
) -> None:
    """A malformed file raises `SourceUnavailable` with file, line and reason; once right, it is read."""
    path = tmp_path / "clients.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SourceUnavailable) as caught:
        crm.client("C-1")
    assert says in str(caught.value)
    assert str(path) in str(caught.value)
    path.write_text(CLIENT, encoding="utf-8")
    assert crm.client("C-1")


def test_a_file_that_is_gone_is_told(crm: CrmSource, tmp_path: Path) -> None:
    """While the file is away the source is unavailable, even if it was read before."""
    assert crm.deal("D-1")
    (tmp_path / "deals.yaml").unlink()
    with pytest.raises(SourceUnavailable, match=r"deals\.yaml cannot be read \(No such file"):
        crm.deal("D-1")


def test_two_edits_at_once_are_both_seen(crm: CrmSource, tmp_path: Path) -> None:
    """A file of one size, written again within one tick of its clock, is read again."""
    for name in ("Ada", "Ida", "Eda"):
        (tmp_path / "clients.yaml").write_text(CLIENT.replace("Eva", name), encoding="utf-8")
        client = crm.client("C-1")
        assert client is not None and client.billing_contact is not None
        assert client.billing_contact.name == name
