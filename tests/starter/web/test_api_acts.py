"""What the API does, done: each act once as it is meant, with its key sent again, and on what has changed since."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from httpx import Response
from starlette.testclient import TestClient

from activities.company.sample import write_sample
from activities.ledger import company_records
from activities.ledger.database import Ledger
from billing.approval_policy import ApprovalPolicy
from billing.exceptions import ReasonCode
from starter.web import create_app
from tests.activities.bank import statements
from tests.activities.ledger.conftest import rows
from tests.starter.web.programs import token_of
from tests.starter.web.story import COMPANY, Story
from tests.starter.web.test_api_story import archive
from workers.settings import Settings


@pytest.fixture
def program(settings: Settings, ledger: Ledger, story: Story) -> Iterator[TestClient]:
    """A program whose token speaks for Uma, who is an admin."""
    assert story.ledger is not None
    with TestClient(create_app(settings, ledger), base_url="https://billow.test/api/v1/") as made:
        made.headers["authorization"] = f"Bearer {token_of(ledger, 'uma')}"
        yield made


def done(answer: Response, status: int = 200) -> Any:
    """What was answered to something that was to succeed."""
    assert answer.status_code == status, answer.text
    return answer.json()


def as_somebody(ledger: Ledger, person: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token_of(ledger, person, f'of {person}')}"}


def paid_in(story: Story, program: TestClient, amount: str = "119.00") -> int:
    """A payment nobody knows the invoice of; its id."""
    body = {"amount": amount, "currency": "EUR", "received_on": str(story.at.date())}
    return int(done(program.post("payments", json=body))["id"])


def test_bank_statement(program: TestClient, story: Story, ledger: Ledger) -> None:
    """An uploaded statement books what it names; sent again with its key it is not even read again."""
    day = story.at.date().isoformat()
    number = story.issued("known", prices=("100",))
    told = [
        statements.paid("119.00", number, bank="B-1", day=day),
        statements.paid("12.00", "?", bank="B-2", day=day),
    ]
    xml = statements.file(told, id="2026-9", day=day)
    headers = {"Content-Type": "application/xml", "Idempotency-Key": "statement-9"}
    made = program.post("bank-statements?name=november.xml", content=xml, headers=headers)
    [taken] = done(made)["items"]
    assert (taken["new"], taken["entries"], taken["problems"]) == (True, 2, [])
    again = program.post("bank-statements?name=november.xml", content=xml, headers=headers)
    assert again.json() == made.json() and again.headers["idempotency-replayed"] == "true"
    other = program.post("bank-statements", content=xml + b" ", headers=headers)
    assert (other.status_code, other.json()["type"]) == (422, "/api/v1/docs#key-reused")
    entries = done(program.get(f"bank-statements/{taken['id']}/entries"))["items"]
    assert [each["amount"] for each in entries] == ["119.00", "12.00"]
    assert done(program.get(f"invoices/{number}"))["payment_status"] == "paid"
    assert rows(ledger, "select count(*) from bank_statements") == [(1,)]


def test_company(program: TestClient, story: Story, ledger: Ledger, tmp_path: Path) -> None:
    """A folder is applied by one of its people, once, and only on the version that was read."""
    folder = tmp_path / "sample"
    write_sample(folder, story.at.date())
    people = yaml.safe_load((folder / "people.yaml").read_text())
    people.append({"id": "uma", "name": "Uma", "email": "uma@elbwerk.example", "roles": ["admin"]})
    (folder / "people.yaml").write_text(yaml.safe_dump(people))
    read = program.get("company").headers["etag"]
    sent = {"Content-Type": "application/zip", "If-Match": read}
    first = done(program.post("company/apply", content=archive(folder), headers=sent))
    assert (
        first["version"] == 2 and {"action": "retire", "kind": "clients", "key": "kawa"} in first["changes"]
    )
    stale = program.post("company/apply", content=archive(folder), headers=sent)
    assert (stale.status_code, stale.json()["type"]) == (412, "/api/v1/docs#outdated")
    now = sent | {"If-Match": program.get("company").headers["etag"]}
    again = done(program.post("company/apply", content=archive(folder), headers=now))
    assert (again["version"], again["changes"]) == (2, [])
    with ledger.transaction() as tx:
        assert "uma" in company_records.current(tx).company.people_by_id
    versions = done(program.get("policies"))["items"]
    assert versions[0]["version"] == 2


def test_portal_link(program: TestClient, story: Story) -> None:
    """The address is the same until it is made anew; revoked, none leads anywhere."""
    number = story.issued("seen")
    first = done(program.post(f"invoices/{number}/portal-link"))["url"]
    assert done(program.post(f"invoices/{number}/portal-link"))["url"] == first
    second = done(program.post(f"invoices/{number}/renew-link"))["url"]
    assert second != first
    assert done(program.post(f"invoices/{number}/revoke-link"))["revoked"] == 1
    assert done(program.post(f"invoices/{number}/revoke-link"))["revoked"] == 0


def test_void(program: TestClient, story: Story, ledger: Ledger) -> None:
    """A draft ends, its billing waived or to be done again; it ends once."""
    story.raised("stopped", ReasonCode.SOURCES_DIFFER, "the CRM says otherwise")
    read = program.get("invoices/manual/stopped")
    body = {"rebill": True, "reason": "the project was cancelled"}
    sent = {"If-Match": read.headers["etag"]}
    after = done(program.post("invoices/manual/stopped/void", json=body, headers=sent))["invoice"]
    assert after["document_status"] == "voided draft"
    assert rows(ledger, "select rebill from invoices") == [(True,)]
    again = program.post("invoices/manual/stopped/void", json=body)
    assert (again.status_code, again.json()["type"]) == (409, "/api/v1/docs#wrong-state")


def test_approve_together(program: TestClient, story: Story, ledger: Ledger) -> None:
    """Several drafts are approved as they were read, each for itself: one that has changed is left."""
    tier = COMPANY.approvals.tiers[0].model_copy(update={"together": True})
    changed = COMPANY.model_copy(update={"approvals": ApprovalPolicy(tiers=(tier,))})
    company_records.apply_company(ledger, changed, "company", "lena", story.at)
    for key in ("one", "two", "three"):
        story.asked(key)
    tom = as_somebody(ledger, "tom")
    waiting = done(program.get("inbox", headers=tom))["items"]
    shown = [{"approval": each["id"], "digest": each["digest"]} for each in waiting]
    view = done(program.get(f"approvals/{shown[0]['approval']}", headers=tom))
    assert (view["digest"], view["missing"], view["over"]) == (shown[0]["digest"], 1, "")
    body = {"approvals": [shown[0], shown[1], shown[2] | {"digest": "as it was"}]}
    told = done(program.post("approvals/approve-together", json=body, headers=tom))["items"]
    assert [each["refused"] is None for each in told] == [True, True, False]
    assert rows(ledger, "select count(*) from audit_events where event = 'approved'") == [(2,)]


def test_preview_of_a_trigger(program: TestClient, ledger: Ledger) -> None:
    """What would be billed is said, and nothing is asked for."""
    line = {"description": "Day", "quantity": "1", "unit_price": "900"}
    one_off = {"client": "nordlicht", "currency": "EUR", "title": "Day", "reason": "asked", "lines": [line]}
    [told] = done(program.post("triggers/preview", json={"one_off": one_off, "reason": "asked"}))["invoices"]
    assert (told["new"], told["client"]) == (True, "nordlicht")
    assert rows(ledger, "select count(*) from invoices") == [(0,)]


def test_of_a_client(program: TestClient, story: Story) -> None:
    """A statement of account and a receipt say the same in JSON and, for people, as PDF."""
    number = story.issued("part", prices=("100",))
    assert program.get(f"invoices/{number}/receipt").status_code == 422
    story.paid(number, "19.00")
    [account] = done(program.get("clients/nordlicht/statement"))["accounts"]
    assert (account["currency"], account["balance"], account["open_and_late"]) == ("EUR", "100.00", "0.00")
    receipt = done(program.get(f"invoices/{number}/receipt"))
    assert (receipt["due"], receipt["received"], receipt["open"]) == ("119.00", "19.00", "100.00")
    for path in ("clients/nordlicht/statement.pdf", f"invoices/{number}/receipt.pdf"):
        pdf = program.get(path, headers={"Accept": "application/pdf"})
        assert (pdf.status_code, pdf.content[:5]) == (200, b"%PDF-")
    [euro] = done(program.get("money"))["currencies"]
    assert (euro["open"], euro["ageing"]["current"]) == ("100.00", {"invoices": 1, "amount": "100.00"})


def test_own(program: TestClient, ledger: Ledger) -> None:
    """Preferences, views and sign-ins are one's own."""
    read = program.get("preferences").headers["etag"]
    german = {"language": "de-DE", "appearance": "dark"}
    assert done(program.post("preferences", json=german, headers={"If-Match": read}))["appearance"] == "dark"
    assert program.post("preferences", json=german, headers={"If-Match": read}).status_code == 412
    assert program.post("preferences", json={"language": "tlh"}).status_code == 422
    made = done(program.post("saved-views", json={"name": "Late", "query": "?status=late&x=1"}), 201)
    assert made["query"] == "status=late"
    lena = as_somebody(ledger, "lena")
    assert done(program.get("saved-views", headers=lena))["items"] == []
    assert program.post(f"saved-views/{made['id']}/remove", headers=lena).status_code == 403
    assert done(program.post(f"saved-views/{made['id']}/remove"))["name"] == "Late"
    assert done(program.post("sign-ins/end-everywhere")) == {"ended": 0}


