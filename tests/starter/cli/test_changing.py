"""Commands that change something: they say what they did, and a second click changes nothing."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
import yaml
from sqlalchemy import func, select

from activities.ledger.tables import OutboxRow
from tests.company import retainer
from tests.starter.cli.conftest import KEY_OF_ACME, Desk, today


def test_trigger_twice(desk: Desk) -> None:
    """Billing the same thing again makes nothing, and names the invoice there is and its state."""
    first = desk.type("trigger", "--agreement", "acme-care", "--as", "pia").stdout
    assert f"New invoice {KEY_OF_ACME} for acme." in first
    assert f"billow show {KEY_OF_ACME}" in first
    again = desk.type("trigger", "--agreement", "acme-care", "--as", "pia").stdout
    assert f"{KEY_OF_ACME} was asked for already" in " ".join(again.split())
    assert "(draft)" in again
    assert desk.read("trigger", "--agreement", "acme-care", "--as", "pia")["invoices"][0]["new"] is False
    assert len(desk.read("invoices")["invoices"]) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--agreement", "acme-cre", "--as", "pia"], "acme-care"),
        (["--agreement", "acme-care", "--as", "pai"], "did you mean 'pia'"),
        (["--agreement", "acme-care", "--as", "zzz"], "there are: mara, noor, otto, pia"),
    ],
)
def test_trigger_refused(desk: Desk, arguments: list[str], said: str) -> None:
    """An agreement or person that does not exist is refused with those there are."""
    assert said in desk.type("trigger", *arguments, code=1).stderr
    assert desk.read("invoices")["invoices"] == []


def test_trigger_one_off(desk: Desk) -> None:
    """A one-off is billed once by its content, or once by its key; a broken file names every problem."""
    file = desk.folder / "one-off.yaml"
    line = {"description": "Travel", "quantity": "1", "unit_price": "120.00"}
    content = {"client": "acme", "currency": "EUR", "title": "Travel", "reason": "on site", "lines": [line]}
    file.write_text(yaml.safe_dump(content))
    assert desk.read("trigger", "--as", "pia", "--one-off", file)["invoices"][0]["new"] is True
    assert desk.read("trigger", "--as", "pia", "--one-off", file)["invoices"][0]["new"] is False
    keyed = desk.read("trigger", "--as", "pia", "--one-off", file, "--key", "trip-7")["invoices"][0]
    assert (keyed["billing_key"], keyed["new"]) == ("manual/trip-7", True)
    assert (
        "a key is up to 64"
        in desk.type("trigger", "--as", "pia", "--one-off", file, "--key", "a/b", code=1).stderr
    )
    file.write_text(yaml.safe_dump({**content, "curency": "EUR", "lines": []}))
    wrong = desk.type("trigger", "--as", "pia", "--one-off", file, code=1).stderr
    assert "nothing was billed" in wrong
    assert "one-off.yaml:" in wrong
    assert len(wrong.splitlines()) >= 3


def test_trigger_event(desk: Desk) -> None:
    """An event bills what it makes due, once, however often it comes."""
    project = {"id": "P-1", "name": "Move", "client": "C-1", "completed": today().isoformat()}
    desk.company.projects.append(project)
    desk.company.agreements.append(
        {
            "id": "acme-move",
            "model": "fixed price",
            "client": "acme",
            "title": "Move",
            "currency": "EUR",
            "project": "P-1",
            "amount": "900.00",
            "start": today(),
        }
    )
    desk.company.apply(desk.effects.ledger)
    event = {
        "specversion": "1.0",
        "id": "e-1",
        "source": "/psa",
        "type": "billow.project.completed",
        "data": {"agreement": "acme-move"},
    }
    file = desk.folder / "event.json"
    file.write_text(json.dumps(event))
    assert desk.read("trigger", "--event", file)["invoices"][0]["new"] is True
    assert "was asked for already" in desk.type("trigger", "--event", file).stdout


def awaiting(desk: Desk, **tier: object) -> str:
    """A draft that noor and otto are asked about; its billing key."""
    desk.company.tiers[0] |= tier
    desk.company.agreements.append(retainer("acme-large", "acme", "9000.00"))
    desk.company.apply(desk.effects.ledger)
    key = str(desk.read("trigger", "--agreement", "acme-large", "--as", "pia")["invoices"][0]["billing_key"])
    desk.work(key)
    return key


def test_approve(desk: Desk) -> None:
    """An approver approves with the beginning of the digest; a second click is refused with the reason."""
    key = awaiting(desk)
    digest = desk.read("show", key)["digest"]
    assert (
        "the draft has changed"
        in desk.type("approve", key, "--as", "noor", "--digest", "00000000", code=1).stderr
    )
    done = desk.type("approve", key, "--as", "noor", "--digest", digest[:12], "--comment", "fine").stdout
    assert f"Approved {key} as noor." in done
    assert desk.type("approve", key, "--as", "noor", code=1).stderr
    desk.work(key)
    assert desk.read("show", key)["document_status"] == "issued"


@pytest.mark.parametrize(
    ("who", "said"), [("pia", "is not an approver"), ("nobody", "is not a person of this company")]
)
def test_approve_refused(desk: Desk, who: str, said: str) -> None:
    """Who may not approve is told why; the refusal is in the audit trail."""
    key = awaiting(desk)
    assert said in desk.type("approve", key, "--as", who, code=1).stderr
    assert desk.read("timeline", key)["events"][-1]["event"] == "decision refused"


def test_approve_by_two(desk: Desk) -> None:
    """Where two must agree, the first is told that one more is needed."""
    key = awaiting(desk, needed=2)
    assert "1 more approval needed" in desk.type("approve", key, "--as", "noor").stdout
    assert desk.read("approve", key, "--as", "otto")["approvals_missing"] == 0


def test_reject(desk: Desk) -> None:
    """A rejected draft is voided: waived, or with --rebill billed again as the next generation."""
    key = awaiting(desk)
    assert (
        "can be billed again"
        in desk.type("reject", key, "--as", "otto", "--comment", "wrong month", "--rebill").stdout
    )
    again = desk.read("trigger", "--agreement", "acme-large", "--as", "pia")["invoices"][0]
    assert (again["billing_key"], again["generation"], again["new"]) == (key, 2, True)
    desk.work(key)
    waived = desk.type("reject", key, "--comment", "never", BILLOW_AS="otto").stdout
    assert "is waived" in " ".join(waived.split())
    assert "voided and waived" in desk.type("trigger", "--agreement", "acme-large", "--as", "pia").stdout
    assert desk.read("show", key, "--generation", "1")["generation"] == 1


def test_resolve(desk: Desk) -> None:
    """An exception is retried after its repair, or its draft voided with a reason; deciding twice is refused."""
    desk.company.agreements.append(retainer("acme-unsigned", "acme", "10.00", contract="K-9"))
    desk.company.apply(desk.effects.ledger)
    key = desk.read("trigger", "--agreement", "acme-unsigned", "--as", "pia")["invoices"][0]["billing_key"]
    desk.work(key)
    exception = desk.read("inbox")["items"][0]["id"]
    cannot = desk.type("resolve", exception, "--accept", "--as", "pia", "--reason", "known", code=1).stderr
    assert "not-signed cannot be accepted" in cannot
    assert "tries" in desk.type("resolve", exception, "--retry", "--as", "pia").stdout
    assert "is not a person" in desk.type("resolve", exception, "--retry", "--as", "pai", code=1).stderr
    done = desk.read("resolve", exception, "--void", "waive", "--as", "pia", "--reason", "never signed")
    assert (done["resolution"], done["billing_key"]) == ("void", key)
    assert "decided already" in desk.type("resolve", exception, "--retry", "--as", "pia", code=1).stderr
    assert "there is no exception 999" in desk.type("resolve", 999, "--retry", "--as", "pia", code=1).stderr


def test_pay(desk: Desk) -> None:
    """A payment is booked once and says what is left; the same again is known; another needs a key."""
    desk.opening_item()
    part = desk.type("pay", "OLD-1", "--as", "pia", "--amount", "190", "--note", "ref 7").stdout
    assert "EUR 1,000.00 open" in part
    again = desk.type("pay", "OLD-1", "--as", "pia", "--amount", "190.00").stdout
    assert "Booked already" in again
    assert "--key" in again
    rest = desk.read("pay", "OLD-1", "--as", "pia", "--amount", "190", "--key", "second")
    assert (rest["new"], rest["open"], rest["payment_status"]) == (True, "810.00", "partly paid")
    assert "OLD-1 is paid." in desk.type("pay", "OLD-1", "--as", "pia", "--amount", "810.00").stdout
    assert "EUR 5.00 too much" in desk.type("pay", "OLD-1", "--as", "pia", "--amount", "5").stdout
    assert "Taken back: EUR 5.00" in desk.type("pay", "OLD-1", "--as", "pia", "--amount", "-5").stdout
    assert (
        "other figures"
        in desk.type("pay", "OLD-1", "--as", "pia", "--amount", "1", "--key", "second", code=1).stderr
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--amount", "1", "--currency", "usd"], "is in EUR, the payment in USD"),
        (["--amount", "1", "--currency", "XYZ"], "XYZ"),
        (["--amount", "0"], "a payment of nothing"),
        (["--amount", "1.234"], "more decimals than EUR knows"),
        (["--amount", "-1"], "no more can be taken back"),
        (["--amount", "1", "--date", str(today() + timedelta(days=1))], "is in the future"),
        (["--amount", "1", "--as", "zzz"], "not a person"),
    ],
)
def test_pay_refused(desk: Desk, arguments: list[str], said: str) -> None:
    """A payment that cannot be is refused with the reason and exit code 1."""
    desk.opening_item()
    assert said in desk.type("pay", "OLD-1", "--as", "pia", *arguments, code=1).stderr
    assert desk.read("show", "OLD-1")["paid"] == "0.00"


def test_unmatched_payment(desk: Desk) -> None:
    """A payment nobody can match is kept once, waits in its owner's inbox, and is booked for one invoice."""
    desk.opening_item()
    unmatched = ["pay", "--unmatched", "--amount", "190", "--currency", "eur", "--as", "pia"]
    told = [*unmatched, "--payer", "ACME HOLDING", "--reference", "inv 1"]
    kept = " ".join(desk.type(*told).stdout.split())
    assert f"Kept EUR 190.00, received on {today()}, as payment 1: it matches no invoice." in kept
    assert "billow allocate 1 INVOICE" in kept
    assert "Kept already" in desk.type(*told).stdout
    assert desk.read(*told)["payment"] == 1
    assert desk.read(*told)["new"] is False
    assert desk.read(*told, "--key", "second")["payment"] == 2

    shown = desk.type("inbox", "--as", "pia").stdout
    for part in (
        "Payment 1: ACME HOLDING",
        "EUR 190.00",
        "reference inv 1",
        "pia, until",
        "allocate 1 INVOICE",
    ):
        assert part in shown
    item = desk.read("inbox")["items"][0]
    assert {
        name: item[name]
        for name in ("kind", "code", "amount", "payer", "reference", "received_on", "who", "billing_key")
    } == {
        "kind": "payment",
        "code": "unmatched-payment",
        "amount": "190.00",
        "payer": "ACME HOLDING",
        "reference": "inv 1",
        "received_on": str(today()),
        "who": ["pia"],
        "billing_key": None,
    }

    booked = desk.type("allocate", 1, "OLD-1", "--as", "pia").stdout
    assert "Booked payment 1, EUR 190.00, for OLD-1." in booked
    assert desk.read("show", "OLD-1")["open"] == "1000.00"
    again = desk.type("allocate", 1, "OLD-1", "--as", "pia", code=1).stderr
    assert "payment 1 is decided already: booked for OLD-1, by pia" in " ".join(again.split())
    aside = desk.read("allocate", 2, "--set-aside", "--reason", "paid back", "--as", "pia")
    assert (aside["number"], aside["amount"], aside["set_aside"]) == (None, "190.00", True)
    assert "Nothing waits for anybody." in desk.type("inbox").stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["pay", "--unmatched", "--amount", "-5", "--currency", "EUR", "--as", "pia"],
            "only money that came in",
        ),
        (["pay", "--unmatched", "--amount", "5", "--currency", "XYZ", "--as", "pia"], "XYZ"),
        (
            [
                "pay",
                "--unmatched",
                "--amount",
                "5",
                "--currency",
                "EUR",
                "--date",
                "2999-01-01",
                "--as",
                "pia",
            ],
            "is in the future",
        ),
        (["allocate", "7", "OLD-1", "--as", "pia"], "there is no unmatched payment 7"),
        (["allocate", "1", "OLD-9", "--as", "pia"], "no invoice has the number"),
        (["allocate", "1", "OLD-1", "--as", "zzz"], "not a person"),
    ],
)
def test_unmatched_payment_refused(desk: Desk, arguments: list[str], said: str) -> None:
    """What cannot be kept or booked is refused with the reason and exit code 1."""
    desk.opening_item()
    desk.type("pay", "--unmatched", "--amount", "1", "--currency", "EUR", "--as", "pia")
    assert said in " ".join(desk.type(*arguments, code=1).stderr.split())
    assert [item["id"] for item in desk.read("inbox")["items"]] == [1]


