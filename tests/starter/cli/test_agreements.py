"""`billow agreements`, `agreement` and `why`: what is billed for which agreement, when, and why or why not."""

# ruff: noqa: E501 (a table of cases is read by its columns)

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import yaml

from activities.invoicing import billing_runs
from activities.ledger import company_records, meters
from activities.ledger.agreement_models import MeterView
from billing.meter_entries import MeterEntry
from starter.cli.agreement_card import meter_in_words
from tests.company import first_of_month, retainer
from tests.starter.cli.conftest import KEY_OF_ACME, Desk, today

MONTH = first_of_month()
NEXT = (MONTH + timedelta(days=32)).replace(day=1)
LATER = (NEXT + timedelta(days=32)).replace(day=1)


def milestones(**changes: Any) -> dict[str, Any]:
    return {
        "id": "portal",
        "model": "milestone",
        "client": "acme",
        "title": "Portal",
        "currency": "EUR",
        "project": "P-1",
        "start": MONTH,
        "milestones": [
            {"id": "concept", "title": "Concept", "amount": "500.00"},
            {"id": "release", "title": "Release", "amount": "900.00", "progress": 80},
        ],
        **changes,
    }


def block(**changes: Any) -> dict[str, Any]:
    return {
        "id": "advice",
        "model": "prepaid block",
        "client": "acme",
        "title": "Advice",
        "currency": "EUR",
        "project": "P-2",
        "hours": "10",
        "price": "1000.00",
        "replenish_at": "2",
        "trigger": "manual",
        "start": MONTH,
        **changes,
    }


def apply(desk: Desk, *agreements: dict[str, Any]) -> None:
    desk.company.projects = [
        {"id": "P-1", "name": "Portal", "client": "C-1"},
        {"id": "P-2", "name": "Advice", "client": "C-1"},
    ]
    desk.company.agreements += agreements
    desk.company.apply(desk.effects.ledger)


def run(desk: Desk, name: str = "by-hand") -> None:
    billing_runs.run(desk.effects.ledger, name, datetime.now(UTC))


def worked(desk: Desk, hours: str, entry: str = "T-1") -> None:
    with desk.effects.ledger.transaction() as tx:
        made = MeterEntry(source="psa", id=entry, agreement="advice", day=today(), quantity=Decimal(hours))
        company = company_records.current(tx).company
        meters.take_in(tx, [made], company, by="psa", channel="api", at=datetime.now(UTC))


def event(desk: Desk, **content: Any) -> None:
    whole = {"specversion": "1.0", "id": "e-7", "source": "/psa", "type": "billow.milestone.signed_off"}
    file = desk.folder / "event.yaml"
    file.write_text(yaml.safe_dump({**whole, **content}))
    desk.type("trigger", "--event", file)


def why(desk: Desk, reference: str) -> dict[str, Any]:
    (answer,) = desk.read("why", reference)["answers"]
    assert isinstance(answer, dict)
    return answer


def told(answer: dict[str, Any]) -> str:
    return " ".join([answer["answer"], *answer["reasons"]])


def test_the_list_says_what_comes_next(desk: Desk) -> None:
    """Each agreement: due or the next day, or what it waits for; what was billed last; meter and state."""
    apply(
        desk,
        milestones(),
        block(),
        retainer("acme-old", "acme", "5.00", start="2020-01-01", end="2020-01-31"),
    )
    desk.issue()
    found = {each["id"]: each for each in desk.read("agreements")["agreements"]}
    care = found["acme-care"]
    assert (care["next"]["since"], care["next"]["state"], care["state"]) == (str(NEXT), "to come", "active")
    assert (care["last"]["billing_key"], care["last"]["net"]) == (KEY_OF_ACME, "1000.00")
    assert found["portal"]["next"]["waits_for"] == "milestone concept to be signed off"
    assert found["advice"]["meters"][0]["next_at"] == "8"
    assert (found["acme-old"]["state"], found["acme-old"]["next"]["since"]) == ("ended", "2020-01-01")
    shown = desk.type("agreements").stdout
    assert max(map(len, shown.splitlines())) <= 80
    rows = {line.split()[0]: line.split() for line in shown.splitlines()}
    assert rows["acme-care"][:3] == ["acme-care", "retainer", str(NEXT)]
    assert rows["acme-old"][2:4] == ["due", "2020-01-01"]
    assert rows["advice"][-3:] == ["no", "block", "yet"]
    worked(desk, "5")
    assert "5 h not paid" in desk.type("agreements").stdout
    desk.type("trigger", "--agreement", "advice", "--item", "block-1", "--as", "pia")
    (row,) = (line for line in desk.type("agreements").stdout.splitlines() if "advice" in line)
    assert "after block-1" in row and row.rstrip().endswith("5 h left")


