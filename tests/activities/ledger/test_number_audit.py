"""`billow audit numbers`: every way in which numbers can be wrong is found and named."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from click.testing import CliRunner, Result

from activities.ledger import company_records, invoices, number_audit, number_series
from activities.ledger.database import Ledger
from activities.ledger.number_audit import Kind
from activities.ledger.opening_items import import_opening_item
from activities.ledger.tables import NumberSeriesRow
from billing.draft import Draft
from billing.opening_item import OpeningItem
from billing.parties import Issuer
from starter.cli import main
from tests.activities.ledger.conftest import tamper
from tests.starter.web.story import NOW, Story

WRONG: dict[str, tuple[str, Kind, str]] = {
    "one missing": (
        "update invoices set number = null, issue_date = null, document_status = 'draft' where number like '%-00002'",
        Kind.GAP,
        "ELB-2026-00002 is missing",
    ),
    "several missing": (
        "update invoices set number = 'ELB-2026-00009' where number like '%-00005'",
        Kind.GAP,
        "ELB-2026-00005 to ELB-2026-00008 are missing, 4 numbers",
    ),
    "last missing": (
        "delete from invoices where number like '%-00005'",
        Kind.GAP,
        "ELB-2026-00005 is missing",
    ),
    "all missing": ("delete from invoices", Kind.GAP, "2026-00001 to 2026-00005 are missing, 5 numbers"),
    "double": (
        "update invoices set number = 'XXX-2026-00002' where number like '%-00003'",
        Kind.DOUBLE,
        "XXX-2026-00002 (manual/c) takes a place that is taken already",
    ),
    "out of order": (
        "update invoices set issue_date = issue_date - 30 where number like '%-00003'",
        Kind.ORDER,
        "ELB-2026-00003 is dated 2026-10-21, before ELB-2026-00002 of 2026-11-20",
    ),
    "other prefix": (
        "update invoices set number = 'XXX-2026-00003' where number like '%-00003'",
        Kind.FORM,
        "XXX-2026-00003 is no number of this series; the series gives ELB-2026-00003",
    ),
    "surplus digits": (
        "update invoices set number = 'ELB-2026-000003' where number like '%-00003'",
        Kind.FORM,
        "ELB-2026-000003 is no number of this series; the series gives ELB-2026-00003",
    ),
    "other year": (
        "update invoices set number = 'ELB-2025-00003' where number like '%-00003'",
        Kind.FORM,
        "ELB-2025-00003 is no number of this series; the series gives ELB-2026-00003",
    ),
    "no number at all": (
        "update invoices set number = 'nonsense' where number like '%-00003'",
        Kind.FORM,
        "nonsense is no number of this series",
    ),
    "nought": (
        "update invoices set number = 'ELB-2026-00000' where number like '%-00003'",
        Kind.FORM,
        "ELB-2026-00000 is no number of this series",
    ),
    "number taken away": (
        "update invoices set number = null where number like '%-00003'",
        Kind.FORM,
        "manual/c is issued, without a number",
    ),
    "series behind": (
        "update number_series set last = 3",
        Kind.SERIES,
        "the series stands at 3 of 2026, although ELB-2026-00005 was given already",
    ),
    "series in another year": (
        "update number_series set year = 2025",
        Kind.SERIES,
        "the series stands at 5 of 2025, although ELB-2026-00005 was given already",
    ),
    "series ahead": (
        "update number_series set last = 7",
        Kind.GAP,
        "ELB-2026-00006 to ELB-2026-00007 are missing, 2 numbers",
    ),
    "series in a later year": (
        "update number_series set year = 2027, last = 1",
        Kind.GAP,
        "ELB-2027-00001 is missing",
    ),
    "series of another day": (
        "update number_series set last_date = '2026-12-24'",
        Kind.SERIES,
        "ELB-2026-00005 is dated 2026-11-20, but its series says 2026-12-24",
    ),
    "series lost": (
        "delete from number_series",
        Kind.SERIES,
        "the series of elbwerk is lost and would begin anew, although ELB-2026-00005 was given",
    ),
    "not in the trail": (
        "update audit_events set event = 'viewed' where event = 'issued' and facts->>'number' like '%-00003'",
        Kind.RECORD,
        "ELB-2026-00003, audit trail: no event says that it was issued",
    ),
    "twice in the trail": (
        """
        update audit_events set event = 'issued' where facts->>'number' is null
        and invoice = (select id from invoices where number like '%-00003')
        """,
        Kind.RECORD,
        "ELB-2026-00003, audit trail: issued 2 times",
    ),
    "only in the trail": (
        "update invoices set number = null, document_status = 'draft' where number like '%-00003'",
        Kind.RECORD,
        "ELB-2026-00003 was issued, but manual/c has no number now",
    ),
    "other amount": (
        "update invoices set gross = 1 where number like '%-00003'",
        Kind.RECORD,
        "ELB-2026-00003: gross is 1.00, but 8500.00 was issued",
    ),
    "no amount": (
        "update invoices set gross = null where number like '%-00003'",
        Kind.RECORD,
        "ELB-2026-00003: gross is nothing, but 8500.00 was issued",
    ),
    "amount in the trail is nonsense": (
        """update audit_events set facts = facts || '{"gross": "much"}' where facts->>'number' like '%-00003'""",
        Kind.RECORD,
        "ELB-2026-00003: gross is 8,500.00, but much was issued",
    ),
    "other due date": (
        "update invoices set due_date = '2026-12-31' where number like '%-00003'",
        Kind.RECORD,
        "ELB-2026-00003: due date is 2026-12-31, but 2026-12-04 was issued",
    ),
    "other currency": (
        "update invoices set currency = 'USD' where number like '%-00003'",
        Kind.RECORD,
        "ELB-2026-00003: currency is USD, but EUR was issued",
    ),
    "other draft": (
        """update invoices set draft = jsonb_set(draft, '{lines,0,net}', '"1.00"') where number like '%-00003'""",
        Kind.RECORD,
        "ELB-2026-00003: the stored draft is not the one that was approved",
    ),
    "no draft": (
        "update invoices set draft = null where number like '%-00003'",
        Kind.RECORD,
        "ELB-2026-00003: the stored draft is not the one that was approved",
    ),
}


def billow(ledger: Ledger, *arguments: str, code: int = 0) -> Result:
    environment = {"BILLOW_DATABASE_URL": ledger.url, "COLUMNS": "80", "BILLOW_AS": None}
    result = CliRunner().invoke(main, ["audit", "numbers", *arguments], env=environment)
    assert result.exit_code == code, result.output
    assert max(map(len, result.stdout.splitlines()), default=0) <= 80 or "--json" in arguments
    return result


def answer(ledger: Ledger, *arguments: str, code: int = 0) -> Any:
    return json.loads(billow(ledger, *arguments, "--json", code=code).stdout)


@pytest.fixture
def five(story: Story) -> Ledger:
    """Five issued invoices, a draft, a voided draft and an opening item."""
    for key in "abcde":
        story.issued(key)
    story.drafted("still a draft")
    opening_item(story.ledger)
    return story.ledger


def opening_item(ledger: Ledger, number: str = "OLD/7") -> None:
    item = OpeningItem(
        number=number,
        client="nordlicht",
        title="Before",
        issue_date=NOW.date() - timedelta(days=90),
        due_date=NOW.date() - timedelta(days=60),
        currency="EUR",
        net="100.00",  # type: ignore[arg-type]
        tax="19.00",  # type: ignore[arg-type]
        gross="119.00",  # type: ignore[arg-type]
    )
    with ledger.transaction() as tx:
        current = company_records.current(tx)
        import_opening_item(tx, item, current.company, current.version, by="lena", at=NOW)


def test_all_is_well(five: Ledger) -> None:
    """Numbers that hold are shown as a table of series, opening items left out, exit code 0."""
    said = billow(five).stdout
    assert said == (
        "ISSUER   DOCUMENT  YEAR  FIRST           LAST            COUNT\n"
        "elbwerk  invoice   2026  ELB-2026-00001  ELB-2026-00005      5\n"
        "\n"
        "1 opening item keeps its number from the system before, not checked here.\n"
        "The numbers of 5 invoices in 1 series hold: no gap, no double, in order of date.\n"
    )
    found = answer(five)
    assert (found["holds"], found["invoices"], found["opening_items"], found["problems"]) == (True, 5, 1, [])


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_is_named(five: Ledger, what: str) -> None:
    """Each wrong number is named with its kind and the reason, exit code 1."""
    statement, kind, reason = WRONG[what]
    tamper(five, statement)
    found = answer(five, code=1)
    assert [each["kind"] for each in found["problems"] if each["reason"] == reason] == [kind], found[
        "problems"
    ]
    said = billow(five, code=1).stdout
    assert reason in " ".join(said.split())
    assert "do not hold in" in said


def test_nothing_yet(story: Story) -> None:
    """Before the first invoice there is nothing to check, and that is said."""
    assert billow(story.ledger).stdout == "No invoice is issued yet, so there is no number to check.\n"
    story.drafted("one")
    assert answer(story.ledger)["series"] == []


def test_one_invoice(story: Story) -> None:
    """One invoice is told in the singular."""
    story.issued("one")
    assert "The numbers of 1 invoice in 1 series hold" in billow(story.ledger).stdout
    tamper(story.ledger, "update invoices set gross = 1")
    assert "The numbers of 1 invoice do not hold in 1 place;" in billow(story.ledger, code=1).stdout


def test_years(story: Story) -> None:
    """Each year is a series of its own; the one that is over is checked too."""
    for days in (-400, -399, -30, 0):
        story.issued(f"at {days}", at=NOW + timedelta(days=days))
    found = answer(story.ledger)["series"]
    assert [(each["year"], each["first"], each["last"]) for each in found] == [
        (2025, "ELB-2025-00001", "ELB-2025-00002"),
        (2026, "ELB-2026-00001", "ELB-2026-00002"),
    ]
    tamper(story.ledger, "delete from invoices where number = 'ELB-2025-00001'")
    assert [each["reason"] for each in answer(story.ledger, code=1)["problems"]] == [
        "ELB-2025-00001 is missing"
    ]


def test_one_issuer(five: Ledger) -> None:
    """An issuer can be checked alone; one that does not exist is refused with those that do."""
    assert answer(five, "--issuer", "elbwerk")["invoices"] == 5
    refused = billow(five, "--issuer", "rheinwerk", code=1)
    assert "there is no issuer 'rheinwerk'; there are: elbwerk" in refused.stderr
    tamper(five, "update number_series set issuer = 'former'")
    assert answer(five, "--issuer", "former", code=1)["problem_count"] == 1


def test_many_problems(five: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many problems are all counted, and named up to a limit."""
    monkeypatch.setattr(number_audit, "NAMED_AT_MOST", 2)
    tamper(five, "update invoices set gross = 1")
    found = answer(five, code=1)
    assert (found["problem_count"], len(found["problems"])) == (5, 2)
    assert "and 3 more" in billow(five, code=1).stdout


