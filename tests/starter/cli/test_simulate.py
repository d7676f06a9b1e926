"""`billow simulate`: what a user sees, and that nothing happens."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from sqlalchemy import text

from activities.ledger.tables import Table
from tests.mail_server import MailServer
from tests.starter.cli.conftest import Desk


@pytest.fixture
def sample(empty_desk: Desk) -> Path:
    """The folder of the sample company, applied."""
    folder = empty_desk.folder / "sample"
    empty_desk.type("init", folder, "--sample")
    empty_desk.type("apply", folder, "--as", "lena")
    return folder


def _rows(desk: Desk) -> dict[str, Any]:
    query = "select md5(string_agg(row::text, ';' order by row::text)) from {} as row"
    with desk.effects.ledger.transaction() as tx:
        return {each.name: tx.scalar(text(query.format(each.name))) for each in Table.metadata.sorted_tables}


def test_nothing_happens(empty_desk: Desk, sample: Path, smtp: MailServer) -> None:
    """Whatever is simulated, no row of any table is added, changed or removed, and no mail goes out."""
    before = _rows(empty_desk)
    empty_desk.type("simulate", "--months", "2")
    empty_desk.type("simulate", "--compare", "--months", "2", "--never-pay", "--never-approve")
    empty_desk.type("simulate", "--from-nothing", "--expect", "--months", "1", "--json")
    assert _rows(empty_desk) == before
    assert not smtp.messages()


def test_table(empty_desk: Desk, sample: Path) -> None:
    """Assumptions first, then day by day within 80 columns, sums by currency, and what waits for an event."""
    shown = empty_desk.type("simulate", "--months", "2", "--pay-after", "3").output
    assert max(map(len, shown.splitlines())) <= 80
    assert "Assumed: approved at once; paid 3 days after the due date" in shown
    assert "tax-unknown: the client in FR has no VAT id" in shown and "(asks tomasz)" in shown
    assert "billed, sent      EUR 4,641.00" in shown
    assert shown.index("EXPECTED CASH") < shown.index("Bills once this has happened")
    assert "CHF 14,000.00 net" in shown
    assert shown.count("the client in FR has no VAT id") == 1, "the reason is said once"


def test_json(empty_desk: Desk, sample: Path) -> None:
    """Every act with instant, amount and reason; only the client's if one is named; what is issued sums up."""
    found = empty_desk.read("simulate", "--months", "3", "--client", "spreebogen")
    assert {each["client"] for each in found["steps"]} == {"spreebogen"}
    assert found["assumptions"] == {"approve_after_hours": 0.0, "pay_after_days": 0, "expect": False}
    issued = [each for each in found["steps"] if each["act"] == "issued"]
    assert {(each["amount"], each["currency"]) for each in issued} == {("4641.00", "EUR")}
    assert all(datetime.fromisoformat(each["at"]) >= datetime.now(UTC).replace(hour=0) for each in issued)
    by_month = [each["issued"] for each in found["months"]]
    assert sum(each == "4641.00" for each in by_month) == len(issued)


def test_from_where_the_ledger_stands(empty_desk: Desk, sample: Path) -> None:
    """What is billed is not billed again, an open invoice is collected on; from nothing, it is billed."""
    asked = empty_desk.read("trigger", "--agreement", "spreebogen-support", "--as", "lena")
    key = asked["invoices"][0]["billing_key"]
    empty_desk.work(key)

    def acts(*more: str) -> list[str]:
        steps = empty_desk.read("simulate", "--agreement", "spreebogen-support", *more)["steps"]
        return [each["act"] for each in steps if each["billing_key"] == key]

    assert acts() == ["courtesy-note", "paid"]
    assert acts("--from-nothing") == ["billed", "issued", "sent", "courtesy-note", "paid"]


@pytest.mark.parametrize(
    ("agreement", "steps", "acts"),
    [
        ("maplecare-platform", 1, ["approval reminded", "approval escalated", "approved", "issued", "sent"]),
        ("atelier-hosting", 1, ["held"]),
        ("spreebogen-support", 0, ["billed", "issued", "sent"]),
    ],
    ids=["awaiting approval", "held", "not assembled yet"],
)
def test_drafts_go_on(empty_desk: Desk, sample: Path, agreement: str, steps: int, acts: list[str]) -> None:
    """A draft goes on from where it stands: a question that was asked is not asked again."""
    key = empty_desk.read("trigger", "--agreement", agreement, "--as", "lena")["invoices"][0]["billing_key"]
    if steps:
        empty_desk.work(key)
    found = empty_desk.read("simulate", "--agreement", agreement, "--approve-after", "30")["steps"]
    of_it = [each for each in found if each["billing_key"] == key]
    assert [each["act"] for each in of_it][: len(acts)] == acts
    assert of_it[0]["who"] == {"held": "tomasz", "approval reminded": "tomasz, amira"}.get(acts[0], "")