def test_pay_a_draft(desk: Desk) -> None:
    """What has no number yet cannot be paid."""
    desk.type("trigger", "--agreement", "acme-care", "--as", "pia")
    assert "no number yet" in desk.type("pay", KEY_OF_ACME, "--amount", "1", "--as", "pia", code=1).stderr


def test_hold_and_release(desk: Desk) -> None:
    """A hold names the moment it ends in the issuer's zone; it is released once."""
    desk.opening_item()
    until = today() + timedelta(days=10)
    held = desk.type("hold", "OLD-1", "--until", until, "--reason", "talks", "--as", "pia").stdout
    assert f"{until} 00:00 CE" in " ".join(held.split())
    assert "billow release OLD-1" in desk.type("show", "OLD-1").stdout
    assert "3d" not in desk.type("release", "OLD-1", "--as", "pia").stdout
    assert "is not on hold" in desk.type("release", "OLD-1", "--as", "pia", code=1).stderr
    soon = datetime.fromisoformat(
        desk.read("hold", "OLD-1", "--until", "3d", "--reason", "r", "--as", "pia")["until"]
    )
    assert timedelta(days=2.9) < soon - datetime.now(UTC) <= timedelta(days=3)
    for wrong in ("2020-01-01", "99999w", "9999-12-31", "2y"):
        code = 2 if wrong == "2y" else 1
        desk.type("hold", "OLD-1", "--until", wrong, "--reason", "r", "--as", "pia", code=code)


