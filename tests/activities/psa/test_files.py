"""The PSA in files: projects, milestones and hours, read afresh and never half."""

import time
from datetime import date, timedelta
from pathlib import Path

import pytest

from activities.psa.files import FilesPsa
from activities.psa.source import PsaSource
from billing.errors import SourceUnavailable
from billing.periods import Period

PROJECTS = """- id: P-1
  name: Portal
  client: C-1
  completed: 2026-11-20
  milestones:
    - {id: concept, title: Concept, signed_off: 2026-11-02}
    - {id: release, title: Release, progress: 40}
- {id: P-0, name: Intranet, client: C-2, progress: 75}
"""
HEADER = "id,project,person,role,day,hours,approved,billable,note\n"
TIME = (
    HEADER
    + "T-3,P-1,Eva,developer,2026-11-30,1.50,yes,yes,last day\n"
    + 'T-1,P-1,Eva,developer,2026-11-01,0.10,no,yes,"first day, with a comma"\n'
    + "\n"
    + "T-2,P-1,Eva,developer,2026-11-01,2,yes,no,\n"
    + "T-4,P-1,Eva,developer,2026-12-01,8,yes,yes,next period\n"
    + "T-5,P-2,Eva,developer,2026-11-15,8,yes,yes,other project\n"
)
NOVEMBER = Period(start=date(2026, 11, 1), end=date(2026, 11, 30))


@pytest.fixture
def psa(tmp_path: Path) -> FilesPsa:
    (tmp_path / "projects.yaml").write_text(PROJECTS)
    (tmp_path / "time.csv").write_text(TIME)
    return FilesPsa(tmp_path)


def test_projects_and_milestones_are_read(psa: PsaSource) -> None:
    """What is completed and signed off comes with its day; what is not there is None."""
    project, done, open_ = (
        psa.project("P-1"),
        psa.milestone("P-1", "concept"),
        psa.milestone("P-1", "release"),
    )
    assert project is not None
    assert project.completed == date(2026, 11, 20)
    assert done is not None
    assert (done.project, done.signed_off) == ("P-1", date(2026, 11, 2))
    assert open_ is not None
    assert open_.signed_off is None
    assert psa.project("P-9") is None
    assert psa.milestone("P-9", "concept") is None
    assert psa.milestone("P-1", "other") is None


def test_hours_of_a_period_come_by_day_with_both_ends(psa: PsaSource) -> None:
    """First and last day belong to the period; unapproved hours come too; figures are exact."""
    entries = psa.time_entries("P-1", NOVEMBER)
    assert [(each.id, str(each.hours), each.approved, each.billable) for each in entries] == [
        ("T-1", "0.10", False, True),
        ("T-2", "2", True, False),
        ("T-3", "1.50", True, True),
    ]
    assert entries[0].note == "first day, with a comma"
    assert psa.time_entries("P-9", NOVEMBER) == ()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "line 1: the file is empty; its first line is id,project,person"),
        (TIME.replace("id,project", "nr,project"), "line 1: column id missing"),
        (HEADER.replace(",", ";"), "line 1: columns id, project, person, role, day, hours missing"),
        (TIME[:-30], "line 7: 5 columns where the header has 9; complete the line"),
        (TIME.replace("1.50", "1:30"), "line 2: hours: '1:30' does not fit; write a figure with a dot"),
        (
            TIME.replace("2026-11-30", "30.11.2026"),
            "line 2: day: '30.11.2026' is not a date; write year-month-day",
        ),
        (TIME.replace("2026-11-30", "2026-11-31"), "line 2: day: '2026-11-31' is not a date"),
        (TIME.replace("T-3,P-1,Eva,developer", "T-3,P-1,Eva,"), "line 2: role: 'role' is missing"),
        (TIME.replace("T-2", "T-1"), "line 5: id: 'T-1' stands in an earlier line"),
        (
            TIME.replace("1.50,yes", "1.50,perhaps"),
            "line 2: approved: 'perhaps' does not fit; write true or false",
        ),
        (TIME.replace("1.50", '"1.50'), "broken CSV"),
        (TIME.replace("1.50", "nan"), "line 2: hours: 'nan' does not fit"),
    ],
)
def test_hours_that_cannot_be_read_refuse_the_file(
    psa: PsaSource, tmp_path: Path, text: str, says: str
) -> None:
    """One wrong line refuses all hours, with file, line and reason: half the hours must never be billed."""
    (tmp_path / "time.csv").write_text(text)
    with pytest.raises(SourceUnavailable) as caught:
        psa.time_entries("P-1", NOVEMBER)
    assert says in str(caught.value)


def test_hours_in_latin_1_are_told(psa: PsaSource, tmp_path: Path) -> None:
    """A file that is not UTF-8 is refused by line instead of read with wrong letters."""
    (tmp_path / "time.csv").write_bytes(TIME.replace("Eva", "Zoë").encode("latin-1"))
    with pytest.raises(SourceUnavailable, match="line 2: not UTF-8 text"):
        psa.time_entries("P-1", NOVEMBER)


def test_a_file_from_a_spreadsheet_is_read(psa: PsaSource, tmp_path: Path) -> None:
    """A byte order mark and Windows line ends do no harm."""
    (tmp_path / "time.csv").write_bytes(b"\xef\xbb\xbf" + TIME.replace("\n", "\r\n").encode())
    assert len(psa.time_entries("P-1", NOVEMBER)) == 3


