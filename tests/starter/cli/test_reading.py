"""Commands that look: invoices, show, timeline, inbox, ageing, audit, pdf."""

from __future__ import annotations

import json
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from sqlalchemy import text

from activities.ledger.views import InvoiceSummary
from starter.cli import audit
from starter.cli.invoices import state
from tests.company import retainer
from tests.starter.cli.conftest import KEY_OF_ACME, Desk, today

READING = [
    "invoices",
    "inbox",
    "ageing",
    "audit verify",
    "agreements",
    "agreement acme-care",
    "why acme-care",
]
EVIL = "Evil [red]Ltd[/red] \x1b[31m\x1b]0;title\x07 and a name that goes on and on and on and on, for ever"


def busy(desk: Desk) -> None:
    """Issues an invoice, holds one for approval and one for an exception, and takes over late ones."""
    client = {**deepcopy(desk.company.clients[0]), "id": "beta", "crm": "C-2"}
    record = {
        **deepcopy(desk.company.crm[0]),
        "id": "C-2",
        "name": "Beta [bold]Holding[/bold] of a very long name",
    }
    desk.company.clients.append(client)
    desk.company.crm.append(record)
    desk.company.agreements += [
        retainer(
            "beta-large", "beta", "8500.00", title="A managed service with a title that goes on and on and on"
        ),
        retainer("beta-unsigned", "beta", "10.00", contract="K-9"),
    ]
    desk.company.apply(desk.effects.ledger)
    desk.issue()
    for agreement in ("beta-large", "beta-unsigned"):
        made = desk.read("trigger", "--agreement", agreement, "--as", "pia")["invoices"][0]
        desk.work(made["billing_key"])
    desk.opening_item("OLD-1", late=3)
    desk.opening_item("OLD-2", late=95, title=EVIL)


@pytest.mark.parametrize("command", READING)
def test_nothing_there_yet(desk: Desk, command: str) -> None:
    """An empty ledger is told in a sentence, and in JSON as an empty document."""
    assert desk.type(*command.split()).stdout.strip()
    assert isinstance(desk.read(*command.split()), dict)


def test_no_company_yet(empty_desk: Desk) -> None:
    """Before a company is applied, commands that need one say how to apply it."""
    for command in ("inbox", "trigger --agreement x --as pia"):
        assert "billow apply" in empty_desk.type(*command.split(), code=1).stderr
    assert "billow trigger" in empty_desk.type("invoices").stdout


def test_fits_80_columns(desk: Desk) -> None:
    """No command writes a wider line than 80 columns, whatever names are like, nor an escape."""
    busy(desk)
    keys = [each["billing_key"] for each in desk.read("invoices")["invoices"]]
    assert len(keys) == 5
    for command in [*READING, *(f"show {key}" for key in keys), *(f"timeline {key}" for key in keys)]:
        shown = desk.type(*command.split()).stdout
        assert "\x1b" not in shown
        wide = [
            line for line in shown.splitlines() if len(line) > 80 and not line.lstrip().startswith("billow ")
        ]
        assert not wide, (command, wide)


def test_markup_in_data_is_text(desk: Desk) -> None:
    """Square brackets in a client's name are shown as they are."""
    busy(desk)
    assert "[bold]Holding[/bold]" in " ".join(desk.type("inbox").stdout.split())
    assert "[red]Ltd[/red] ␛[31m␛]0;title␇" in " ".join(desk.type("show", "OLD-2").stdout.split())


def test_json_is_one_document(desk: Desk) -> None:
    """With --json stdout holds exactly one JSON document, and no byte a terminal obeys; amounts are strings."""
    busy(desk)
    for command in [*READING, f"show {KEY_OF_ACME}", "show OLD-2", "timeline OLD-2"]:
        out = desk.type(*command.split(), "--json").stdout
        json.loads(out)
        assert out.replace("\n", "").isprintable()
    assert desk.read("show", "OLD-2")["gross"] == "1190.00"
    assert desk.read("show", "OLD-2")["title"] == EVIL


def test_colours_only_on_a_terminal(desk: Desk) -> None:
    """Colours are used on a terminal, not in a pipe, and never with NO_COLOR."""
    desk.opening_item()
    assert "\x1b[" not in desk.type("show", "OLD-1").stdout
    coloured = desk.type("show", "OLD-1", FORCE_COLOR="1", TERM="xterm-256color").stdout
    assert "\x1b[" in coloured
    plain = desk.type("show", "OLD-1", FORCE_COLOR="1", NO_COLOR="1", TERM="xterm-256color").stdout
    assert "\x1b[3" not in plain