def test_dispute_and_promise(desk: Desk) -> None:
    """A dispute and a promise are noted, and stop reminders; a day that is past cannot be promised."""
    desk.opening_item()
    assert "is disputed" in desk.type("dispute", "OLD-1", "--reason", "wrong hours", "--as", "pia").stdout
    assert desk.read("show", "OLD-1")["disputed"] == "wrong hours"
    desk.opening_item("OLD-2")
    day = today() + timedelta(days=5)
    assert str(day) in desk.type("promise", "OLD-2", "--on", day, "--as", "pia").stdout
    assert "not past" in desk.type("promise", "OLD-2", "--on", "2020-01-01", "--as", "pia", code=1).stderr


def test_import_opening_items(desk: Desk) -> None:
    """Open items are taken over once; a file with a mistake in it takes over none."""
    item = {
        "number": "OLD-9",
        "client": "acme",
        "title": "Service",
        "issue_date": today() - timedelta(days=30),
        "due_date": today() - timedelta(days=16),
        "currency": "EUR",
        "net": "100.00",
        "tax": "19.00",
        "gross": "119.00",
    }
    file = desk.folder / "items.yaml"
    file.write_text(yaml.safe_dump([item]))
    assert desk.read("import-opening-items", file, "--as", "pia") == {"taken_over": ["OLD-9"], "known": []}
    assert (
        "Took over 0 invoices; 1 were here already"
        in desk.type("import-opening-items", file, "--as", "pia").stdout
    )
    file.write_text(
        yaml.safe_dump([{**item, "number": "OLD-10"}, {**item, "number": "OLD-11", "gross": "1.00"}])
    )
    wrong = desk.type("import-opening-items", file, "--as", "pia", code=1).stderr
    assert "nothing was taken over" in wrong
    file.write_text(
        yaml.safe_dump([{**item, "number": "OLD-10"}, {**item, "number": "OLD-11", "client": "zzz"}])
    )
    assert "no client 'zzz'" in desk.type("import-opening-items", file, "--as", "pia", code=1).stderr
    assert len(desk.read("invoices")["invoices"]) == 1


