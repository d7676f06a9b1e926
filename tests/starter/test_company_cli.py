"""`billow init`, `check` and `apply`: what people and programs see, and the exit codes."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from activities.ledger.company_records import current
from activities.ledger.database import Ledger
from starter.cli import main


def billow(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(each) for each in arguments])


@pytest.fixture
def ledger(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ledger]:
    monkeypatch.setenv("BILLOW_DATABASE_URL", database_url)
    monkeypatch.setenv("BILLOW_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("BILLOW_AS", raising=False)
    opened = Ledger(database_url)
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ([], "No problems in {folder}"),
        (["--sample"], "agreements.yaml:22 warning: not approved: changes nothing"),
    ],
)
def test_init_writes_a_folder_that_checks_clean(tmp_path: Path, options: list[str], says: str) -> None:
    """What init writes can run, and init says what to do next; the sample's change order is a warning."""
    folder = tmp_path / "company"
    written = billow("init", folder, *options)
    assert written.exit_code == 0, written.output
    assert f"billow check {folder}" in written.output
    checked = billow("check", folder)
    assert checked.exit_code == 0, checked.output
    assert " ".join(checked.output.split()).startswith(says.format(folder=folder))


def test_init_overwrites_nothing(tmp_path: Path) -> None:
    """A folder with content, and a file, are refused with exit code 1; a fresh repository is not."""
    (tmp_path / "company").mkdir()
    (tmp_path / "company" / ".git").mkdir()
    assert billow("init", tmp_path / "company").exit_code == 0
    again = billow("init", tmp_path / "company")
    assert again.exit_code == 1
    assert "is not empty" in again.stderr
    (tmp_path / "file").write_text("kept")
    refused = billow("init", tmp_path / "file")
    assert refused.exit_code == 1
    assert (tmp_path / "file").read_text() == "kept"


def test_check_shows_every_problem_within_80_columns(tmp_path: Path) -> None:
    """Errors end with exit code 1, in lines that fit a terminal; the summary counts them right."""
    billow("init", tmp_path)
    agreements = tmp_path / "agreements.yaml"
    agreements.write_text(
        agreements.read_text().replace("currency: EUR", "currency: \x1b[31mEUX").replace("every: ", "evry: ")
    )
    broken = billow("check", tmp_path)
    assert broken.exit_code == 1
    assert max(map(len, broken.output.splitlines())) <= 80
    assert "agreements.yaml:7" in broken.output
    assert "1 error in" in broken.output
    assert "\x1b" not in broken.output


def test_folder_that_is_not_there(tmp_path: Path) -> None:
    """A folder that does not exist is named once, without a file or line that is none."""
    missing = billow("check", tmp_path / "none")
    assert missing.exit_code == 1
    assert missing.output.strip().startswith("error: there is no folder")
    assert ".:1" not in missing.output


def test_warnings_let_the_folder_through(tmp_path: Path) -> None:
    """A warning is shown and counted, and the exit code stays 0."""
    billow("init", tmp_path)
    issuers = tmp_path / "issuers.yaml"
    issuers.write_text(issuers.read_text().replace("DE811270004", "ATU71204001"))
    warned = billow("check", tmp_path)
    assert warned.exit_code == 0
    assert "warning: 'ATU71204001' is not a VAT id of DE" in " ".join(warned.output.split())
    assert "1 warning in" in warned.output


def test_check_for_programs_is_one_document(tmp_path: Path) -> None:
    """With --json stdout is exactly one JSON document, for a clean, a broken and a missing folder."""
    billow("init", tmp_path / "good")
    good = billow("check", tmp_path / "good", "--json")
    assert (good.exit_code, json.loads(good.stdout)["problems"]) == (0, [])
    billow("init", tmp_path / "bad")
    (tmp_path / "bad" / "people.yaml").unlink()
    bad = billow("check", tmp_path / "bad", "--json")
    assert bad.exit_code == 1
    assert json.loads(bad.stdout)["problems"][0] | {"message": ""} == {
        "file": "people.yaml",
        "line": 1,
        "where": "",
        "message": "",
        "warning": False,
    }
    missing = billow("check", tmp_path / "missing", "--json")
    assert (missing.exit_code, json.loads(missing.stdout)["errors"]) == (1, 1)
    assert billow("check").exit_code == 2


def test_apply_shows_the_plan_and_takes_it_over_once(tmp_path: Path, ledger: Ledger) -> None:
    """A dry run changes nothing; applying makes a version, the same again none; an edit shows as a change."""
    billow("init", "--sample", tmp_path / "company")
    dry = billow("apply", tmp_path / "company", "--dry-run")
    assert dry.exit_code == 0, dry.output
    assert "+ add     client quickstep" in dry.output
    assert "nothing was applied" in dry.output
    first = json.loads(billow("apply", tmp_path / "company", "--json", "--as", "lena").stdout)
    assert (first["applied"], first["version"]) == (True, 1)
    assert {"action": "add", "kind": "clients", "key": "quickstep"} in first["changes"]
    with ledger.transaction() as tx:
        assert current(tx).company.name == "Havelwerk IT"
        assert current(tx).folder == str(tmp_path / "company")
    again = billow("apply", tmp_path / "company")
    assert "Nothing has changed: version 1 runs." in again.output
    dunning = tmp_path / "company" / "dunning.yaml"
    dunning.write_text(dunning.read_text().replace("{days: 70}", "{days: 80}"))
    changed = billow("apply", tmp_path / "company")
    assert changed.output.splitlines()[-3:] == [
        "~ change  dunning policy standard",
        "1 change applied: version 2 runs.",
        "billow sync-schedules   # bills by the calendar from now on",
    ]


def test_apply_refuses_a_folder_with_errors_and_unknown_people(tmp_path: Path, ledger: Ledger) -> None:
    """Nothing is applied when check finds errors or --as names nobody: exit code 1, with the reason."""
    billow("init", tmp_path / "company")
    nobody = billow("apply", tmp_path / "company", "--as", "mee")
    assert nobody.exit_code == 1
    assert "'mee' is not a person of this company; did you mean 'me'?" in nobody.stderr
    approvals = tmp_path / "company" / "approvals.yaml"
    approvals.write_text(approvals.read_text().replace("[anna, me]", "[boss]"))
    refused = billow("apply", tmp_path / "company")
    assert refused.exit_code == 1
    assert "Nothing was applied" in refused.stderr
    document = json.loads(billow("apply", tmp_path / "company", "--json").stdout)
    assert (document["applied"], document["errors"]) == (False, 1)


def test_apply_without_a_database_says_how_to_get_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nothing runs, apply ends with what to start, not with a traceback."""
    monkeypatch.delenv("BILLOW_DATABASE_URL", raising=False)
    monkeypatch.setenv("BILLOW_HOME", str(tmp_path / "home"))
    billow("init", tmp_path / "company")
    result = billow("apply", tmp_path / "company")
    assert result.exit_code == 2
    assert "billow up" in result.stderr
