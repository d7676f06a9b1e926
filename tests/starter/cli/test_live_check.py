"""`billow check --live`: every system is tried out, each problem says what to do, and nothing is written."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from activities.company.sample import write_starter
from activities.crm.hubspot_invoices import NUMBER
from activities.delivery.slack import Slack
from activities.providers.live_check import Probe, shortened, tried_out
from activities.providers.provider import FieldSample
from billing.connections import Connection, Port
from starter.cli import main
from tests.activities.crm.hubspot_account import SECRET, TOKEN, HubSpotAccount
from tests.activities.delivery.slack_workspace import Workspace
from tests.activities.psa.counterpart import HTML, Answer, limited
from tests.mail_server import MailServer


@pytest.fixture
def account() -> Iterator[HubSpotAccount]:
    account = HubSpotAccount().example()
    account.define("companies", "tax_number_of_ours")
    account.define("deals", "our_invoice")
    account.objects["companies"]["550001"]["tax_number_of_ours"] = "DE129273398"
    with account.server:
        yield account


class Typed:
    """`billow check --live` at a terminal, for a company whose CRM is the account."""

    def __init__(self, folder: Path, account: HubSpotAccount, mail: MailServer) -> None:
        self.folder, self.account = folder, account
        self.environment: dict[str, str | None] = {
            "BILLOW_HOME": str(folder / "home"),
            "BILLOW_SMTP_HOST": mail.host,
            "BILLOW_SMTP_PORT": str(mail.port),
            "BILLOW_WEB_URL": "https://billow.test",
            "HUBSPOT_TOKEN": TOKEN,
            "HUBSPOT_SECRET": SECRET,
        }
        self.fields = [
            ("client.vat_id", "company.tax_number_of_ours", "in"),
            (NUMBER, "deal.our_invoice", "out"),
        ]

    def type(self, *more: str, code: int) -> Result:
        maps = "".join(
            f"    - {{ours: {ours}, theirs: {theirs}, direction: {way}}}\n"
            for ours, theirs, way in self.fields
        )
        (self.folder / "integrations.yaml").write_text(
            f"- id: hubspot\n  provider: hubspot\n  port: crm\n  base_url: {self.account.server.url}\n"
            "  secrets: {access_token: HUBSPOT_TOKEN, client_secret: HUBSPOT_SECRET}\n"
            f"  fields:\n{maps}"
        )
        result = CliRunner().invoke(main, ["check", "--live", str(self.folder), *more], env=self.environment)
        assert result.exit_code == code, result.output
        assert TOKEN not in result.output and SECRET not in result.output
        return result

    def crm(self, *, code: int) -> dict[str, Any]:
        found = json.loads(self.type("--json", code=code).stdout)
        return next(each for each in found["systems"] if each["id"] == "hubspot")

    def problems(self) -> set[str]:
        crm = self.crm(code=1)
        return {each for each in (crm["problem"], *(field["problem"] for field in crm["fields"])) if each}


@pytest.fixture
def typed(tmp_path: Path, account: HubSpotAccount, smtp: MailServer) -> Typed:
    write_starter(tmp_path, date(2026, 11, 22))
    return Typed(tmp_path, account, smtp)


def test_all_is_well(typed: Typed, account: HubSpotAccount, smtp: MailServer) -> None:
    """Fields with sources and values, personal data shortened, the webhook's address; nothing is changed or sent."""
    crm = typed.crm(code=0)
    fields = {each["field"]: each for each in crm["fields"]}
    assert fields["client.vat_id"] == {
        "field": "client.vat_id",
        "source": "company.tax_number_of_ours",
        "value": "DE…",
        "problem": "",
    }
    assert fields["contact.email"]["value"] == "a…@acme.example"
    assert fields["deal.value"]["value"] == "12500.00"
    assert fields[NUMBER]["source"] == "deal.our_invoice"
    assert crm["webhook"] == "on: https://billow.test/webhooks/hubspot"
    assert crm["address"] == account.server.url
    assert {asked.method for asked in account.server.asked} == {"GET"}
    assert account.server.refused == []
    assert smtp.messages() == []


