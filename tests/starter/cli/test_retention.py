"""`billow retention` and `billow erase`: what must stay stays, what may go goes, and every proof still holds."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from sqlalchemy import text

from activities.documents.s3_store import S3Store
from activities.invoicing.steps import LedgerSteps
from activities.ledger import company_records, dispute_files, disputes, invoices
from activities.ledger.dispute_files import SentFile
from starter.cli import context
from tests.activities.bank.statements import file as bank_file
from tests.activities.bank.statements import paid as bank_paid
from tests.activities.documents.s3_server import s3_server, use
from tests.activities.documents.test_pdf import text_of
from tests.activities.ledger.conftest import rows, tamper
from tests.starter.cli.conftest import KEY_OF_ACME, Desk, today
from tests.starter.cli.test_documents import stored
from tests.starter.cli.test_export import letter
from workflows.messages import StepInput

Years = Callable[[int], None]


@pytest.fixture
def in_years(monkeypatch: pytest.MonkeyPatch) -> Years:
    """So many years pass for the command line."""

    def pass_by(years: int) -> None:
        then = datetime.now(UTC) + timedelta(days=366 * years)
        monkeypatch.setattr(context, "now", lambda: then)

    return pass_by


@pytest.fixture
def paid(desk: Desk) -> str:
    """An invoice that was issued, sent and paid, and is settled."""
    number = desk.issue()
    desk.type("pay", number, "--amount", desk.read("show", number)["gross"], "--date", today(), "--as", "pia")
    desk.work(KEY_OF_ACME)
    assert desk.read("show", number)["collection_status"] == "closed"
    return number


def everywhere(desk: Desk, word: str) -> set[str]:
    """The tables that still hold a word."""
    found = set()
    with desk.effects.ledger.transaction() as tx:
        tables = tx.scalars(text("select tablename from pg_tables where schemaname = current_schema()")).all()
        for table in tables:
            if tx.scalar(
                text(f'select exists (select from "{table}" t where t::text like :word)'),
                {"word": f"%{word}%"},
            ):
                found.add(str(table))
    return found


def proofs_hold(desk: Desk) -> None:
    for proof in (("audit", "verify"), ("audit", "numbers"), ("documents", "verify")):
        assert desk.read(*proof)["holds"], proof


def fates(said: dict[str, Any], which: str) -> dict[str, int]:
    return {each["what"]: each["count"] for each in said[which]}


def test_retention_lists_until_when(desk: Desk, paid: str, in_years: Years) -> None:
    """Invoices by the day until which the law keeps them, with the law; once it is past they may go."""
    (held,) = desk.read("retention")["holdings"]
    assert (held["issuer"], held["invoices"], held["documents"], held["may_go"]) == ("berlin", 1, 3, 0)
    assert held["kept_until"] == f"{today().year + 8}-12-31"
    assert "§ 14b" in held["law"]
    assert "Nothing may go yet." in desk.type("retention").stdout
    in_years(9)
    assert desk.read("retention")["holdings"][0]["may_go"] == 1
    assert "1 invoice may go now" in desk.type("retention").stdout


def test_nothing_to_keep(desk: Desk) -> None:
    """Before the first invoice there is nothing to keep, and that is said."""
    assert desk.type("retention").stdout == "No invoice is issued yet, so there is nothing to keep.\n"


def test_unsettled_stays(desk: Desk, in_years: Years) -> None:
    """What nobody has paid stays, however old it is."""
    desk.issue()
    in_years(20)
    (held,) = desk.read("retention")["holdings"]
    assert (held["unsettled"], held["may_go"]) == (1, 0)
    said = desk.read("erase", "acme", "--as", "pia", "--dry-run")
    assert "not settled" in next(each["why"] for each in said["stays"] if each["what"] == "invoices")
    assert fates(said, "goes") == {}


def test_handed_over_stays(desk: Desk, paid: str, in_years: Years) -> None:
    """What somebody else pursues now is not settled: neither the invoice goes nor a mail that shows it was sent."""
    tamper(desk.effects.ledger, "update invoices set collection_status = 'handed over'")
    in_years(20)
    said = desk.read("erase", "acme", "--as", "pia", "--dry-run")
    assert fates(said, "goes") == {}
    assert {each["why"] for each in said["stays"] if each["what"] == "messages"} == {
        "the invoice is not settled"
    }


def test_a_plan_first(desk: Desk, paid: str) -> None:
    """Without --yes nothing goes: the plan is printed, with what stays, the law and the day."""
    before = everywhere(desk, "Acme")
    shown = " ".join(desk.type("erase", "acme", "--as", "pia", "--dry-run").stdout.split())
    assert "Goes: " in shown and "Stays: " in shown
    assert f"1 invoice until {today().year + 8}-12-31: § 14b Abs. 1 UStG" in shown
    assert "Nothing was erased (--dry-run)." in shown
    assert "then give --yes" in desk.type("erase", "acme", "--as", "pia", code=1).stderr
    assert everywhere(desk, "Acme") == before


def test_within_retention_the_invoice_stays(desk: Desk, paid: str) -> None:
    """The mail that carried it goes; the invoice, its documents and its trail stay, and everything still proves."""
    said = desk.read("erase", "acme", "--as", "pia", "--yes")
    assert said["erased"] and fates(said, "goes") == {"messages": 1}
    assert rows(desk.effects.ledger, "select recipient, subject, body, html from messages") == [
        ("", "", "", "")
    ]
    assert {"invoices", "documents of invoices", "events of the audit trail"} <= set(fates(said, "stays"))
    assert desk.read("pdf", paid, "--verify")["same_bytes"] is True
    assert "erased" in [each["event"] for each in desk.read("timeline", paid)["events"]]
    proofs_hold(desk)
    again = desk.type("erase", "acme", "--as", "pia", "--yes").stdout
    assert "Nothing of acme may go now." in again


def test_past_retention_it_goes(desk: Desk, paid: str, in_years: Years) -> None:
    """Once the law lets go: documents are destroyed, words and names are gone, number, amounts and trail stay."""
    file = stored(desk)
    assert "invoices" in everywhere(desk, "Acme GmbH")
    in_years(9)
    said = desk.read("erase", "acme", "--as", "pia", "--yes")
    assert fates(said, "goes") == {"documents of invoices": 3, "invoices": 1, "messages": 1}
    assert not file.exists()
    assert everywhere(desk, "Acme GmbH") == everywhere(desk, "client.example") == set()
    ((number, gross, sha256),) = rows(
        desk.effects.ledger, "select number, gross::text, document from invoices"
    )
    assert number == paid and float(gross) > 0
    ((erased_at,),) = rows(
        desk.effects.ledger, "select erased_at from documents where sha256 = :sha256", sha256=sha256
    )
    assert erased_at is not None
    proofs_hold(desk)
    assert desk.read("show", paid)["number"] == paid
    assert "erased" in desk.type("pdf", paid, code=1).stderr
    assert "its retention over" in " ".join(desk.type("pdf", paid, "--verify", code=1).stderr.split())
    assert desk.read("retention")["holdings"][0]["may_go"] == 0
    ((subject, by),) = rows(desk.effects.ledger, "select subject, erased_by from erasures")
    assert (subject, by) == ("acme", "pia")


def test_an_emptied_draft_without_its_event_is_found(desk: Desk, paid: str) -> None:
    """Who marks a draft as erased behind Billow's back is found by the audit of the numbers."""
    tamper(
        desk.effects.ledger,
        """update invoices set draft = draft || '{"erased_at": "2026-01-01", "title": "x"}'""",
    )
    (problem,) = desk.read("audit", "numbers", code=1)["problems"]
    assert "the stored draft is not the one that was approved" in problem["reason"]