def test_compare(empty_desk: Desk, sample: Path) -> None:
    """An unchanged folder changes nothing and says so; a renamed agreement comes and goes, with the money."""
    assert "Nothing: everything would happen" in empty_desk.type("simulate", "--compare").output
    agreements = sample / "agreements.yaml"
    agreements.write_text(agreements.read_text().replace("- id: quickstep-care ", "- id: quickstep-look "))
    shown = empty_desk.type("simulate", "--compare", "--months", "1", "--client", "quickstep").output
    assert "-  quickstep-care/fee/" in shown and "+  quickstep-look/fee/" in shown
    assert "gone" in shown and "the same is invoiced" in shown
    dunning = sample / "dunning.yaml"
    dunning.write_text(
        dunning.read_text().replace("courtesy_before_due: {days: 3}", "courtesy_before_due: {days: 9}")
    )
    found = empty_desk.read("simulate", "--compare", "--months", "2", "--agreement", "spreebogen-support")
    assert {(each["act"], *each["changes"]) for each in found["differences"]} == {("courtesy-note", "moved")}


def test_compare_names_a_reason_once(empty_desk: Desk, sample: Path) -> None:
    """Each invoice an edit holds says since when; the reason they share is told with the first only."""
    agreements = sample / "agreements.yaml"
    agreements.write_text(agreements.read_text().replace("amount: 3900.00", "amount: 4100.00"))
    asked = ("--compare", "--months", "3", "--agreement", "spreebogen-support")
    shown = " ".join(empty_desk.type("simulate", *asked).output.split())
    assert shown.count("held: added ") > 1
    assert shown.count("4,100.00 EUR against contract 3,900.00 EUR") == 1
    assert shown.count("held: for the same reason") == shown.count("held: added ") - 1


def test_picture(empty_desk: Desk, sample: Path) -> None:
    """The picture is an SVG that stands on its own: a panel a currency, each bar with its amount."""
    target = empty_desk.folder / "picture.svg"
    empty_desk.type("simulate", "--picture", target)
    root = ElementTree.parse(target).getroot()
    texts = [each.text for each in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"CAD", "CHF", "EUR", "USD", "issued", "expected cash"} <= set(texts)
    told = [each.text for each in root.iter("{http://www.w3.org/2000/svg}title")]
    assert any("issued: CHF 6,500.00" in str(each) for each in told)


def test_empty(empty_desk: Desk, sample: Path) -> None:
    """A client with nothing to come is said to have nothing, and a picture of nothing is one."""
    target = empty_desk.folder / "picture.svg"
    shown = empty_desk.type("simulate", "--client", "sahyadri", "--picture", target).output
    assert "Nothing would be billed, sent or paid" in shown and "project P-2060 completed" in shown
    assert "No amounts in this time." in target.read_text()


@pytest.mark.parametrize(
    ("arguments", "code", "reason"),
    [
        (["--client", "spreebogn"], 1, "did you mean 'spreebogen'"),
        (["--agreement", "nothing"], 1, "there is no agreement 'nothing'"),
        (["--folder", "nowhere"], 1, "`billow check nowhere` names"),
        (["--months", "0"], 2, "1<=x<=36"),
        (["--never-pay", "--pay-after", "1"], 2, "exclude each other"),
        (["--never-approve", "--approve-after", "1"], 2, "exclude each other"),
        (["--compare", "--picture", "p.svg"], 2, "leave out --compare"),
        (["--picture", "no/such/folder/p.svg"], 1, "No such file or directory"),
    ],
)
def test_refused(empty_desk: Desk, sample: Path, arguments: list[str], code: int, reason: str) -> None:
    """What cannot be simulated is said, with what to do."""
    assert reason in empty_desk.type("simulate", *arguments, code=code).output


def test_no_company(empty_desk: Desk) -> None:
    """Without a company that runs, a folder must be named; with one it is simulated."""
    assert "no company has been applied yet" in empty_desk.type("simulate", code=1).output
    empty_desk.type("init", empty_desk.folder / "sample", "--sample")
    shown = empty_desk.type("simulate", "--folder", empty_desk.folder / "sample", "--months", "1").output
    assert "spreebogen-support/fee/" in shown