def test_for_people(typed: Typed) -> None:
    """At most 80 columns; the files of the other ports and the mail server are systems, too."""
    lines = typed.type(code=0).stdout.splitlines()
    assert max(map(len, lines)) <= 80
    heads = [each for each in lines if each and not each.startswith(" ")]
    assert [each.partition(" ")[0] for each in sorted(heads[:-1])] == ["Files", "Files", "HubSpot", "Mail"]
    assert heads[-1].startswith("No problems: 4 systems tried out")


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (Answer(401, {"message": "expired"}), "renew the token and set its environment variable anew"),
        (Answer(403, {"message": "MISSING_SCOPES"}), "give it the scope the vendor's page names"),
        (Answer(404, {"message": "not here"}), "check base_url and the ids in integrations.yaml"),
        (HTML, "answers /crm/v3/objects/companies with text/html where JSON was expected; check base_url"),
        (Answer(200, {"results": "none"}), "the answer has no list 'results' of records"),
        (Answer(raw=b'{"results": [{'), "where JSON was expected"),
        (limited("600"), "cannot be asked now: HTTP 429"),
    ],
)  # fmt: skip
def test_what_vendors_answer(typed: Typed, account: HubSpotAccount, answer: Answer, says: str) -> None:
    """Each wrong answer is a problem that names the vendor and says what to do; no question is asked twice for it."""
    account.server.next_answers = [answer] * 200
    problems = typed.problems()
    assert any(says in each and "HubSpot" in each for each in problems), problems
    assert len({(each.method, each.path) for each in account.server.asked}) == len(account.server.asked) <= 5


def test_nobody_there(typed: Typed, account: HubSpotAccount) -> None:
    """A server that is gone is told with the vendor's name, after some tries and no longer."""
    account.server.__exit__(None, None, None)
    began = time.monotonic()
    (problem,) = typed.problems()
    assert "HubSpot cannot be asked now: it does not answer (ConnectError)" in problem
    assert time.monotonic() - began < 30
    account.server = HubSpotAccount().server
    account.server.__enter__()


def test_no_credentials(typed: Typed) -> None:
    """A missing secret is told by its environment variable; without the webhook's, that is off."""
    typed.environment |= {"HUBSPOT_TOKEN": None, "HUBSPOT_SECRET": None}
    crm = typed.crm(code=1)
    assert crm["problem"] == "HubSpot has no credentials: set the environment variable HUBSPOT_TOKEN"
    assert crm["webhook"] == (
        "off: set HUBSPOT_SECRET, then register https://billow.test/webhooks/hubspot with HubSpot"
    )


def test_fields(typed: Typed, account: HubSpotAccount) -> None:
    """A field that does not exist, one of another type, and one nobody may write to are told by name."""
    account.define("deals", "locked", fixed=True)
    account.objects["deals"]["9870001"]["amount"] = "a lot"
    typed.fields = [("client.vat_id", "company.vat_nr", "in"), (NUMBER, "deal.locked", "out")]
    fields = {each["field"]: each["problem"] for each in typed.crm(code=1)["fields"]}
    assert "has no field 'company.vat_nr'" in fields["client.vat_id"]
    assert "'deal.amount' is 'a lot', not a number" in fields["deal.value"]
    assert fields[NUMBER] == "HubSpot lets nobody write to it; map another property"


def test_mail_server(typed: Typed) -> None:
    """A mail server that takes no connections is a problem of its own."""
    typed.environment["BILLOW_SMTP_PORT"] = "1"
    found = json.loads(typed.type("--json", code=1).stdout)
    assert found["wrong"] == 1
    (mail,) = [each for each in found["systems"] if each["id"] == "mail"]
    assert "takes no connections; start it, or correct host and port" in mail["problem"]


