"""The examples of docs/api.md are carried out, one after the other, and each does what it says."""

from __future__ import annotations

import re
import shlex
from datetime import timedelta
from pathlib import Path

import pytest
from httpx import Response
from starlette.testclient import TestClient

from activities.company.sample import write_sample
from activities.ledger import company_records
from activities.ledger.database import Ledger
from activities.ledger.tables import EventRow
from billing.exceptions import ReasonCode
from starter.web import create_app
from tests.activities.bank import statements
from tests.starter.web.furnished import agreements
from tests.starter.web.programs import token_of
from tests.starter.web.story import COMPANY, Story
from tests.starter.web.test_api_story import archive
from workers.settings import Settings

PAGE = Path(__file__).parents[3] / "docs" / "api.md"


def commands() -> list[str]:
    """Every curl of the page; lines that go on are joined."""
    blocks = re.findall(r"```sh\n(.*?)```", PAGE.read_text(), re.DOTALL)
    text = "\n".join(blocks).replace("\\\n", " ")
    return re.findall(r"^curl (?:'[^']*'|[^'\n])*$", text, re.MULTILINE)


def test_there_are_examples() -> None:
    """None of the page's commands is overlooked."""
    assert len(commands()) == PAGE.read_text().count('\ncurl -H "$AUTH"') >= 40


def send(program: TestClient, command: str, known: dict[str, str], files: dict[str, bytes]) -> Response:
    """Carries a command out as curl would."""
    words = [re.sub(r"\$([A-Z]+)", lambda found: known[found[1]], each) for each in shlex.split(command)][1:]
    headers: dict[str, str] = {}
    method, content, address = "GET", b"", ""
    while words:
        word = words.pop(0)
        if word == "-H":
            name, _, value = words.pop(0).partition(": ")
            headers[name] = value
        elif word == "--json":
            method, content = "POST", words.pop(0).encode()
            headers |= {"Content-Type": "application/json", "Accept": "application/json"}
        elif word == "--data-binary":
            method, content = "POST", files[words.pop(0).removeprefix("@")]
        elif word == "-X":
            method = words.pop(0)
        elif word == "-o":
            words.pop(0)
        else:
            address = word
    answer: Response = program.request(method, address, headers=headers, content=content or None)
    return answer


@pytest.fixture
def known(story: Story, ledger: Ledger) -> dict[str, str]:
    """What the examples speak of, as it is here."""
    today = story.at.date()
    people = tuple(
        each.model_copy(update={"roles": ("head of finance", "admin")}) if each.id == "tom" else each
        for each in COMPANY.people
    )
    changed = COMPANY.model_copy(update={"agreements": agreements(today), "people": people})
    company_records.apply_company(ledger, changed, "company", "lena", story.at)
    story.asked("waiting", by="rosa")
    exception = story.raised("stopped", ReasonCode.SOURCES_DIFFER, "the CRM says otherwise")
    with ledger.transaction() as tx:
        tx.add(EventRow(source="/psa", event="e1", type="t", received_at=story.at, content={}, status="held"))
    return {
        "INVOICE": story.issued("seen", at=story.at - timedelta(days=40)),
        "OTHER": story.issued("other"),
        "DRAFT": "manual%2Fwaiting",
        "EXCEPTION": str(exception),
        "AGREEMENT": "support",
        "METERED": "hours",
        "CLIENT": "nordlicht",
        "DAY": today.isoformat(),
        "LATER": (today + timedelta(days=9)).isoformat(),
        "API": "https://billow.test/api/v1",
        "AUTH": f"Authorization: Bearer {token_of(ledger, 'tom')}",
    }


def test_examples(settings: Settings, story: Story, known: dict[str, str], tmp_path: Path) -> None:
    """Each is answered as one that succeeded."""
    write_sample(tmp_path / "sample", story.at.date())
    day = known["DAY"]
    entry = statements.paid("12.00", "?", bank="B-2", day=day)
    files = {
        "camt.xml": statements.file([entry], id="2026-9", day=day),
        "company.zip": archive(tmp_path / "sample"),
    }
    wrong = {}
    with TestClient(create_app(settings, story.ledger), base_url="https://billow.test") as program:
        program.headers["authorization"] = known["AUTH"].partition(": ")[2]
        [asked] = [each for each in _items(program, "inbox") if each["kind"] == "approval"]
        payment = {"amount": "25.00", "currency": "EUR", "received_on": day}
        kept = program.post("/api/v1/payments", json=payment).json()["id"]
        known |= {"APPROVAL": str(asked["id"]), "DIGEST": str(asked["digest"]), "PAYMENT": str(kept)}
        for command in commands():
            known["ETAG"] = program.get(f"/api/v1/invoices/{known['OTHER']}").headers["etag"]
            answer = send(program, command, known, files)
            if answer.status_code not in (200, 201, 202):
                wrong[command] = answer.text
    assert wrong == {}


def _items(program: TestClient, path: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = program.get(f"/api/v1/{path}").json()["items"]
    return found