def test_ten_thousand_hours_are_read_quickly_and_once(psa: PsaSource, tmp_path: Path) -> None:
    """10,000 entries are read in well under a second; unchanged they are not read again."""
    day = date(2026, 11, 1)
    rows = (
        f"T{n},P-{n % 7},Ann,dev,{day + timedelta(n % 30)},{n % 8}.25,yes,yes,note\n" for n in range(10_000)
    )
    (tmp_path / "time.csv").write_text(HEADER + "".join(rows))
    begin = time.process_time()
    entries = psa.time_entries("P-3", NOVEMBER)
    first = time.process_time() - begin
    assert len(entries) == 1429
    assert first < 0.9
    begin = time.process_time()
    assert psa.time_entries("P-3", NOVEMBER) == entries
    assert time.process_time() - begin < first / 5


def test_projects_and_milestones_are_listed(psa: PsaSource) -> None:
    """Projects come by id, milestones as they stand in the file, each with how far it is."""
    assert [(each.id, each.progress) for each in psa.projects()] == [("P-0", 75), ("P-1", 0)]
    assert [(each.id, each.project, each.progress) for each in psa.milestones("P-1")] == [
        ("concept", "P-1", 0),
        ("release", "P-1", 40),
    ]
    assert (psa.milestones("P-0"), psa.milestones("P-9")) == ((), ())


def test_tasks_and_tickets_are_optional(psa: PsaSource, tmp_path: Path) -> None:
    """A PSA may leave these columns out; where it has them, they come along."""
    assert {(each.task, each.ticket) for each in psa.time_entries("P-1", NOVEMBER)} == {("", "")}
    columns = HEADER.replace("note", "task,ticket,note")
    (tmp_path / "time.csv").write_text(columns + "T-1,P-1,Eva,developer,2026-11-01,1,yes,yes,Login,#7,\n")
    (entry,) = psa.time_entries("P-1", NOVEMBER)
    assert (entry.task, entry.ticket, entry.note) == ("Login", "#7", "")


def test_a_column_that_stands_there_twice_is_told(psa: PsaSource, tmp_path: Path) -> None:
    """Of two columns of one name nobody knows which counts."""
    (tmp_path / "time.csv").write_text(
        HEADER.replace("note", "hours") + "T-1,P-1,Eva,dev,2026-11-01,1,yes,yes,9\n"
    )
    with pytest.raises(SourceUnavailable, match="line 1: column hours stands there twice"):
        psa.time_entries("P-1", NOVEMBER)


EXPENSES = (
    "id,project,person,day,description,amount,currency,approved,billable,receipt\n"
    'E-2,P-1,Eva,2026-11-30,"Hotel, two nights",180.40,EUR,yes,yes,R-77\n'
    "E-1,P-1,Eva,2026-11-01,Train,39.90,CHF,no,yes,\n"
    "E-3,P-1,Eva,2026-12-01,Taxi,20,EUR,yes,yes,\n"
)


def test_expenses_of_a_period_come_by_day(psa: PsaSource, tmp_path: Path) -> None:
    """First and last day belong to it; amounts are exact and keep their currency."""
    (tmp_path / "expenses.csv").write_text(EXPENSES)
    found = psa.expenses("P-1", NOVEMBER)
    assert [(each.id, str(each.amount), each.currency, each.approved) for each in found] == [
        ("E-1", "39.90", "CHF", False),
        ("E-2", "180.40", "EUR", True),
    ]
    assert (found[1].description, found[1].receipt) == ("Hotel, two nights", "R-77")


def test_a_psa_without_expenses_has_none(psa: PsaSource, tmp_path: Path) -> None:
    """The file may be missing, and may come and go while Billow runs."""
    assert psa.expenses("P-1", NOVEMBER) == ()
    (tmp_path / "expenses.csv").write_text(EXPENSES)
    assert len(psa.expenses("P-1", NOVEMBER)) == 2
    (tmp_path / "expenses.csv").unlink()
    assert psa.expenses("P-1", NOVEMBER) == ()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "",
            "line 1: the file is empty; its first line is id,project,person,day,description,amount,currency",
        ),
        (EXPENSES.replace("amount", "sum"), "line 1: column amount missing"),
        (EXPENSES.replace("39.90", "39,90"), "line 3: 11 columns where the header has 10"),
        (EXPENSES.replace("39.90", "ca. 40"), "line 3: amount: 'ca. 40' does not fit"),
        (EXPENSES.replace("Taxi", ""), "line 4: description: 'description' is missing"),
        (EXPENSES.replace("E-1", "E-2"), "line 3: id: 'E-2' stands in an earlier line"),
    ],
)
def test_expenses_that_cannot_be_read_refuse_the_file(
    psa: PsaSource, tmp_path: Path, text: str, says: str
) -> None:
    """One wrong line refuses all expenses, with file, line and reason."""
    (tmp_path / "expenses.csv").write_text(text)
    with pytest.raises(SourceUnavailable) as caught:
        psa.expenses("P-1", NOVEMBER)
    assert says in str(caught.value)
    assert "expenses.csv" in str(caught.value)