def test_broken_file(typed: Typed) -> None:
    """A file of the folder that cannot be read is told with its line."""
    (typed.folder / "data/psa/time.csv").write_text("id,project\n1\n")
    result = typed.type(code=1)
    assert "time.csv" in result.stdout


def test_wrong_folder(typed: Typed, account: HubSpotAccount) -> None:
    """No system is asked for a folder that is wrong itself."""
    typed.fields = [("client.nothing", "company.x", "in")]
    result = typed.type(code=1)
    assert "HubSpot has no field 'client.nothing'" in result.stdout
    assert "No system was asked" in result.stderr
    assert account.server.asked == []


def test_bounded() -> None:
    """A system that hangs is given up, the others are told meanwhile, never more than two at a time."""
    ever, running, most = threading.Event(), [0], [0]

    def hang() -> list[FieldSample]:
        ever.wait(20)
        return []

    def answer() -> list[FieldSample]:
        running[0] += 1
        most[0] = max(most[0], running[0])
        running[0] -= 1
        return [FieldSample("deal.value", "amount", "1")]

    probes = [Probe("hangs", "Hangs", "crm", "", hang)]
    probes += [Probe(f"p{n}", "Answers", "psa", "", answer) for n in range(4)]
    reports = list(tried_out(probes, longest=0.2, grace=0.1))
    ever.set()
    assert [each.probe.id for each in reports] == ["p0", "p1", "p2", "p3", "hangs"]
    assert "Hangs takes longer than 0.2 s" in reports[-1].problem
    assert most[0] == 1


def test_a_defect_of_an_adapter() -> None:
    """What an adapter cannot make sense of is a problem of that system only."""

    def fail() -> list[FieldSample]:
        raise KeyError("amount")

    (report,) = tried_out([Probe("one", "Vendor", "crm", "", fail)])
    assert "Vendor answers in a way nobody here understands (KeyError)" in report.problem


@pytest.mark.parametrize(
    ("ours", "value", "shown"),
    [
        ("contact.email", "ada.example@acme.example", "a…@acme.example"),
        ("client.copies_to", "ada@x.example, bob@y.example", "a…@x.example, b…@y.example"),
        ("client.name", "Acme Holding GmbH", "Ac… Ho… Gm…"),
        ("time_entry.person", "Ada B", "Ad… B"),
        ("time_entry.note", "called Mr Vogel about his invoice", "ca… Mr Vo… ab…"),
        ("client.vat_id", "DE129273398", "DE…"),
        ("client.address.country", "DE", "DE"),
        ("deal.value", "12500.00", "12500.00"),
    ],
)  # fmt: skip
def test_shortened(ours: str, value: str, shown: str) -> None:
    """What tells of a person is shortened, figures and codes are not."""
    assert shortened(ours, value) == shown


@pytest.mark.parametrize(
    ("status", "word", "problem"),
    [
        (400, "invalid_payload", ""),
        (400, "no_text", ""),
        (404, "no_service", "HTTP 404 no_service; make a new incoming webhook"),
        (403, "action_prohibited", "an administrator of the workspace forbids it"),
        (200, "ok", "it is not Slack"),
        (503, "", "HTTP 503"),
    ],
)  # fmt: skip
def test_slack(status: int, word: str, problem: str) -> None:
    """Slack is reached by what it refuses: no message is posted, and a webhook that is gone is told."""
    workspace = Workspace()
    workspace.next(status, word)
    connection = Connection(id="chat", provider="slack", port=Port.CHAT)
    with workspace.server:
        slack = Slack(connection, {"webhook_url": workspace.url})
        (report,) = tried_out([Probe("chat", "Slack", "chat", "", slack.samples)])
    assert workspace.messages == []
    assert problem in report.problem and bool(problem) is bool(report.problem)
    assert workspace.url not in report.problem
    (asked,) = workspace.server.asked
    with pytest.raises(ValueError, match="Expecting"):
        json.loads(asked.body)