def test_changed_prefix(story: Story) -> None:
    """An issuer may change its prefix within a year: the count goes on, and that is no fault."""
    story.issued("one")
    two = story.drafted("two")
    with story.ledger.transaction() as tx:
        row = invoices.locked(tx, two)
        draft = invoices.draft_of(row)
        issuer = draft.issuer.model_copy(update={"number_prefix": "EW-"})
        invoices.put_draft(tx, row, draft.model_copy(update={"issuer": issuer}))
        assert number_series.issue(tx, row, at=NOW) == "EW-2026-00002"
    assert answer(story.ledger)["holds"]


def issue_as(story: Story, key: str, at: datetime = NOW, kind: str = "invoice", **issuer: Any) -> str:
    """Issues a draft of that kind, by an issuer who is as said."""
    with story.ledger.transaction() as tx:
        row = invoices.locked(tx, story.drafted(key))
        draft = Draft.model_validate({**invoices.draft_of(row).model_dump(), "kind": kind})
        seller = Issuer.model_validate({**draft.issuer.model_dump(), **issuer})
        invoices.put_draft(tx, row, draft.model_copy(update={"issuer": seller}))
        return number_series.issue(tx, row, at=at)


def test_kinds_of_documents(story: Story) -> None:
    """Credit notes and pro forma invoices count for themselves; a final invoice counts with the invoices."""
    kinds = (
        "invoice",
        "credit note",
        "final invoice",
        "pro forma invoice",
        "credit note",
        "corrected invoice",
    )
    assert [issue_as(story, kind + str(n), kind=kind) for n, kind in enumerate(kinds)] == [
        "ELB-2026-00001",
        "ELB-CN26-00001",
        "ELB-2026-00002",
        "ELB-PF26-00001",
        "ELB-CN26-00002",
        "ELB-2026-00003",
    ]
    assert [
        (each["document_type"], each["year"], each["count"]) for each in answer(story.ledger)["series"]
    ] == [
        ("credit note", 2026, 2),
        ("invoice", 2026, 3),
        ("pro forma invoice", 2026, 1),
    ]
    assert "The numbers of 6 invoices in 3 series hold" in billow(story.ledger).stdout
    tamper(story.ledger, "delete from invoices where number = 'ELB-CN26-00001'")
    tamper(story.ledger, "delete from number_series where document_type = 'pro forma invoice'")
    assert {each["reason"] for each in answer(story.ledger, code=1)["problems"]} == {
        "ELB-CN26-00001 is missing",
        "the pro forma invoice series of elbwerk is lost and would begin anew, although ELB-PF26-00001 was given",
    }


