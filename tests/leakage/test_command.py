"""`billow reconcile`, as a person reads it and as a program does."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest
from click.testing import CliRunner, Result

from starter.cli import context, main
from tests.leakage.omissions import OMISSIONS
from tests.leakage.world import NOW, World, worked


@pytest.fixture(autouse=True)
def _today(monkeypatch: pytest.MonkeyPatch) -> None:
    def now() -> datetime:
        return NOW

    monkeypatch.setattr(context, "now", now)


def _typed(world: World, *arguments: str, code: int = 0, command: str = "reconcile") -> Result:
    environment = {
        "BILLOW_DATABASE_URL": world.effects.ledger.url,
        "BILLOW_HOME": str(world.company.folder),
        "BILLOW_AS": None,
        "COLUMNS": "80",
    }
    result = CliRunner().invoke(main, [*command.split(), *arguments], env=environment)
    assert result.exit_code == code, result.output
    return result


def _read(world: World, *arguments: str, code: int = 0) -> Any:
    return json.loads(_typed(world, *arguments, "--json", code=code).stdout)


def test_nothing_is_missing(world: World) -> None:
    """Where everything is billed, it says so in one line."""
    assert _typed(world).stdout == "Nothing is missing.\n"
    assert _read(world)["leaks"] == []


def test_twelve_omissions(world: World) -> None:
    """Twelve omissions are twelve leaks, the most money first, with sum, owner and deadline, in 80 columns."""
    for each in OMISSIONS:
        each.plant(world)
    world.apply()
    found = _read(world, "--dry-run")
    assert {each["subject"] for each in found["leaks"]} == {each.subject for each in OMISSIONS}
    assert len(found["leaks"]) == 12
    # 480 + 570 + 285 + 315 + 6000 + 6000 + 9200 + 8500 + 4400 + 84 + 2000
    assert found["at_stake"] == {"EUR": "37834.00"}
    assert [each["at_stake"] for each in found["leaks"]][:2] == ["9200.00", "8500.00"]
    assert {(each["owner"], each["exception"]) for each in found["leaks"]} == {("pia", None)}

    shown = _typed(world).stdout
    assert "12 leaks, EUR 37,834.00 net at stake, 1 without a price, all new." in shown
    assert shown.count("pia, until Sun 2026-04-05 14:00 CEST · new") == 12
    assert max(map(len, shown.splitlines()[:-1])) <= 80
    assert "12 leaks, EUR 37,834.00 net at stake, 1 without a price; 0 new." in _typed(world).stdout


def test_accepted(world: World) -> None:
    """What a person has accepted is not found again, until there is more of it."""
    OMISSIONS[0].plant(world)
    world.apply()
    (found,) = _read(world)["leaks"]
    accept = ["resolve", str(found["exception"]), "--accept", "--as", "pia", "--reason", "a present"]
    _typed(world, *accept, command="")
    assert (_read(world, "--dry-run")["leaks"], _read(world)["leaks"]) == ([], [])
    world.time.append(worked("x-99", "P-1", "2026-02-11", "1"))
    world.apply()
    (found,) = _read(world)["leaks"]
    assert (found["measure"], found["at_stake"], found["new"]) == ("5 h", "600.00", True)


def test_waived(world: World) -> None:
    """What people decided not to bill is listed with who and why; what the program skipped because it was empty too."""
    (first, *others) = _read(world, "--waived")["waived"]
    assert [each["billing_key"] for each in [first, *others]] == [
        "help/overage/2026-03-01",
        "manual/training",
        "help/overage/2026-01-01",
    ]
    training = others[0]
    assert (training["by"], training["reason"], training["waived_on"]) == ("pia", "a present", "2026-03-03")
    shown = _typed(world, "--waived").stdout
    assert "a present" in shown
    assert max(map(len, shown.splitlines())) <= 80


def test_a_source_that_cannot_be_read(world: World) -> None:
    """A source nobody can read is said, what the others say is still found, and the command ends with 1."""
    OMISSIONS[6].plant(world)
    world.apply()
    (world.company.folder / "data/crm/deals.yaml").write_text("- id: [")
    found = _read(world, code=1)
    assert [each["subject"] for each in found["leaks"]] == ["leak/invoice/move/price"]
    assert list(found["unreadable"]) == ["crm"]
    assert "deals.yaml" in found["unreadable"]["crm"]
    assert "CRM: " in _typed(world, code=1).stdout


def test_waived_changes_nothing(world: World) -> None:
    """--waived and --dry-run together are wrong usage."""
    _typed(world, "--waived", "--dry-run", code=2)