def test_voided_drafts_go(desk: Desk) -> None:
    """A draft that was rejected was never issued: no law keeps it."""
    desk.type("trigger", "--agreement", "acme-care", "--as", "pia")
    desk.work(KEY_OF_ACME)
    tamper(
        desk.effects.ledger,
        "update invoices set document_status = 'voided draft', number = null, document = null, closed_at = now()",
    )
    said = desk.read("erase", "acme", "--as", "pia", "--yes")
    assert fates(said, "goes")["voided drafts"] == 1
    assert "invoices" not in everywhere(desk, "Acme GmbH")


def test_a_contact(desk: Desk, paid: str, in_years: Years) -> None:
    """A contact is found by the address, on drafts and messages; the note of it keeps no address."""
    ((address,),) = rows(desk.effects.ledger, "select recipient from messages where audience = 'client'")
    said = desk.read("erase", address, "--as", "pia", "--yes")
    assert fates(said, "goes") == {"messages": 1}
    assert fates(said, "stays")["invoices"] == 1
    assert address not in str(rows(desk.effects.ledger, "select * from erasures"))
    assert "messages" not in everywhere(desk, address)
    in_years(9)
    desk.type("erase", address, "--as", "pia", "--yes")
    assert everywhere(desk, address) == set()
    proofs_hold(desk)