def test_rebuild(desk: Desk) -> None:
    """Every invoice that is not closed is woken through the outbox, once a call."""
    for number in ("OLD-1", "OLD-2"):
        desk.opening_item(number)
    with desk.effects.ledger.transaction() as tx:
        before = tx.scalar(select(func.count()).select_from(OutboxRow)) or 0
    assert desk.read("rebuild") == {"woken": 2}
    assert "Woke 2 invoices" in desk.type("rebuild").stdout
    with desk.effects.ledger.transaction() as tx:
        assert tx.scalar(select(func.count()).select_from(OutboxRow)) == before + 4


def test_void_and_bill_again(desk: Desk) -> None:
    """What is voided says what becomes of it; what was waived is freed once, and says how it is billed then."""
    desk.type("trigger", "--agreement", "acme-care", "--as", "pia")
    given = (KEY_OF_ACME, "--reason", "wrong month", "--as", "pia")
    assert "--rebill or --waive" in desk.type("void", *given, code=2).stderr
    assert "nothing of it is waived" in desk.type("bill-again", *given, code=1).stderr
    assert "is waived." in " ".join(desk.type("void", *given, "--waive").stdout.split())
    assert "voided already" in desk.type("void", *given, "--waive", code=1).stderr
    (waived,) = desk.read("reconcile", "--waived")["waived"]
    assert waived["billing_key"] == KEY_OF_ACME
    freed = " ".join(desk.type("bill-again", *given).stdout.split())
    assert f"{KEY_OF_ACME} is waived no longer; the next billing run bills it." in freed
    assert "may be billed again already" in desk.type("bill-again", *given, code=1).stderr
    assert desk.read("reconcile", "--waived")["waived"] == []
    again = desk.read("trigger", "--agreement", "acme-care", "--as", "pia")["invoices"][0]
    assert again["new"] is True
    assert "wrong month" in desk.type("timeline", KEY_OF_ACME, "--generation", "1").stdout
