"""integrations.yaml: what does not fit a provider is named by file and line; a secret in the folder is refused."""

# ruff: noqa: E501 (a table of cases is read by its columns)

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from activities.company.folder import read_folder
from activities.company.problems import Problem
from activities.company.sample import write_starter
from activities.providers.registry import providers

HUBSPOT = """\
- id: hubspot
  provider: hubspot
  port: crm
  secrets: {access_token: HUBSPOT_TOKEN, client_secret: HUBSPOT_CLIENT_SECRET}
  settings:
    zone: Europe/Berlin
  fields:
    - ours: client.vat_id
      theirs: company.vat_number
    - ours: crm.invoice_number
      theirs: deal.invoice_number
      direction: out
"""
REDMINE = """\
- id: redmine
  provider: redmine
  port: psa
  base_url: https://redmine.issuer.example
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_starter(tmp_path, date(2026, 11, 22))
    return tmp_path


def written(folder: Path, text: str) -> list[Problem]:
    """The problems of integrations.yaml with that content."""
    (folder / "integrations.yaml").write_text(text)
    return [each for each in read_folder(folder).problems if each.file == "integrations.yaml"]


def out_field() -> str:
    return next(each.ours for each in providers()["hubspot"].fields if each.direction == "out")


def test_right(folder: Path) -> None:
    """Connections that fit have no problems, and are part of the company."""
    text = HUBSPOT.replace("crm.invoice_number", out_field()) + REDMINE
    assert written(folder, text) == []
    company = read_folder(folder).company
    assert company is not None
    assert [each.id for each in company.connections] == ["hubspot", "redmine"]


@pytest.mark.parametrize(
    ("old", "new", "line", "says", "warning"),
    [
        ("provider: hubspot", "provider: hubspo", 2, "there is no provider 'hubspo'; did you mean 'hubspot'?", False),
        ("provider: hubspot", "provider: abc", 2, "there are dropbox-sign, hubspot, ", False),
        ("port: crm", "port: psa", 3, "HubSpot is no psa; write crm", False),
        ("port: crm", "port: crmm", 3, "did you mean 'crm'?", False),
        ("client_secret:", "client_secrt:", 4, "HubSpot knows no secret 'client_secrt'; did you mean 'client_secret'?", False),
        ("zone: Europe/Berlin", "zoen: Europe/Berlin", 6, "HubSpot knows no setting 'zoen'; did you mean 'zone'?", False),
        ("zone: Europe/Berlin", "zone: Europe/Berln", 6, "'Europe/Berln' is not a time zone", False),
        ("ours: client.vat_id", "ours: client.vatid", 8, "HubSpot has no field 'client.vatid'; did you mean 'client.vat_id'?", False),
        ("theirs: company.vat_number", "theirs: company.vat_number\n      direction: out", 10, "client.vat_id goes from the vendor into Billow only; write direction: in", False),
        ("      direction: out\n", "", 10, "goes from Billow to the vendor only; write direction: out", False),
        ("ours: crm.invoice_number\n      theirs: deal.invoice_number\n      direction: out", "ours: client.vat_id\n      theirs: company.other", 10, "client.vat_id is mapped twice", False),
        ("theirs: company.vat_number", "theirs: deal.vat_number", 1, "write company.<property> in the field map", False),
        ("port: crm", "port: crm\n  base_url: http://crm.example.com", 4, "everybody on the way can read; write https", False),
        ("port: crm", "port: crm\n  base_url: http://10.1.2.3:3000", 4, "write https, where that server has it", True),
        ("port: crm", "port: crm\n  base_url: ftp://crm.example.com", 4, "is no address", False),
        ("port: crm", "port: crm\n  base_url: crm.example.com", 4, "is no address", False),
        ("port: crm", "port: crm\n  base_url: https://crm.example.com/?a=1", 4, "no part of a base address", False),
    ],
)  # fmt: skip
def test_what_does_not_fit(folder: Path, old: str, new: str, line: int, says: str, warning: bool) -> None:
    """Each mistake is one problem on its own line, with what to write instead."""
    text = HUBSPOT.replace("crm.invoice_number", out_field())
    old, new = (each.replace("crm.invoice_number", out_field()) for each in (old, new))
    assert old in text
    (problem,) = written(folder, text.replace(old, new, 1))
    assert says in problem.message
    assert (problem.line, problem.warning) == (line, warning)


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:3300", "http://localhost", "http://[::1]:80", "https://10.0.0.1"]
)
def test_this_machine(folder: Path, address: str) -> None:
    """To this machine http will do: nobody is on the way."""
    assert written(folder, REDMINE.replace("https://redmine.issuer.example", address)) == []


def test_no_address(folder: Path) -> None:
    """A vendor without a usual address wants one."""
    (problem,) = written(folder, REDMINE.replace("  base_url: https://redmine.issuer.example\n", ""))
    assert "write where it answers as base_url" in problem.message


def test_two_of_a_port(folder: Path) -> None:
    """Two systems of one port are refused, and so are two of one id."""
    (problem,) = written(folder, REDMINE + REDMINE.replace("id: redmine", "id: other"))
    assert "'redmine' serves psa already" in problem.message
    assert problem.line == 7
    problems = written(
        folder,
        HUBSPOT.replace("crm.invoice_number", out_field()) + REDMINE.replace("id: redmine", "id: hubspot"),
    )
    assert ["the id 'hubspot' is taken already" in each.message for each in problems] == [True]


@pytest.mark.parametrize(
    ("old", "secret", "kind"),
    [
        ("HUBSPOT_TOKEN", "pat-eu1-0a1b2c3d-1111-2222-3333-444455556666", "a HubSpot token"),
        ("HUBSPOT_TOKEN", "0123456789abcdef0123456789abcdef01234567", "a secret itself"),
        ("HUBSPOT_CLIENT_SECRET", "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy", "a secret itself"),
        ("Europe/Berlin", "ATATT3xFfGF0abcdefghijklmnopqrstuv", "an Atlassian token"),
        ("company.vat_number", "0123456789abcdef0123456789abcdef01234567", "a key"),
        ("port: crm", "port: crm\n  base_url: https://me:hunter22@crm.example.com", "a password"),
        ("zone: Europe/Berlin", "api_key: hunter22", "a secret itself"),
    ],
)  # fmt: skip
def test_secrets(folder: Path, old: str, secret: str, kind: str) -> None:
    """What looks like a secret is refused on its line, with where it belongs, and never repeated."""
    text = HUBSPOT.replace("crm.invoice_number", out_field())
    problems = written(folder, text.replace(old, secret, 1))
    told = [each for each in problems if f"looks like {kind}" in each.message]
    assert len(told) == 1
    assert not told[0].warning
    assert "environment variable" in told[0].message
    value = secret.rpartition(": ")[2]
    assert not [each for each in problems if value in str(each)]


def test_secrets_elsewhere(folder: Path) -> None:
    """A token of a form nothing else has is found in every file of the folder."""
    file = folder / "company.yaml"
    file.write_text(file.read_text().replace("name: My Company", "name: My Company xoxb-1234567890-abcdef"))
    (problem,) = [each for each in read_folder(folder).problems if "a Slack token" in each.message]
    assert problem.file == "company.yaml"
    assert read_folder(folder).company is None


def test_files_of_a_connected_port(folder: Path) -> None:
    """The files of a port a system serves are neither wanted nor read; those of the others are."""
    (folder / "data/psa/projects.yaml").unlink()
    (folder / "data/crm/clients.yaml").write_text("[]\n")
    (folder / "integrations.yaml").write_text(REDMINE)
    told = [each.message for each in read_folder(folder).problems]
    assert any("there is no company in the CRM 'C-1'" in each for each in told)
    assert not [each for each in told if "projects.yaml" in each or "project in the PSA" in each]