OWN: dict[str, Any] = {"numbers": {"invoice": "{number:02}/{yy}.HW"}, "fiscal_year_starts": 4}


def test_patterns_and_fiscal_years(story: Story) -> None:
    """Numbers of a pattern of its own are read by it, and their years are the issuer's."""
    days = (datetime(2026, 3, 31, 12, tzinfo=UTC), datetime(2026, 4, 1, 12, tzinfo=UTC), NOW)
    numbers = [issue_as(story, str(n), at, **OWN) for n, at in enumerate(days)]
    assert numbers == ["01/25.HW", "01/26.HW", "02/26.HW"]
    found = answer(story.ledger)
    assert [(each["year"], each["first"], each["last"]) for each in found["series"]] == [
        (2025, "01/25.HW", "01/25.HW"),
        (2026, "01/26.HW", "02/26.HW"),
    ]
    tamper(story.ledger, "update invoices set number = '05/26.HW' where number = '02/26.HW'")
    reasons = {each["reason"] for each in answer(story.ledger, code=1)["problems"]}
    assert {"02/26.HW to 04/26.HW are missing, 3 numbers"} <= reasons
    tamper(story.ledger, "update invoices set number = '1/26.HW' where number = '05/26.HW'")
    reasons = {each["reason"] for each in answer(story.ledger, code=1)["problems"]}
    assert "1/26.HW is no number of this series; the series gives 01/26.HW" in reasons
    assert any(reason.endswith("takes a place that is taken already") for reason in reasons)