def changed_since(story: Story, program: TestClient) -> dict[str, tuple[str, str, dict[str, Any]]]:
    """Of each kind of thing where it is read, and an act on it with what it takes."""
    number = story.issued("seen", prices=("100",))
    payments = [paid_in(story, program, f"{10 + each}.00") for each in range(4)]
    share = {"invoices": [{"invoice": number, "amount": "10.00"}]}
    done(program.post(f"payments/{payments[0]}/allocate", json=share))
    [booking] = done(program.get("bookings"))["items"]
    reason = {"reason": "small"}
    item = done(program.post(f"invoices/{number}/write-off", json=reason | {"amount": "90.00"}))
    away = str((story.at + timedelta(days=9)).date())
    absent = {"delegate": "rosa", "first_day": away, "last_day": away}
    absence = done(program.post("absences", json=absent), 201)["id"]
    done(program.post("tokens", json={"name": "reader", "scopes": ["read"]}), 201)
    exception = story.raised("stopped", ReasonCode.SOURCES_DIFFER, "the CRM says otherwise")
    one, two, three = (f"payments/{each}" for each in payments[1:])
    given_up = f"given-up/{item['item']['id']}"
    return {
        "allocate": (one, f"{one}/allocate", {"invoices": [{"invoice": number, "amount": "1.00"}]}),
        "set aside": (two, f"{two}/set-aside", reason),
        "keep as credit": (three, f"{three}/keep-credit", {"client": "nordlicht"}),
        "undo": (f"bookings/{booking['id']}", f"bookings/{booking['id']}/undo", reason),
        "withdraw": (given_up, f"{given_up}/withdraw", {"comment": "no"}),
        "credit hold": ("clients/ateliers", "clients/ateliers/place-credit-hold", reason),
        "end an absence": (f"absences/{absence}", f"absences/{absence}/end", {}),
        "revoke": ("tokens/reader", "tokens/reader/revoke", {}),
        "resolve": (
            f"exceptions/{exception}",
            f"exceptions/{exception}/resolve",
            {"resolution": "accept", "reason": "agreed by mail"},
        ),
        "use credit": (
            f"invoices/{number}",
            f"invoices/{number}/use-credit",
            {"source": f"payment {payments[3]}", "amount": "1.00"},
        ),
    }


def test_changed_since(program: TestClient, story: Story) -> None:
    """Whatever is changed is so only as it was read, where the request says how it was; else nothing happens."""
    for name, (read, act, body) in changed_since(story, program).items():
        tag = program.get(read).headers["etag"]
        stale = program.post(act, json=body, headers={"If-Match": '"as it was"'})
        assert (stale.status_code, stale.json()["type"]) == (412, "/api/v1/docs#outdated"), name
        assert program.get(read).headers["etag"] == tag, name
        fresh = program.post(act, json=body, headers={"If-Match": tag})
        assert fresh.status_code == 200, f"{name}: {fresh.text}"
        assert program.get(read).headers["etag"] != tag, name
