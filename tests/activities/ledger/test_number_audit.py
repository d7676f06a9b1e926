"""`billow audit numbers`: every way in which numbers can be wrong is found and named."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from click.testing import CliRunner, Result

from activities.ledger import company_records, number_audit
from activities.ledger.collection import import_opening_item
from activities.ledger.database import Ledger
from activities.ledger.number_audit import Kind
from billing.opening_item import OpeningItem
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
    from activities.ledger import invoices, number_series

    with story.ledger.transaction() as tx:
        row = invoices.locked(tx, two)
        draft = invoices.draft_of(row)
        issuer = draft.issuer.model_copy(update={"number_prefix": "EW-"})
        invoices.put_draft(tx, row, draft.model_copy(update={"issuer": issuer}))
        assert number_series.issue(tx, row, at=NOW) == "EW-2026-00002"
    assert answer(story.ledger)["holds"]