def test_a_contact_in_copy(desk: Desk, paid: str) -> None:
    """Who only got a copy is taken off it, however the address is written; the message to the others stays."""
    ((before, copies),) = rows(
        desk.effects.ledger, "select recipient, copies_to from messages where audience = 'client'"
    )
    assert "boss@client.example" in copies
    desk.type("erase", "Boss@Client.example", "--as", "pia", "--yes")
    ((after, left),) = rows(
        desk.effects.ledger, "select recipient, copies_to from messages where audience = 'client'"
    )
    assert (after, left) == (before, [each for each in copies if each != "boss@client.example"])
    assert "messages" not in everywhere(desk, "boss@client.example")


def test_money_taken_back_after_all(desk: Desk, paid: str, in_years: Years) -> None:
    """An erased invoice that is open again reminds nobody: a person hears of it, and every command says why not."""
    in_years(9)
    desk.read("erase", "acme", "--as", "pia", "--yes")
    desk.type("pay", paid, "--amount", "-100", "--date", today(), "--key", "back", "--as", "pia")
    assert desk.read("retention")["holdings"][0]["may_go"] == 0
    plan = LedgerSteps(desk.effects).collect(StepInput(billing_key=KEY_OF_ACME, as_of=context.now()))
    assert plan.at is not None and plan.name == "reminder-1"
    plan = LedgerSteps(desk.effects).collect(StepInput(billing_key=KEY_OF_ACME, as_of=plan.at))
    assert (plan.state, plan.waits_for) == ("exception", "decision on: not-delivered")
    (raised,) = desk.read("show", paid)["exceptions"]
    assert "write to the client yourself" in raised["message"]
    assert rows(desk.effects.ledger, "select recipient from messages where audience = 'client'") == [("",)]
    assert desk.read("reminder-letter", paid, "-o", desk.folder / "letter.pdf")["file"]
    written = text_of((desk.folder / "letter.pdf").read_bytes())
    assert "Acme GmbH" in written
    for refused in (("resend", paid, "--as", "pia"), ("einvoice", paid), ("pdf", paid)):
        assert "was erased on" in " ".join(desk.type(*refused, code=1).stderr.split())
    assert f"billow pdf {paid}" not in desk.type("show", paid).stdout
    proofs_hold(desk)


def test_a_late_reminder_is_kept_by_its_own_day(desk: Desk, paid: str, in_years: Years) -> None:
    """A letter about an old invoice is kept from the day it was sent, not from that of the invoice."""
    tamper(
        desk.effects.ledger,
        "update messages set event = 'reminder-3', handed_over_at = handed_over_at + interval '5 years'",
    )
    in_years(9)
    said = desk.read("erase", "acme", "--as", "pia", "--yes")
    assert fates(said, "goes") == {"documents of invoices": 3, "invoices": 1}
    (letter_kept,) = (each for each in said["stays"] if each["what"] == "messages")
    assert letter_kept["until"] == f"{today().year + 11}-12-31"
    in_years(12)
    assert fates(desk.read("erase", "acme", "--as", "pia", "--yes"), "goes") == {"messages": 1}


def test_broken_off_and_done_again(desk: Desk, paid: str, in_years: Years) -> None:
    """A document that is gone already does not stop it: doing it again does the rest."""
    in_years(9)
    stored(desk).unlink()
    assert desk.read("erase", "acme", "--as", "pia", "--yes")["erased"]
    proofs_hold(desk)


def test_letters_of_a_client(desk: Desk, in_years: Years) -> None:
    """A statement of account is kept like a business letter, six years in Germany; then it goes, and its row stays."""
    sha256 = letter(desk, b"%PDF statement", datetime.now(UTC))
    (stays,) = desk.read("erase", "acme", "--as", "pia")["stays"]
    assert (stays["what"], stays["until"]) == ("statements and other letters", f"{today().year + 6}-12-31")
    in_years(7)
    assert fates(desk.read("erase", "acme", "--as", "pia", "--yes"), "goes") == {
        "statements and other letters": 1
    }
    assert not desk.effects.documents.exists(sha256)
    assert rows(desk.effects.ledger, "select erased_at is not null from documents") == [(True,)]
    proofs_hold(desk)