def test_a_pattern_that_changes_within_a_year(story: Story) -> None:
    """An issuer that writes its numbers another way goes on counting, and nothing is missing."""
    assert issue_as(story, "one") == "ELB-2026-00001"
    own: dict[str, Any] = {"numbers": {"invoice": "HW{year}/{number:03}"}}
    assert issue_as(story, "two", **own) == "HW2026/002"
    assert issue_as(story, "three", **own) == "HW2026/003"
    assert answer(story.ledger)["holds"]


def test_a_series_taken_over(story: Story) -> None:
    """Numbers the system before has given are no gap where they stand on opening items; the others are named."""
    for number in ("ELB-2026-00001", "ELB-2026-00003", "ELB-2026-00004"):
        opening_item(story.ledger, number)
    with story.ledger.transaction() as tx:
        tx.add(NumberSeriesRow(issuer="elbwerk", document_type="invoice", year=2026, last=4))
    story.issued("one")
    found = answer(story.ledger, code=1)
    assert [each["reason"] for each in found["problems"]] == ["ELB-2026-00002 is missing"]
    assert [(each["first"], each["count"], each["on_opening_items"]) for each in found["series"]] == [
        ("ELB-2026-00005", 1, 3)
    ]
    opening_item(story.ledger, "ELB-2026-00002")
    assert answer(story.ledger)["holds"]
    said = " ".join(billow(story.ledger).stdout.split())
    assert "4 numbers before ELB-2026-00005 stand on them" in said


def test_a_gap_without_end(story: Story) -> None:
    """A number of eighteen digits is one gap, told at once."""
    story.issued("one")
    tamper(story.ledger, "update invoices set number = 'ELB-2026-999999999999999999'")
    problems = answer(story.ledger, code=1)["problems"]
    assert "ELB-2026-00001 to ELB-2026-999999999999999998 are missing, 999,999,999,999,999,998 numbers" in {
        each["reason"] for each in problems
    }