def test_the_list_of_one_client_and_of_nobody(desk: Desk) -> None:
    """A filter keeps to one client; a client without agreements and one there is not are told apart."""
    assert len(desk.read("agreements", "--client", "acme")["agreements"]) == 1
    assert "did you mean 'acme'?" in desk.type("agreements", "--client", "acne").stdout
    desk.company.agreements = []
    desk.company.apply(desk.effects.ledger)
    assert desk.type("agreements", "--client", "acme").stdout == "Client 'acme' has no agreement.\n"
    assert "billow apply DIR" in desk.type("agreements").stdout
    assert desk.read("agreements")["agreements"] == []


def test_on_hold_and_billed_in_full(desk: Desk) -> None:
    """A client who is not active puts what is due on hold; a milestone agreement ends with its last milestone."""
    desk.company.crm[0]["active"] = False
    apply(desk, milestones())
    run(desk)
    for item in ("concept", "release"):
        desk.type("trigger", "--agreement", "portal", "--item", item, "--as", "pia")
    states = {each["id"]: each["state"] for each in desk.read("agreements")["agreements"]}
    assert states == {"acme-care": "on hold", "portal": "billed in full"}
    shown = desk.type("agreement", "acme-care").stdout
    assert "client-inactive for pia" in shown
    assert "--retry" not in shown and "billow inbox" in shown
    answer = why(desk, KEY_OF_ACME)
    assert answer["answer"] == f"Due since {MONTH}, and not billed."
    assert "Held, to be decided by Pia Sommer: client 'acme' is not active" in answer["reasons"][0]


def test_the_card_has_terms_calendar_and_change_orders(desk: Desk) -> None:
    """Terms are those in force today, change orders folded in; the calendar has what was billed, is due and to come."""
    order = {"effective": MONTH, "reason": "more users", "document": "CT-1", "proposed_by": "pia"}
    agreed = {**order, "id": "up", "amount": "1200.00", "approved_by": "mara", "approved_on": MONTH}
    desk.company.agreements[0]["change_orders"] = [agreed, {**order, "id": "wish", "amount": "1500.00"}]
    desk.company.agreements[0]["bill_on"] = 31
    apply(desk)
    view = desk.read("agreement", "acme-care")
    assert dict(view["terms"])["Fee"] == "EUR 1,200.00 (change order up)"
    assert dict(view["terms"])["Billed"] == "every month, in advance, on day 31 of the month"
    assert [(each["id"], each["state"]) for each in view["change_orders"]] == [
        ("up", "in force"),
        ("wish", "not approved"),
    ]
    assert [each["period_start"] for each in view["calendar"]][-1] >= str(LATER)
    assert {each["net"] for each in view["calendar"]} == {"1200.00"}
    shown = desk.type("agreement", "acme-care").stdout
    assert max(map(len, shown.splitlines())) <= 80
    assert "not approved: changes nothing" in shown
    assert f"fee  {MONTH} to" in shown


def test_an_agreement_there_is_not(desk: Desk) -> None:
    """An unknown id is refused with those there are."""
    assert "there is no agreement 'acme-cre'" in desk.type("agreement", "acme-cre", code=1).stderr
    assert "similar: acme-care" in desk.type("why", "acme-cre", code=1).stderr
    assert "similar: acme-care" in desk.type("why", "acme-cre/fee/2026-01-01", code=1).stderr


def test_why_by_the_calendar(desk: Desk) -> None:
    """Billed by the calendar: since when it was due, which billing run asked, and the number it became."""
    run(desk, "night-1")
    assert why(desk, KEY_OF_ACME)["billed"] is False
    desk.work(KEY_OF_ACME)
    answer = why(desk, KEY_OF_ACME)
    number = desk.read("show", KEY_OF_ACME)["number"]
    assert answer["answer"] == f"Billed: {number} of {today()}, EUR 1,000.00 net."
    assert f"By the calendar due since {MONTH}; billing run night-1 asked for it" in answer["reasons"][0]
    assert why(desk, number) == answer
    assert [each["billing_key"] for each in desk.read("why", "acme-care")["answers"]] == [
        KEY_OF_ACME,
        f"acme-care/fee/{NEXT}",
    ]
    shown = desk.type("why", number).stdout
    assert max(map(len, shown.splitlines())) <= 80
    assert f"billow show {number}" in shown


