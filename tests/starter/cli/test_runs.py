"""`billow runs`, and what `billow run` and `sync-schedules` refuse before they reach Temporal."""

from __future__ import annotations

import os

import pytest

from tests.starter.cli.conftest import Desk
from tests.starter.runs import HELD, LATE, USUAL, finished, under_way

NOWHERE = {"TEMPORAL_ADDRESS": "127.0.0.1:9", "TEMPORAL_CONFIG_FILE": os.devnull}


def test_no_run_yet(desk: Desk) -> None:
    """Before the first run: how to start one."""
    shown = desk.type("runs").stdout
    assert "There was no billing run yet." in shown and "billow run" in shown
    assert desk.read("runs") == {"runs": [], "more": False, "last": None}


def test_only_idle_runs(desk: Desk) -> None:
    """Runs that found nothing to do are left out, and when the last one was is told."""
    finished(desk.effects.ledger, "idle")
    shown = desk.type("runs").stdout
    assert "No billing run has found anything to do; the last one was" in shown
    assert "idle" in desk.type("runs", "--all").stdout


def test_list(desk: Desk) -> None:
    """Newest first, 80 columns, progress of the one under way; --json tells the same."""
    ledger = desk.effects.ledger
    finished(ledger, "billing-run-by-hand-2026-11-20T09:30:00Z", HELD, LATE, USUAL, hours=1)
    under_way(ledger, "billing-run-2026-11-20T09:00:00Z")
    lines = desk.type("runs").stdout.splitlines()
    assert lines[1].split() == ["billing-run-by-hand-2026-11-20T09:30:00Z", "finished", "2", "1", "1"]
    assert lines[2].split() == ["billing-run-2026-11-20T09:00:00Z", "40", "%", "1", "1", "0"]
    assert all(len(line) <= 80 for line in lines)
    first, second = desk.read("runs")["runs"]
    assert (first["state"], first["percent"], second["state"], second["percent"]) == (
        "finished",
        100,
        "runs",
        40,
    )
    assert desk.read("runs", "--limit", "1")["more"] is True


def test_show(desk: Desk) -> None:
    """What was held and why, what was caught up and since when, then the rest."""
    finished(desk.effects.ledger, "run", HELD, LATE, USUAL, by="pia")
    shown = desk.type("runs", "show", "run").stdout
    for line in (
        "Looked at 5 agreements: 2 invoices asked for, 1 held.",
        "Caught up 1 period, due since 2026-09-01.",
        "desk/fee/2026-09-01  caught up: due since 2026-09-01",
    ):
        assert line in shown.splitlines()
    assert shown.index("care/fee/2026-11-01") < shown.index("desk/fee/2026-09-01") < shown.index("host/fee")
    assert "host/fee" not in desk.type("runs", "show", "run", "--held").stdout
    assert "and 2 more; billow runs show run" in desk.type("runs", "show", "run", "--limit", "1").stdout
    document = desk.read("runs", "show", "run")
    assert (document["oldest_caught_up"], len(document["items"])) == ("2026-09-01", 3)


def test_show_under_way(desk: Desk) -> None:
    """A run under way says how far it is and what it waits for; one nobody moves, what may be wrong."""
    under_way(desk.effects.ledger, "now", waits_for="200 invoices are still to be assembled")
    shown = " ".join(desk.type("runs", "show", "now").stdout.split())
    assert "Waits: 40 %, 2,000 agreements of 5,000; 200 invoices are still to be assembled." in shown
    under_way(desk.effects.ledger, "dead", minutes_ago=11)
    assert "is an invoicing worker running?" in desk.type("runs", "show", "dead").stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("runs", "show", "nothing"), "there is no billing run 'nothing'"),
        (("run", "--agreement", "acme-caer"), "did you mean 'acme-care'"),
        (("run", "--client", "acmee"), "did you mean 'acme'"),
        (("run", "--as", "nobody"), "is not a person of this company"),
        (("sync-schedules", "--as", "nobody"), "is not a person of this company"),
        (("run",), "Temporal at 127.0.0.1:9 cannot be used"),
        (("sync-schedules", "--dry-run"), "Temporal at 127.0.0.1:9 cannot be used"),
    ],
)
def test_refused(desk: Desk, arguments: tuple[str, ...], says: str) -> None:
    """What cannot be is refused in one line, before anything is started."""
    assert says in desk.type(*arguments, code=1, **NOWHERE).stderr


@pytest.mark.parametrize("command", ["run", "sync-schedules"])
def test_no_company(empty_desk: Desk, command: str) -> None:
    """Without a company there is nothing to run, and it says how to make one."""
    assert "billow apply" in empty_desk.type(command, code=1, **NOWHERE).stderr