def test_a_lock_in_the_store(desk: Desk, paid: str, in_years: Years, monkeypatch: pytest.MonkeyPatch) -> None:
    """A document the store does not let go ends it with the reason; the ledger does not say it was erased."""
    in_years(9)
    with s3_server() as endpoint:
        use(monkeypatch, endpoint)
        client = boto3.Session().client("s3")
        place: Any = {"LocationConstraint": "eu-central-1"}
        client.create_bucket(
            Bucket="locked", CreateBucketConfiguration=place, ObjectLockEnabledForBucket=True
        )
        store = S3Store.at("s3://locked")
        for kind in ("invoice", "cii", "ubl"):
            sha256 = store.put(stored(desk, kind).read_bytes())
            client.put_object_retention(
                Bucket="locked",
                Key=f"{sha256[:2]}/{sha256[2:4]}/{sha256}",
                Retention={"Mode": "COMPLIANCE", "RetainUntilDate": datetime.now(UTC) + timedelta(days=9000)},
            )
        bucket: Any = {"BILLOW_DOCUMENTS": "s3://locked"}
        refused = desk.type("erase", "acme", "--as", "pia", "--yes", code=1, **bucket)
        assert "locked until a day" in " ".join(refused.stderr.split())
    assert rows(desk.effects.ledger, "select count(*) from documents where erased_at is not null") == [(0,)]
    assert "invoices" in everywhere(desk, "Acme GmbH")


def test_nobody(desk: Desk) -> None:
    """A client or contact nobody knows is refused; so is an erasure in nobody's name."""
    assert "nothing here is of client 'nobody'" in desk.type("erase", "nobody", "--as", "pia", code=1).stderr
    assert "nothing here is of contact" in desk.type("erase", "a@b.example", "--as", "pia", code=1).stderr
    desk.type("erase", "acme", code=2)
    assert "is not a person" in desk.type("erase", "acme", "--as", "eve", "--yes", code=1).stderr
    assert "Nothing of acme may go now." in desk.type("erase", "acme", "--as", "pia").stdout


def disputed_and_paid_by_bank(desk: Desk, file: bytes) -> str:
    """An invoice disputed with a file, promised, and paid after all by a bank transfer of somebody with a name."""
    number = desk.issue()
    with desk.effects.ledger.transaction() as tx:
        iban = company_records.current(tx).company.issuers[0].bank_account.iban
        row = invoices.find(tx, number, lock=True)
        said: dict[str, Any] = {"by": "pia", "channel": "cli", "at": datetime.now(UTC)}
        company = company_records.current(tx).company
        dispute = disputes.open(tx, row, company, reason="Frau Zylinderhut was ill", **said)
        sent = SentFile(desk.effects.documents.put(file), "zylinderhut.pdf", "application/pdf", len(file))
        dispute_files.keep(tx, row, dispute, [sent], **said)
        disputes.reject(tx, row, company, answer="Frau Zylinderhut was there", **said)
    statement = desk.folder / "a.xml"
    gross = desk.read("show", number)["gross"]
    entry = bank_paid(gross, f"{number} Zylinderhut", bank="B1", name="Zylinderhut", day=today().isoformat())
    statement.write_bytes(bank_file([entry], account="".join(iban.split()), day=today().isoformat()))
    desk.type("import-statement", statement, "--as", "pia")
    desk.work(KEY_OF_ACME)
    assert desk.read("show", number)["collection_status"] == "closed"
    return number