def test_why_somebody_asked(desk: Desk) -> None:
    """Billed early by hand: who asked and why; the rest of the period is due on its own day, under its own key."""
    until = MONTH + timedelta(days=9)
    desk.type(
        "trigger",
        "--agreement",
        "acme-care",
        "--until",
        until,
        "--reason",
        "budget of the year",
        "--as",
        "pia",
    )
    assert "Pia Sommer asked for it" in told(why(desk, KEY_OF_ACME))
    assert "budget of the year" in told(why(desk, KEY_OF_ACME))
    inside = why(desk, f"acme-care/fee/{MONTH + timedelta(days=4)}")
    assert inside["answer"] == f"Part of {KEY_OF_ACME}, which is on a draft."
    rest = why(desk, f"acme-care/fee/{MONTH + timedelta(days=10)}")
    assert rest["answer"] == f"Due since {MONTH}, and not billed."
    assert "No billing run has been made yet" in rest["reasons"][0]
    part = why(desk, f"acme-care/fee/{MONTH + timedelta(days=20)}")
    assert part["reasons"][0].startswith(f"It is part of the period {MONTH + timedelta(days=10)} to ")


def test_why_an_event(desk: Desk) -> None:
    """Billed by an event: its id and who sent it; a milestone without one waits for it, or for its progress."""
    apply(desk, milestones())
    assert (
        why(desk, "portal/concept")["answer"]
        == "Not billed: it waits for milestone concept to be signed off."
    )
    assert why(desk, "portal/release")["answer"] == "Not billed: it waits for progress of 80 %."
    event(desk, data={"agreement": "portal", "milestone": "concept"})
    assert "Event billow.milestone.signed_off e-7 of /psa, which came by cli, made it due" in told(
        why(desk, "portal/concept")
    )


def test_why_an_event_that_is_held(desk: Desk) -> None:
    """An event about the agreement that cannot be acted on is told with its reason."""
    apply(desk, milestones())
    event(desk, data={"agreement": "portal", "milestone": "conzept"})
    assert "Event billow.milestone.signed_off e-7 of /psa is held: " in told(why(desk, "portal/concept"))


def test_why_a_meter(desk: Desk) -> None:
    """The next block: how far its meter has come; once it crossed, which entry did it."""
    apply(desk, block())
    desk.type("trigger", "--agreement", "advice", "--as", "pia")
    worked(desk, "5")
    answer = why(desk, "advice/block-2")
    assert answer["answer"] == "Not billed: it waits for block-1 to be used up."
    assert answer["reasons"] == ["The meter stands at 5 of 8."]
    worked(desk, "3.5", "T-2")
    assert "the entry that did it: T-2 of psa" in told(why(desk, "advice/block-2"))
    assert "8.5 hours used of 20 hours paid, 11.5 hours left" in " ".join(
        desk.type("agreement", "advice").stdout.split()
    )


def test_why_not_waived_or_to_be_billed_again(desk: Desk) -> None:
    """A voided draft: who voided it and why; waived it is not billed any more, to be billed again it is due."""
    desk.company.crm[0]["billing_contact"] = None
    desk.company.apply(desk.effects.ledger)
    desk.type("trigger", "--agreement", "acme-care", "--as", "pia")
    desk.work(KEY_OF_ACME)
    assert "Held, to be decided by Pia Sommer until" in told(why(desk, KEY_OF_ACME))
    void = ("resolve", "1", "--as", "mara", "--reason", "wrong client", "--void")
    desk.type(*void, "rebill")
    answer = why(desk, KEY_OF_ACME)
    assert answer["answer"] == "Not billed: its draft was voided, to be billed again."
    assert "Mara Lind voided the draft" in answer["reasons"][1]
    assert desk.read("why", "acme-care")["answers"][0]["answer"] == f"Due since {MONTH}, and not billed."
    desk.type("trigger", "--agreement", "acme-care", "--as", "pia")
    desk.work(KEY_OF_ACME)
    desk.type("resolve", "2", "--as", "mara", "--reason", "goodwill", "--void", "waive")
    answer = why(desk, KEY_OF_ACME)
    assert answer["answer"] == "Not billed: waived."
    assert answer["reasons"][-1].endswith("(goodwill); waived: it is not billed any more.")
    assert any("(wrong client); it can be billed again." in each for each in answer["reasons"])


