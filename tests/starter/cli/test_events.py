"""The command line about events, corrected invoices, tokens, and exceptions without an invoice."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from activities.ledger import commands
from billing.approval_policy import Channel
from tests.starter.cli.conftest import KEY_OF_ACME, Desk


def event_file(desk: Desk, id_: str = "e1", **data: str) -> Path:
    """A CloudEvent about a signed contract of acme-care, unless told otherwise."""
    path = desk.folder / f"{id_}.json"
    content = {"specversion": "1.0", "id": id_, "source": "/esign", "type": "billow.contract.signed"}
    path.write_text(json.dumps({**content, "data": data or {"agreement": "acme-care"}}))
    return path


def one_off_file(desk: Desk, **changes: Any) -> Path:
    path = desk.folder / "one-off.yaml"
    record = {
        "client": "acme",
        "currency": "EUR",
        "title": "Managed service, corrected",
        "reason": "see the dispute",
        "lines": [{"description": "Service", "quantity": "1", "unit_price": "800.00"}],
    }
    path.write_text(yaml.safe_dump({**record, **changes}))
    return path


def flat(text: str) -> str:
    return " ".join(text.split())


def check_width(text: str) -> None:
    """No line is wider than a terminal, but those that are there to be copied."""
    assert all(len(line) <= 80 for line in text.splitlines() if "billow " not in line), text


def test_no_events(desk: Desk) -> None:
    """Before the first event it is said how one comes in; a status nobody has is said so."""
    assert "No event has come in yet." in desk.type("events").stdout
    assert "No event is held." in desk.type("events", "--status", "held").stdout
    assert desk.read("events") == {"events": [], "more": False}


def test_acted_on(desk: Desk) -> None:
    """An event bills at once; brought in again, the invoice there is named; it is listed with what came of it."""
    path = event_file(desk)
    assert f"New invoice {KEY_OF_ACME} for acme." in desk.type("trigger", "--event", path).stdout
    again = desk.read("trigger", "--event", path)
    assert (again["status"], again["outcome"], again["invoices"][0]["new"]) == (
        "acted on",
        KEY_OF_ACME,
        False,
    )
    listed = desk.type("events").stdout
    check_width(listed)
    assert flat(listed).startswith("/esign e1 acted on contract signed: agreement acme-care received")
    assert KEY_OF_ACME in listed
    [row] = desk.read("events")["events"]
    assert (row["status"], row["billing_keys"], row["channel"]) == ("acted on", [KEY_OF_ACME], "cli")
    shown = desk.type("events", "show", "/esign", "e1").stdout
    assert "came by cli" in shown and f"billow show {KEY_OF_ACME}" in shown
    assert "was acted on" in flat(desk.type("events", "retry", "/esign", "e1", code=1).stderr)


def test_nothing_due(desk: Desk) -> None:
    """An event that makes nothing due is kept, with the reason."""
    desk.type("trigger", "--event", event_file(desk))
    said = flat(desk.type("trigger", "--event", event_file(desk, "e2")).stdout)
    assert (
        "Event e2 of /esign is kept; nothing due: of acme-care nothing is due now that is not billed" in said
    )


def test_held(desk: Desk) -> None:
    """One that cannot be acted on is kept; the inbox asks, and once it is repaired, trying again acts on it."""
    path = event_file(desk, contract="K-7")
    held = flat(desk.type("trigger", "--event", path).stdout)
    assert (
        "Event e1 of /esign is kept and held: no agreement has the contract 'K-7'; there are: none." in held
    )
    assert [each["event"] for each in desk.read("events", "--status", "held")["events"]] == ["e1"]
    inbox = desk.type("inbox", "--as", "pia").stdout
    check_width(inbox)
    assert "Exception 1: an event" in inbox and "event-held" in inbox
    assert "billow resolve 1 --retry --as pia   # or --accept, with --reason" in inbox
    assert "Still open: " in desk.type("resolve", "1", "--retry", "--as", "pia").stdout
    desk.company.agreements[0]["contract"] = "K-7"
    desk.company.apply(desk.effects.ledger)
    assert desk.type("resolve", "1", "--retry", "--as", "pia").stdout.strip() == "It fits now, and is closed."
    assert desk.read("events", "show", "/esign", "e1")["billing_keys"] == [KEY_OF_ACME]
    assert desk.read("inbox")["items"] == []


def test_set_aside(desk: Desk) -> None:
    """Accepted with a reason, the event is set aside; a person can have it looked at again."""
    desk.type("trigger", "--event", event_file(desk, contract="K-7"))
    desk.type("resolve", "1", "--void", "waive", "--reason", "no", "--as", "pia", code=1)
    done = desk.read("resolve", "1", "--accept", "--reason", "a test", "--as", "pia")
    assert (done["billing_key"], done["subject"]) == (None, "event//esign/e1")
    shown = desk.type("events", "show", "/esign", "e1").stdout
    assert "set aside" in shown and "a test" in shown and "billow events retry /esign e1" in shown
    desk.company.agreements[0]["contract"] = "K-7"
    desk.company.apply(desk.effects.ledger)
    assert desk.read("events", "retry", "/esign", "e1")["status"] == "acted on"
    assert "there is no event 'e9'" in flat(desk.type("events", "show", "/esign", "e9", code=1).stderr)


def test_limit(desk: Desk) -> None:
    """A long list ends with how to see more."""
    for number in range(3):
        desk.type("trigger", "--event", event_file(desk, f"e{number}"))
    assert (
        "There are more than these 2; see them with --limit 20" in desk.type("events", "--limit", "2").stdout
    )
    assert desk.read("events", "--limit", "2")["more"] is True


@pytest.fixture
def disputed(desk: Desk) -> str:
    number = desk.opening_item("B-1")
    commands.dispute(
        desk.effects.ledger,
        number,
        reason="too much",
        by="pia",
        channel=Channel.WEB,
        at=datetime.now(UTC),
    )
    return number


def test_corrected(desk: Desk, disputed: str) -> None:
    """A disputed invoice is billed anew for a reason, which whoever approves sees; the disputed one stays."""
    path = one_off_file(desk)
    ask = ("trigger", "--one-off", path, "--corrects", disputed, "--as", "pia")
    assert "say why it is corrected" in flat(desk.type(*ask, code=1).stderr)
    said = flat(desk.type(*ask, "--reason", "wrong month").stdout)
    assert f"New invoice manual/{disputed}-corrected-1 for acme." in said
    assert f"{disputed} stays disputed, and nobody is reminded of it, until it is credited." in said
    assert desk.read(*ask, "--reason", "wrong month")["invoices"][0]["new"] is False
    shown = desk.type("show", f"manual/{disputed}-corrected-1").stdout
    assert f"corrects {disputed}: wrong month" in flat(shown)


def test_early(desk: Desk) -> None:
    """Who asks for part of what is billed whole is told so, and nothing is made."""
    desk.type("trigger", "--agreement", "acme-care", "--as", "pia")
    today = datetime.now(UTC).date().isoformat()
    again = desk.type("trigger", "--agreement", "acme-care", "--until", today, "--as", "pia", code=1)
    assert f"is billed up to {today} already" in flat(again.stderr)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--agreement", "a", "--corrects", "B-1"), "--corrects goes with --one-off"),
        (("--event", "FILE", "--reason", "x"), "--reason goes with --agreement or --one-off"),
        (("--one-off", "FILE", "--until", "2026-01-01", "--as", "pia"), "--until goes with --agreement"),
        (("--one-off", "FILE", "--corrects", "B-1", "--key", "k", "--as", "pia"), "leave out --key"),
    ],
)
def test_wrong_usage(desk: Desk, arguments: tuple[str, ...], message: str) -> None:
    """Options that do not go together are told, and nothing is done."""
    path = one_off_file(desk)
    typed = [path if each == "FILE" else each for each in arguments]
    assert message in flat(desk.type("trigger", *typed, code=2).stderr.replace("│", ""))
    assert desk.read("invoices")["invoices"] == []


def test_tokens(desk: Desk) -> None:
    """A token is shown once, listed without itself, and ended for good."""
    assert "There is no token yet." in desk.type("api-tokens").stdout
    made = desk.type("api-token", "create", "psa", "--as", "pia").stdout
    token = made.splitlines()[-1]
    assert "speaks for Pia Sommer" in made and token.startswith("billow_")
    listed = desk.type("api-tokens").stdout
    check_width(listed)
    assert "psa" in listed and "never" in listed and "read bill" in listed and token not in listed
    assert "give this one another name" in flat(
        desk.type("api-token", "create", "psa", "--as", "pia", code=1).stderr
    )
    assert "is revoked" in desk.type("api-token", "revoke", "psa").stdout
    assert "revoked" in desk.type("api-tokens").stdout
    [row] = desk.read("api-tokens")["tokens"]
    assert (row["name"], row["person"], row["last_used_at"]) == ("psa", "pia", None)
    assert row["scopes"] == ["read", "bill"] and row["expires_at"] > row["created_at"]
    desk.type("api-token", "create", "all", "--as", "pia", "--scope", "everything", code=2)
    desk.type("api-token", "create", "ever", "--as", "pia", "--days", "367", code=2)
    desk.type("api-token", "create", "crm", "--as", "mallory", code=1)
    desk.type("api-token", "revoke", "crm", code=1)


def test_apply_acts_on_what_waits(empty_desk: Desk) -> None:
    """An event that came before the company was applied is kept, and acted on when it is."""
    folder = empty_desk.folder / "sample"
    empty_desk.type("init", folder, "--sample")
    event = min((folder / "events").iterdir())
    assert "no company has been applied yet" in flat(
        empty_desk.type("trigger", "--event", event, code=1).stderr
    )
    said = flat(empty_desk.type("apply", folder).stdout)
    assert "1 event that waited for this is acted on." in said
    [row] = empty_desk.read("events")["events"]
    assert row["status"] == "acted on" and len(empty_desk.read("invoices")["invoices"]) == len(
        row["billing_keys"]
    )