def test_invoices_filtered(desk: Desk) -> None:
    """Status, client, search and limit narrow the list; JSON says if there is more."""
    busy(desk)
    assert [each["number"] for each in desk.read("invoices", "--status", "late")["invoices"]] == [
        "OLD-1",
        "OLD-2",
    ]
    assert len(desk.read("invoices", "--status", "awaiting-approval")["invoices"]) == 1
    assert len(desk.read("invoices", "--client", "beta")["invoices"]) == 2
    assert len(desk.read("invoices", "--search", "old-2")["invoices"]) == 1
    limited = desk.read("invoices", "--limit", "2")
    assert (len(limited["invoices"]), limited["more"]) == (2, True)
    assert "--limit 20" in desk.type("invoices", "--limit", "2").stdout
    assert "did you mean 'acme'" in desk.type("invoices", "--client", "acm").stdout
    assert "No invoice matches" in desk.type("invoices", "--search", "%").stdout


def test_keys_can_be_copied(desk: Desk) -> None:
    """In 80 columns each key stands whole on one line and each client's name whole in its words."""
    busy(desk)
    shown = desk.type("invoices").stdout
    lines = [line.rstrip() for line in shown.splitlines()]
    for each in desk.read("invoices")["invoices"]:
        name = each["number"] or each["billing_key"]
        assert any(line == name or line.startswith(f"{name} ") for line in lines), (name, shown)
    assert "…" not in shown
    assert max(map(len, lines)) <= 80


def test_state_in_the_list(desk: Desk) -> None:
    """A hold, a promise, a dispute and lateness are told in the list; the client by name once it was billed."""
    desk.issue()
    for number in ("A", "B", "C", "D"):
        desk.opening_item(number, late=3)
    desk.type("hold", "A", "--until", "3d", "--reason", "talks", "--as", "pia")
    desk.type("promise", "B", "--on", today() + timedelta(days=2), "--as", "pia")
    desk.type("dispute", "C", "--reason", "hours", "--as", "pia")
    rows = {line.split()[0]: " ".join(line.split()) for line in desk.type("invoices").stdout.splitlines()}
    for number, said in {"A": "on hold", "B": "promised", "C": "disputed", "D": "3 days late"}.items():
        assert rows[number] == f"{number} Acme GmbH EUR 1,190.00 {said}"


def test_late_since_today(desk: Desk) -> None:
    """What is late by minutes is late, not late by 0 days."""
    desk.opening_item(late=1)
    late = InvoiceSummary.model_validate(desk.read("invoices")["invoices"][0])
    assert state(late).plain == "1 day late"
    assert state(late.model_copy(update={"days_late": 0})).plain == "late"


def test_times_of_a_client_elsewhere(desk: Desk) -> None:
    """The timeline of a client in New York tells its times in the zone it names, the issuer's."""
    desk.company.clients[0]["zone"] = "America/New_York"
    desk.company.agreements.append(retainer("acme-large", "acme", "9000.00"))
    desk.company.apply(desk.effects.ledger)
    key = desk.read("trigger", "--agreement", "acme-large", "--as", "pia")["invoices"][0]["billing_key"]
    desk.work(key)
    shown = desk.type("timeline", key).stdout
    assert "times in Europe/Berlin" in shown
    assert "until 20" in shown
    assert " CE" in shown
    assert " E" not in shown.replace(" EUR", "").replace(" Europe", "")


def test_show_says_what_comes_next(desk: Desk) -> None:
    """The card has number, client, amount, statuses, dates, tax with its reason, and what to type next."""
    busy(desk)
    issued = desk.type("show", KEY_OF_ACME).stdout
    number = desk.read("show", KEY_OF_ACME)["number"]
    for part in (number, "Acme GmbH", "EUR 1,190.00", "issued", "unpaid", "not due", "VAT 19 % (S)", "UStG"):
        assert part in issued
    assert f"billow pay {number} --amount 1190.00 --as WHO" in issued
    large = KEY_OF_ACME.replace("acme-care", "beta-large")
    assert f"billow approve {large} --as WHO" in desk.type("show", large).stdout
    unsigned = desk.type("show", KEY_OF_ACME.replace("acme-care", "beta-unsigned")).stdout
    assert "not-signed" in unsigned
    assert "--retry --as WHO   # or --void rebill|waive, with --reason" in unsigned


@pytest.mark.parametrize("command", ["show", "timeline", "pdf", "audit verify"])
def test_unknown_invoice(desk: Desk, command: str) -> None:
    """An id that does not exist is refused, with ids that resemble it."""
    desk.opening_item()
    assert "similar: opening/acme/old-1" in desk.type(*command.split(), "OLD", code=1).stderr
    assert "`billow invoices` lists all" in desk.type(*command.split(), "\x1b[31m%", code=1).stderr


def test_timeline_tells_the_story(desk: Desk) -> None:
    """The timeline names every event in order, with who and what, in the issuer's zone."""
    number = desk.issue()
    shown = desk.type("timeline", number).stdout
    assert "Europe/Berlin" in shown
    assert shown.index("triggered · pia") < shown.index("issued · billow") < shown.index("rendered")
    events = desk.read("timeline", number)
    assert events["billing_key"] == KEY_OF_ACME
    assert [each["position"] for each in events["events"]] == list(range(1, len(events["events"]) + 1))