@pytest.mark.parametrize(
    ("reference", "answer"),
    [
        (f"acme-care/fee/{NEXT}", f"Not due until {NEXT}."),
        ("acme-care/fee/2019-05-01", f"Never billed: the agreement starts on {MONTH}."),
        ("acme-old/fee/2021-05-01", "Never billed: the agreement ends on 2020-01-31."),
        ("by-hand/fee", "Not billed: it waits for somebody who asks."),
        (f"by-hand/fee/{MONTH}", "Not billed: it waits for somebody who asks."),
    ],
)
def test_why_not(desk: Desk, reference: str, answer: str) -> None:
    """Not due yet, before the start, after the end, only when asked: each is said."""
    apply(
        desk,
        retainer("acme-old", "acme", "5.00", start="2020-01-01", end="2020-01-31"),
        retainer("by-hand", "acme", "5.00", trigger="manual"),
    )
    assert why(desk, reference)["answer"] == answer


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("acme-care/fees", "has no item 'fees'; it has: fee"),
        ("acme-care/fee/soon", "after the item comes the first day of a period"),
        ("manual/none", "no agreement, invoice or billing key is called 'manual/none'"),
    ],
)
def test_why_of_something_there_is_not(desk: Desk, reference: str, said: str) -> None:
    """What names nothing is refused, with what there is."""
    assert said in desk.type("why", reference, code=1).stderr


def test_why_of_an_agreement_that_is_gone(desk: Desk) -> None:
    """What was billed under an agreement that is in the folder no more is still told."""
    desk.issue()
    desk.company.agreements = [
        retainer("new-care", "acme", "7.00", start=date(2020, 1, 1), end=date(2020, 1, 31))
    ]
    desk.company.apply(desk.effects.ledger)
    assert why(desk, "acme-care")["billed"] is True


def test_why_not_what_reconciliation_found(desk: Desk) -> None:
    """A signed contract whose block nobody billed: the event that never came is told by reconciliation."""
    signed = {"id": "CT-1", "client": "C-1", "value": "1000.00", "currency": "EUR"}
    desk.company.contracts = [{**signed, "signed_on": today() - timedelta(days=30)}]
    apply(desk, block(trigger="contract signed", contract="CT-1", start=today() - timedelta(days=30)))
    assert why(desk, "advice/block-1")["answer"] == "Not billed: it waits for contract CT-1 to be signed."
    desk.type("reconcile")
    assert "Reconciliation found, for Pia Sommer to decide: contract CT-1 is signed" in told(
        why(desk, "advice/block-1")
    )
    assert "line-unbilled for pia" in desk.type("agreement", "advice").stdout


@pytest.mark.parametrize(
    ("measure", "facts", "said"),
    [
        ("spend", {"used": "22527.00", "next_line": "cap-2026-10-01-25000", "next_at": "25000", "next_value": "7710.00"}, "EUR 22,527.00 so far; next: cap of the period from 2026-10-01 at EUR 25,000, EUR 7,710.00 so far"),
        ("hours", {"used": "12.5", "next_line": "scope-320", "next_at": "320", "held": 1}, "12.5 hours so far; next: agreed scope at 320 hours; 1 entry does not count yet"),
        ("progress", {"used": "40", "next_line": "beta", "next_at": "60"}, "40 % so far; next: beta at 60 %"),
        ("hours", {"used": "45", "bought": "40", "left": "-5", "held": 2}, "45 hours used of 40 hours paid, 5 hours not paid yet; 2 entries do not count yet"),
        ("hours", {"used": "3", "bought": "0"}, "no block is paid yet; 3 hours used"),
    ],
)  # fmt: skip
def test_a_meter_in_words(measure: str, facts: dict[str, Any], said: str) -> None:
    """Each measure in its unit, what is paid and left, the next line by what it means, entries that do not count."""
    assert meter_in_words(MeterView.model_validate({"measure": measure, **facts}), "EUR") == said