def test_disputes_and_payers_go(desk: Desk, in_years: Years) -> None:
    """Files and words of disputes, and who paid from where, stay with the invoice as long as it does, then go."""
    number = disputed_and_paid_by_bank(desk, b"%PDF-zylinderhut")
    assert {"disputes", "dispute_files", "bank_entries", "payments"} <= everywhere(desk, "ylinderhut")
    assert desk.read("documents", "verify")["documents"] == 4
    within = desk.read("erase", "acme", "--as", "pia", "--dry-run")
    assert {"dispute files", "payer records"} <= set(fates(within, "stays"))
    in_years(9)
    assert "zylinderhut.pdf (16 bytes)" in desk.type("show", number).stdout
    goes = fates(desk.read("erase", "acme", "--as", "pia", "--yes"), "goes")
    assert (goes["dispute files"], goes["payer records"]) == (1, 1)
    assert everywhere(desk, "ylinderhut") == {"audit_events"}
    assert desk.read("documents", "verify")["documents"] == 0
    assert "zylinderhut" not in desk.type("show", number).stdout
    assert "retention is over" in desk.type("dispute-files", number, code=1).stderr
    proofs_hold(desk)
    ((amount, outcome),) = rows(desk.effects.ledger, "select amount > 0, outcome from bank_entries")
    assert (amount, outcome) == (True, "booked")
    assert "Nothing of acme may go now." in desk.type("erase", "acme", "--as", "pia", "--yes").stdout


def test_our_own_pdf_sent_back(desk: Desk, in_years: Years) -> None:
    """A client who sends our own PDF with a dispute: after six years the letter goes, the invoice's document stays."""
    number = desk.issue()
    data = stored(desk).read_bytes()
    with desk.effects.ledger.transaction() as tx:
        row, company = invoices.find(tx, number, lock=True), company_records.current(tx).company
        said: dict[str, Any] = {"by": "pia", "channel": "cli", "at": datetime.now(UTC)}
        dispute = disputes.open(tx, row, company, reason="see there", **said)
        sent = SentFile(desk.effects.documents.put(data), "again.pdf", "application/pdf", len(data))
        dispute_files.keep(tx, row, dispute, [sent], **said)
    desk.type("pay", number, "--amount", desk.read("show", number)["gross"], "--date", today(), "--as", "pia")
    desk.work(KEY_OF_ACME)
    in_years(7)
    goes = fates(desk.read("erase", "acme", "--as", "pia", "--yes"), "goes")
    assert goes["dispute files"] == 1 and "documents of invoices" not in goes
    assert stored(desk).read_bytes() == data
    proofs_hold(desk)


def test_money_of_nobody_and_of_no_invoice(desk: Desk, in_years: Years) -> None:
    """A stranger's money goes by the stranger's account, a client's with the client: decided about, and in time."""
    with desk.effects.ledger.transaction() as tx:
        ours = "".join(company_records.current(tx).company.issuers[0].bank_account.iban.split())
    entries = [
        bank_paid("50.00", "Danke", bank="B1", name="Zylinderhut", account=STRANGER, day=today().isoformat()),
        bank_paid("60.00", "Danke", bank="B2", name="Zwicker", account=CLIENTS, day=today().isoformat()),
    ]
    statement = desk.folder / "a.xml"
    statement.write_bytes(bank_file(entries, account=ours, day=today().isoformat()))
    desk.type("import-statement", statement, "--as", "pia")
    spaced = " ".join((STRANGER[:4], STRANGER[4:8], STRANGER[8:]))
    waits = desk.read("erase", spaced, "--as", "pia", "--dry-run")["stays"]
    assert {each["why"] for each in waits if each["what"] == "payer records"} == {
        "nobody has decided yet what it is for"
    }
    desk.type("allocate", "1", "--set-aside", "--reason", "not ours", "--as", "pia")
    desk.type("keep-credit", "2", "acme", "--as", "pia")
    assert desk.read("erase", STRANGER, "--as", "pia", "--yes")["erased"] is False
    in_years(9)
    assert fates(desk.read("erase", STRANGER, "--as", "pia", "--yes"), "goes") == {"payer records": 2}
    assert everywhere(desk, "ylinderhut") <= {"messages", "outbox"}
    stays = desk.read("erase", "acme", "--as", "pia", "--dry-run")["stays"]
    assert any("credit of the client" in each["why"] for each in stays)
    assert "bank_entries" in everywhere(desk, "Zwicker")
    desk.type("refund", "payment 2", "--reason", "asked for by Zwicker", "--as", "pia")
    for said in ("agree", "refund-paid"):
        desk.type(said, "1", "--as", "noor" if said == "agree" else "pia")
    assert fates(desk.read("erase", "acme", "--as", "pia", "--yes"), "goes") == {"payer records": 2}
    assert everywhere(desk, "wicker") <= {"messages", "outbox"}
    proofs_hold(desk)


STRANGER, CLIENTS = "DE75512108001245126199", "DE02500105170137075030"