def test_inbox_of_somebody(desk: Desk) -> None:
    """The inbox shows what waits for a person, and refuses a person there is not."""
    busy(desk)
    assert {each["kind"] for each in desk.read("inbox", "--as", "noor")["items"]} == {"approval"}
    assert "billow approve beta-large/" in desk.type("inbox", "--as", "noor").stdout
    assert {each["code"] for each in desk.read("inbox", "--as", "pia")["items"]} == {"not-signed"}
    assert desk.type("inbox", "--as", "mara").stdout == "Nothing waits for Mara Lind.\n"
    assert "did you mean 'noor'" in desk.type("inbox", "--as", "nor", code=1).stderr


def test_ageing_buckets(desk: Desk) -> None:
    """What is owed falls into the bucket of its days past due; what is settled into none."""
    for number, late in {"A": 0, "B": 1, "C": 30, "D": 31, "E": 90, "F": 91, "G": 5}.items():
        desk.opening_item(number, late=late)
    desk.type("pay", "G", "--as", "pia", "--amount", "1190")
    desk.type("pay", "F", "--as", "pia", "--amount", "190.00")
    euro = desk.read("ageing")["currencies"]["EUR"]
    assert {name: bucket["invoices"] for name, bucket in euro.items()} == {
        "current": 1,
        "1-30": 2,
        "31-60": 1,
        "61-90": 1,
        "90+": 1,
        "all": 6,
    }
    assert euro["90+"]["open"] == "1000.00"
    assert euro["all"]["open"] == "6950.00"
    assert "6,950.00" in desk.type("ageing").stdout
    assert desk.read("ageing", "--client", "nobody")["currencies"] == {}


def test_audit_names_the_break(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """An event changed or removed afterwards is named, with exit code 1; whole chains are said to hold."""
    monkeypatch.setattr(audit, "BATCH", 2)
    for number in ("OLD-1", "OLD-2", "OLD-3", "OLD-4", "OLD-5"):
        desk.opening_item(number)
    assert "of 5 invoices holds" in desk.type("audit", "verify").stdout
    desk.type("dispute", "OLD-3", "--reason", "wrong hours", "--as", "pia")
    with desk.effects.ledger.transaction() as tx:
        tx.execute(text("update audit_events set actor = 'mara' where event = 'disputed'"))
    found = desk.read("audit", "verify", code=1)
    assert (found["holds"], found["invoices"], found["break_count"]) == (False, 5, 1)
    assert found["breaks"] == [
        {"invoice": "OLD-3", "position": 2, "reason": "'disputed' was changed after it was written"}
    ]
    assert "OLD-3, event 2" in desk.type("audit", "verify", code=1).stdout
    assert desk.read("audit", "verify", "OLD-2")["holds"] is True
    assert desk.read("audit", "verify", "OLD-3", code=1)["holds"] is False


def test_pdf(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The PDF comes out byte for byte, to a file, a folder or a pipe, and overwrites nothing unasked."""
    number = desk.issue()
    monkeypatch.chdir(desk.folder)
    told = desk.read("pdf", number)
    data = Path(f"{number}.pdf").read_bytes()
    assert data.startswith(b"%PDF")
    assert told == {
        "number": number,
        "file": f"{number}.pdf",
        "bytes": len(data),
        "sha256": sha256(data).hexdigest(),
    }
    assert "--force" in desk.type("pdf", number, code=1).stderr
    desk.type("pdf", number, "--force")
    desk.type("pdf", number, "-o", desk.company.folder)
    assert (desk.company.folder / f"{number}.pdf").read_bytes() == data
    assert desk.type("pdf", number, "-o", "-").stdout_bytes == data
    assert "no/such/folder" in desk.type("pdf", number, "-o", "no/such/folder/x.pdf", code=1).stderr


def test_pdf_that_is_not_there(desk: Desk) -> None:
    """An invoice without a document says why it has none."""
    desk.type("trigger", "--agreement", "acme-care", "--as", "pia")
    assert "only an issued invoice has one" in desk.type("pdf", KEY_OF_ACME, code=1).stderr
    desk.opening_item()
    assert "the system before" in desk.type("pdf", "OLD-1", code=1).stderr


def test_reading_changes_nothing(desk: Desk) -> None:
    """Looking at an invoice writes nothing to the ledger."""
    desk.opening_item()
    before = desk.read("timeline", "OLD-1")
    for command in [*READING, "show OLD-1", "timeline OLD-1"]:
        desk.type(*command.split())
    assert desk.read("timeline", "OLD-1") == before
    assert datetime.fromisoformat(before["events"][0]["at"]) <= datetime.now(UTC) + timedelta(seconds=1)
