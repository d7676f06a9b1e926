"""`billow tax explain`: which tax, why, from which facts of which records, and what to do where no rule decides."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from activities.company.sample import write_starter
from activities.ledger import tax_id_checks
from billing.taxes.facts import IdEvidence
from starter.cli import context
from tests.company import client, crm_client
from tests.starter.cli.conftest import KEY_OF_ACME, Desk

AT = datetime(2026, 11, 20, 9, tzinfo=UTC)


def _address(country: str, **more: str) -> dict[str, str]:
    return {"street": "Main 1", "postcode": "1010", "city": "Town", "country": country, **more}


@pytest.fixture
def taxed(desk: Desk) -> Desk:
    """Clients in Germany, France, Texas, and a Frenchman without a VAT id; a rule for Swiss training."""
    company = desk.company
    company.clients += [
        client("paris", "C-2"),
        client("dallas", "C-3"),
        client("lyon", "C-4"),
        client("zug", "C-5"),
    ]
    company.crm += [
        crm_client("C-2", "Paris SA", vat_id="FR40303265045", address=_address("FR")),
        crm_client("C-3", "Dallas Inc", vat_id="", address=_address("US", region="TX")),
        crm_client("C-4", "Lyon SARL", vat_id="", address=_address("FR")),
        crm_client("C-5", "Zug AG", vat_id="", address=_address("CH")),
    ]
    rule = {
        "id": "T-1",
        "when": {"client_country": "CH", "service": ["training"]},
        "category": "S",
        "rate": "19",
        "reason": "held in Berlin, letter of the adviser",
        "since": "2026-01-01",
        "source": "letter of 3 May 2026",
    }
    company.company_file = {"tax": {"rules": [rule]}}
    company.apply(desk.effects.ledger)
    return desk


def facts(found: Any) -> dict[str, tuple[str, str]]:
    return {each["name"]: (each["value"], each["origin"]) for each in found["facts"]}


def test_an_agreement(taxed: Desk) -> None:
    """Germany at home: 19 %, by which article and source, from issuer, CRM and agreement."""
    found = taxed.read("tax", "explain", "--agreement", "acme-care", "--on", "2026-11-22")
    assert [(each["name"], each["category"], each["rate"]) for each in found["taxes"]] == [("VAT", "S", "19")]
    assert found["known"] and found["sources"] and found["tax_point"] == "2026-11-22"
    told = facts(found)
    assert told["seller in"] == ("DE 10827", "issuer berlin, address")
    assert told["client's tax id"] == ("DE129273398", "CRM C-1, vat_id")
    assert told["service"] == ("consulting", "agreement acme-care, service")


def test_a_client(taxed: Desk) -> None:
    """A French business with a VAT id: reverse charge by Art. 196, with the words that stand on the document."""
    shown = taxed.type("tax", "explain", "--client", "paris", "--on", "2026-11-22").stdout
    assert shown.startswith("VAT (AE): reverse charge: the client is liable\n")
    words = " ".join(shown.split())
    for said in ("Art. 196", "Reverse charge: the recipient is liable", "FR40303265045 CRM C-2, vat_id"):
        assert said in words
    assert all(len(line) <= 80 for line in shown.splitlines())


def test_what_no_rule_decides(taxed: Desk) -> None:
    """A French business without a VAT id stops: what is missing, where, and what to do next."""
    shown = taxed.type("tax", "explain", "--client", "lyon").stdout
    assert shown.startswith("Stops for a person\n")
    words = " ".join(shown.split())
    assert "What to do" in words and "client's tax id missing CRM C-4, vat_id" in words
    found = taxed.read("tax", "explain", "--client", "lyon")
    assert (found["known"], found["taxes"]) == (False, []) and found["next_step"] and found["missing"]


def test_a_rule_of_the_company(taxed: Desk) -> None:
    """The rule that decided is named with its reason, its days and its source; other services are not its."""
    found = taxed.read("tax", "explain", "--client", "zug", "--service", "training", "--on", "2026-06-01")
    assert found["rule"] == {
        "id": "T-1",
        "reason": "held in Berlin, letter of the adviser",
        "since": "2026-01-01",
        "until": None,
        "source": "letter of 3 May 2026",
    }
    assert "company rule T-1" in found["why"] and found["sources"] == ["letter of 3 May 2026"]
    assert taxed.read("tax", "explain", "--client", "zug", "--on", "2026-06-01")["rule"] is None


def test_an_invoice(taxed: Desk) -> None:
    """An invoice, by key or number, is explained with the end of its billed period as tax point."""
    number = taxed.issue()
    found = taxed.read("tax", "explain", number)
    assert found == taxed.read("tax", "explain", KEY_OF_ACME)
    assert [each["rate"] for each in found["taxes"]] == ["19"]
    (_, origin) = facts(found)["tax point"]
    assert origin.startswith("supply ")


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        ([], 2, "name one of"),
        (["X", "--client", "paris"], 2, "name one of"),
        (["--agreement", "acme-care", "--service", "training"], 2, "go with --client"),
        (["X", "--on", "2026-01-01"], 2, "an invoice has its own days"),
        (["--client", "paris", "--service", "cooking"], 2, "consulting"),
        (["--client", "rome"], 1, "there is no client 'rome'"),
        (["--client", "paris", "--issuer", "rome"], 1, "there are: berlin"),
        (["--agreement", "none"], 1, "there is no agreement 'none'"),
        (["B-1"], 1, "no invoice has"),
    ],
)
def test_what_is_not_there(taxed: Desk, arguments: list[str], code: int, says: str) -> None:
    """Wrong usage is exit code 2, what is not there 1; both say what to write instead."""
    assert says in " ".join(taxed.type("tax", "explain", *arguments, code=code).stderr.split())


def test_what_an_authority_said(taxed: Desk) -> None:
    """A check of the client's VAT id that is kept in the ledger is a fact, with its receipt; a bad one stops."""
    with taxed.effects.ledger.transaction() as tx:
        answer = IdEvidence(number="FR40303265045", valid=True, checked_on=AT.date(), receipt="WAPI-7")
        tax_id_checks.keep(tx, answer, AT)
    good = taxed.read("tax", "explain", "--client", "paris")
    assert facts(good)["checked"] == ("FR40303265045 valid on 2026-11-20", "VIES WAPI-7")
    with taxed.effects.ledger.transaction() as tx:
        tax_id_checks.keep(tx, answer.model_copy(update={"valid": False}), AT + timedelta(hours=1))
    bad = taxed.read("tax", "explain", "--client", "paris")
    assert not bad["known"] and "not valid" in bad["why"]


def test_check_warns_of_old_rates(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Years later `billow check` warns once of packaged rates to look up again; today it does not."""
    folder = desk.folder / "starter"
    write_starter(folder, AT.date())

    def old(year: int) -> list[str]:
        monkeypatch.setattr(context, "now", lambda: AT.replace(year=year))
        problems = desk.read("check", folder)["problems"]
        return [each["message"] for each in problems if "looked up again" in each["message"]]

    assert old(2026) == []
    (warning,) = old(2035)
    assert "tax rates that come with Billow" in warning


def test_what_was_taken_over(taxed: Desk) -> None:
    """An invoice of the system before has no facts here: refused, not guessed."""
    assert "taken over" in taxed.type("tax", "explain", taxed.opening_item(), code=1).stderr
