"""Statements imported into a real ledger: each entry accounted for once, each cent where it belongs."""

from __future__ import annotations

import contextlib
import io
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy.orm import Session

from activities.bank.importing import Imported, import_file
from activities.ledger import (
    bank_data,
    bank_statements,
    company_records,
    invoices,
    settling_commands,
    unmatched_payments,
    views,
)
from activities.ledger.database import Ledger
from billing.approval_policy import Channel
from billing.errors import Refused
from billing.numbering import payment_reference
from billing.payment_policy import PaymentPolicy
from tests.activities.bank.statements import ACCOUNT, Entry, Tx, document, file, paid, statement
from tests.activities.ledger.conftest import at_once, breaks, events, everything, rows
from tests.starter.web.story import COMPANY, NOW, Story

PAYER = "DE75512108001245126199"
PAID = ("paid", Decimal(0))


def take(ledger: Ledger, data: bytes) -> list[Imported]:
    return import_file(
        ledger, io.BytesIO(data), file_name="a.xml", by="lena", channel="cli", at=NOW + timedelta(days=1)
    )


def policy(ledger: Ledger, **payments: object) -> None:
    company = COMPANY.model_copy(update={"payments": PaymentPolicy.model_validate(payments)})
    company_records.apply_company(ledger, company, "company", "lena", NOW)


def outcomes(ledger: Ledger) -> dict[str, str]:
    return dict(rows(ledger, "select position, outcome from bank_entries order by id"))


def status(ledger: Ledger, number: str) -> tuple[str, Decimal]:
    with ledger.transaction() as tx:
        row = invoices.find(tx, number)
        return row.payment_status, row.open_amount


@pytest.mark.parametrize("version", ["02", "08"])
def test_every_entry_has_an_outcome(story: Story, version: str) -> None:
    """Of each entry is said what became of it; invoices are paid, on their trail, and woken."""
    one, two = story.issued("one"), story.issued("two", prices=("100",))
    entries = [
        paid("8500.00", reference=payment_reference(one), bank="B1", name="Nordlicht", account=PAYER),
        paid("50.00", f"Teilzahlung {two}", bank="B2", name="Nordlicht", account=PAYER),
        paid("77.00", "Spende", bank="B3", name="Jemand"),
        paid("-12.00", "Miete", bank="B4", name="Vermieter"),
        Entry("-4.90", reference="B5", code="ACMT/MDOP/CHRG", information="Kontoführung"),
        paid("900.00", "STRIPE PAYOUT", bank="B6", name="Stripe Payments Europe Ltd"),
        Entry("5.00", standing="PDNG", reference="B7"),
        Entry("300.00", reference="B8", batch=3),
        Entry("149.00", reference="B9", transactions=(Tx("100.00", name="A"), Tx("50.00", name="B"))),
    ]
    (made,) = take(story.ledger, file(entries, version=version))
    assert outcomes(story.ledger) == {
        "1": "booked",
        "2": "booked",
        "3": "unmatched",
        "4": "outgoing",
        "5": "charge",
        "6": "payout",
        "7": "not booked yet",
        "8": "unmatched",
        "9.1": "unmatched",
        "9.2": "unmatched",
        "9.rest": "charge",
    }
    assert (made.new, made.entries, made.known, made.problems) == (True, 11, 0, ())
    assert sum(made.outcomes.values()) == 11
    assert status(story.ledger, one) == PAID
    assert status(story.ledger, two) == ("partly paid", Decimal("69.00"))
    assert events(story.ledger, one)[-1] == "payment received"
    assert breaks(story.ledger, one) == []
    woken = rows(story.ledger, "select subject from outbox where kind = 'wake' order by id desc limit 2")
    assert set(woken) == {("manual/one",), ("manual/two",)}
    with story.ledger.transaction() as tx:
        entry = views.timeline(tx, one)[-1]
    assert entry.facts["source"] == "bank statement 2026-224"
    assert "Nordlicht" in entry.facts["reference"]


def test_every_cent_is_somewhere(story: Story) -> None:
    """Booked, unmatched and the rest sum to what the statement's balances differ by."""
    number = story.issued("one")
    entries = [
        paid("100.10", number, bank="B1"),
        paid("33.33", "?", bank="B2"),
        paid("-7.77", bank="B3"),
        Entry("10.00", reference="B4", transactions=(Tx("3.33"), Tx("3.33"), Tx("3.33"))),
    ]
    take(story.ledger, file(entries, opening="0.00"))
    ((moved, closing),) = rows(
        story.ledger,
        "select sum(e.amount), max(s.closing) from bank_entries e join bank_statements s on true",
    )
    assert moved == closing == Decimal("135.66")
    ((booked,),) = rows(story.ledger, "select sum(amount) from payments")
    ((kept,),) = rows(story.ledger, "select sum(amount) from unmatched_payments")
    assert booked + kept == Decimal("143.43")


def test_twice_changes_nothing(story: Story) -> None:
    """The same file again, also by five at once and in the other version, changes nothing."""
    number = story.issued("one")
    entries = [
        paid("100.00", number, bank="B1", name="N"),
        paid("5.00", "?"),
        paid("5.00", "?"),
        paid("-1.00"),
    ]
    made = at_once(5, lambda _: take(story.ledger, file(entries)))
    assert sum(sum(each[0].outcomes.values()) for each in made if isinstance(each, list)) == 4
    assert rows(story.ledger, "select amount from payments") == [(Decimal("100.0000"),)]
    before = everything(story.ledger)
    (again,) = take(story.ledger, file(entries))
    assert (again.new, again.known, again.outcomes) == (False, 4, Counter())
    assert everything(story.ledger) == before
    (other,) = take(story.ledger, file(entries, version="02", id="X"))
    assert (other.new, other.known) == (True, 4)
    assert rows(story.ledger, "select count(*) from payments") == [(1,)]


def test_overlapping(story: Story) -> None:
    """A statement of the whole day after one of its morning brings only what is new."""
    number = story.issued("one")
    morning, noon = paid("100.00", number, bank="B1"), paid("100.00", number, bank="B2")
    take(story.ledger, file([morning], id="M"))
    (made,) = take(
        story.ledger, file([morning, noon], id="D", ends="2026-11-20T23:00:00", begins="2026-11-20T00:00:00")
    )
    assert (made.known, made.outcomes) == (1, Counter({"booked": 1}))
    assert status(story.ledger, number)[1] == Decimal("8300.00")


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_alike(story: Story, order: tuple[int, int]) -> None:
    """Payments that say the same, without any reference, are told apart by counting, also over the halves of a day."""
    number = story.issued("one")
    same = paid("10.00", number, name="N")
    halves = [
        file([same, same], id="A", begins="2026-11-20T00:00:00", ends="2026-11-20T12:00:00"),
        file([same], id="B", begins="2026-11-20T12:00:00", ends="2026-11-20T20:00:00", opening="1020.00"),
    ]
    whole = file([same] * 3, id="C", begins="2026-11-20T00:00:00", ends="2026-11-20T23:00:00")
    for each in (*order, *order):
        take(story.ledger, halves[each])
    take(story.ledger, whole)
    assert status(story.ledger, number)[1] == Decimal("8470.00")
    assert rows(story.ledger, "select count(*) from payments") == [(3,)]


def test_halves_at_once(story: Story) -> None:
    """The halves of a day, imported in the same moment, bring as much as one after the other."""
    number = story.issued("one")
    same = paid("10.00", number, name="N")
    halves = [
        file([same, same], id="A", begins="2026-11-20T00:00:00", ends="2026-11-20T12:00:00"),
        file([same] * 3, id="B", begins="2026-11-20T12:00:00", ends="2026-11-20T20:00:00", opening="1020.00"),
    ]
    at_once(2, lambda half: take(story.ledger, halves[half]))
    assert status(story.ledger, number)[1] == Decimal("8450.00")
    assert rows(story.ledger, "select count(*) from payments") == [(5,)]


def test_pages(story: Story) -> None:
    """A statement on two pages: what says the same on both is two payments, and imported again nothing."""
    number = story.issued("one")
    page = statement([paid("10.00", number, name="N")], opening=None)
    pages = [
        page.replace("<ElctrncSeqNb>", f"<StmtPgntn><PgNb>{which}</PgNb></StmtPgntn><ElctrncSeqNb>")
        for which in (1, 2)
    ]
    for _ in range(2):
        take(story.ledger, document(*pages))
    assert status(story.ledger, number)[1] == Decimal("8480.00")
    take(story.ledger, document(page, page))
    assert status(story.ledger, number)[1] == Decimal("8480.00")


@pytest.mark.parametrize(
    ("code", "became"),
    [("NTRF+166+9805", "booked"), ("NTRF+166+805", "booked"), ("805", "booked"), ("NCHG+808+9310", "charge")],
)
def test_own_codes(story: Story, code: str, became: str) -> None:
    """Only a transaction code of charges makes a charge; the number of a batch that looks like one does not."""
    number = story.issued("one")
    entry = Entry("10.00", code="", transactions=(Tx(text=(number,)),))
    own = f"<BkTxCd><Prtry><Cd>{code}</Cd><Issr>DK</Issr></Prtry></BkTxCd><NtryDtls>".encode()
    take(story.ledger, file([entry]).replace(b"<NtryDtls>", own))
    assert outcomes(story.ledger) == {"1": became}


def test_announced_ahead(story: Story) -> None:
    """What the bank announces for next month says nothing of how far the statement reaches."""
    entries = [paid("10.00", bank="B1"), Entry("5.00", day="2027-01-15", standing="PDNG", reference="B2")]
    (made,) = take(story.ledger, file(entries, opening=None))
    assert made.until.date() == date(2026, 11, 20)


def owed_back(story: Story, *amounts: str) -> str:
    """An invoice that is paid too much, of which so much is to be paid back."""
    number = story.issued("one")
    story.paid(number, str(8500 + sum(map(Decimal, amounts))))
    told: Any = {"by": "lena", "channel": Channel.CLI, "at": NOW}
    for place, amount in enumerate(amounts):
        settling_commands.refund(
            story.ledger, number, amount=Decimal(amount), reason="too much", key=f"r{place}", **told
        )
        settling_commands.agree(story.ledger, place + 1, **{**told, "by": "rosa"})
    return number


def test_refund(story: Story) -> None:
    """Each refund that goes out is booked once, two alike too, whatever is imported again; a third is none of ours."""
    policy(story.ledger, refunds={"approvers": ("rosa",)})
    number = owed_back(story, "40.00", "40.00")
    out = [paid("-40.00", f"Erstattung {number}", bank=f"B{n}") for n in range(3)]
    strangers = [paid("-40.00", "Miete", bank="B8"), paid("-41.00", number, bank="B9")]
    for _ in range(2):
        take(story.ledger, file([*strangers, *out]))
    assert rows(story.ledger, "select outcome from bank_entries order by id") == [
        (each,) for each in ("outgoing", "outgoing", "refund", "refund", "outgoing")
    ]
    assert status(story.ledger, number) == PAID
    assert rows(story.ledger, "select amount from payments where source = 'refund'") == [(Decimal(-40),)] * 2


def test_refund_told_before(story: Story) -> None:
    """A refund that a person has told of is not booked again when the statement comes."""
    policy(story.ledger, refunds={"approvers": ("rosa",)})
    number = owed_back(story, "40.00")
    told: Any = {"by": "lena", "channel": Channel.CLI, "at": NOW}
    settling_commands.refund_paid(story.ledger, 1, on=date(2026, 11, 20), **told)
    take(story.ledger, file([paid("-40.00", f"Erstattung {number}", bank="B1")]))
    assert outcomes(story.ledger) == {"1": "outgoing"}
    assert status(story.ledger, number) == PAID


def test_unmatched_alike(story: Story) -> None:
    """Three payments of one day and amount that nobody can match are three, each decided for itself."""
    same = paid("33.00", "Danke", name="Jemand")
    for _ in range(2):
        take(story.ledger, file([same, same, paid("33.00", "Danke", name="Jemand", bank="B1")]))
    with story.ledger.transaction() as tx:
        unmatched_payments.set_aside(tx, 2, COMPANY, reason="not ours", by="lena", at=NOW)
    found = rows(story.ledger, "select amount, resolution from unmatched_payments order by id")
    assert found == [(Decimal(33), None), (Decimal(33), "set aside: not ours"), (Decimal(33), None)]


class Dying(Ledger):
    """A ledger whose database goes away after a number of transactions, while one more is under way."""

    left = 0

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        self.left -= 1
        with super().transaction() as tx:
            yield tx
            if self.left < 0:
                raise ConnectionError


@pytest.mark.parametrize("after", range(9))
def test_crash(story: Story, after: int) -> None:
    """Whenever an import breaks off: imported again, all is as if nothing had happened."""
    one, two = story.issued("one"), story.issued("two", prices=("100",))
    story.paid(two, "19.00")
    entries = [
        paid("-1.00", "Miete"),
        paid("7.00", "?", bank="B1"),
        paid("500.00", one, bank="B2", end_to_end_id="E1"),
        paid("8.00", "?"),
        paid("19.00", two),
        paid("100.00", two),
        Entry("-500.00", reference="B3", transactions=(Tx(end_to_end_id="E1", returned="AC04"),)),
        paid("8000.00", one),
        paid("8.00", "?"),
    ]
    dying = Dying(story.ledger.url)
    dying.left = after
    with contextlib.closing(dying), contextlib.suppress(ConnectionError):
        take(dying, file(entries))
    (made,) = take(story.ledger, file(entries))
    assert sum(made.outcomes.values()) + made.known == 9
    ((became,),) = rows(story.ledger, "select array_agg(outcome order by id) from bank_entries")
    assert became[:5] == ["outgoing", "unmatched", "booked", "unmatched", "known already"]
    assert became[5:] == ["booked", "taken back", "booked", "unmatched"]
    assert [status(story.ledger, each)[1] for each in (one, two)] == [Decimal(500), Decimal(0)]
    assert rows(story.ledger, "select count(*), sum(amount) from unmatched_payments") == [(3, Decimal(23))]
    assert rows(story.ledger, "select count(*) from outbox where kind = 'notice'") == [(3,)]
    assert breaks(story.ledger, one) == breaks(story.ledger, two) == []


def test_one_payment_over_several_and_several_over_one(story: Story) -> None:
    """One transfer pays two invoices; two transfers pay one."""
    one, two = story.issued("one"), story.issued("two", prices=("100",))
    take(
        story.ledger,
        file([paid("8619.00", f"{one} {two}", bank="B1")]),
    )
    assert status(story.ledger, one) == status(story.ledger, two) == PAID
    three = story.issued("three", prices=("100",))
    entries = [paid("60.00", three, bank="B2"), paid("59.00", three, bank="B3")]
    take(story.ledger, file(entries, id="2", opening="9619.00", day="2026-11-21"))
    assert status(story.ledger, three) == PAID


def test_difference(story: Story) -> None:
    """A few cents short settle the invoice, as policy says; money that goes back makes all of it owed again."""
    policy(story.ledger, accept_difference={"EUR": "5.00"})
    number = story.issued("one")
    take(story.ledger, file([paid("8497.50", number, bank="B1", end_to_end_id="E1")]))
    assert status(story.ledger, number) == PAID
    assert events(story.ledger, number)[-2:] == ["accepted difference", "payment received"]
    back = Entry(
        "-8497.50", reference="B2", reversal=True, transactions=(Tx(end_to_end_id="E1", returned="AM09"),)
    )
    take(story.ledger, file([back], id="2", opening="9497.50", day="2026-11-21"))
    assert status(story.ledger, number) == ("unpaid", Decimal("8500.00"))
    assert breaks(story.ledger, number) == []


def test_a_cent_too_much(story: Story) -> None:
    """A cent more than is open is let pass, too, and nobody is asked about it."""
    policy(story.ledger, accept_difference={"EUR": "0.05"})
    number = story.issued("one")
    take(story.ledger, file([paid("8500.01", number, bank="B1")]))
    assert status(story.ledger, number) == PAID
    assert rows(story.ledger, "select 1 from exceptions") == []


def test_charges_on_the_way(story: Story) -> None:
    """What banks kept on the way is a fee of the payment, and the invoice is paid."""
    number = story.issued("one")
    take(
        story.ledger, file([Entry("8487.50", transactions=(Tx("8487.50", text=(number,), charges="12.50"),))])
    )
    assert status(story.ledger, number) == PAID
    assert rows(story.ledger, "select amount, fee from payments") == [(Decimal(8500), Decimal("12.5"))]


@pytest.mark.parametrize("known_by", [{"end_to_end_id": "E1"}, {"account": PAYER}, {"text": True}])
def test_returned(story: Story, known_by: dict[str, object]) -> None:
    """A payment the bank takes back reopens its invoice; however the bank lets us know which one."""
    number = story.issued("one")
    story.paid(story.issued("two"), "8500.00")
    told = {name: value for name, value in known_by.items() if name != "text"}
    take(story.ledger, file([paid("8500.00", number, bank="B1", **told)]))  # type: ignore[arg-type]
    assert status(story.ledger, number) == PAID
    why = Tx(returned="MD06", text=(f"Rueckgabe {number}",) if known_by.get("text") else (), **told)  # type: ignore[arg-type]
    back = Entry("-8500.00", "2026-11-21", (why,), reference="B2", code="PMNT/IDDT/UPDD")
    for _ in range(2):
        take(story.ledger, file([back], id="2", opening="9500.00", day="2026-11-21"))
    assert status(story.ledger, number) == ("unpaid", Decimal("8500.00"))
    assert events(story.ledger, number)[-1] == "payment taken back"
    assert outcomes(story.ledger) == {"1": "taken back"}


def test_returned_with_charges(story: Story) -> None:
    """A returned debit with the bank's charge on top takes back what was paid, and no more."""
    number = story.issued("one")
    take(story.ledger, file([paid("8500.00", number, bank="B1", end_to_end_id="E1")]))
    back = Tx(end_to_end_id="E1", returned="AC04", original=("8500.00", "EUR"), charges="3.50")
    entry = Entry("-8503.50", "2026-11-21", (back,), reference="B2", code="PMNT/IDDT/UPDD")
    take(story.ledger, file([entry], id="2", opening="9500.00", day="2026-11-21"))
    assert status(story.ledger, number) == ("unpaid", Decimal("8500.00"))
    ((because,),) = rows(story.ledger, "select because from bank_entries where amount < 0")
    assert "the bank charges 3.50 EUR" in because


def test_returned_unmatched(story: Story) -> None:
    """Money nobody had matched yet goes back: nothing is left to decide. Of what nobody knows, a person is asked."""
    take(story.ledger, file([paid("77.00", "?", bank="B1", end_to_end_id="E1")]))
    entries = [
        Entry("-77.00", "2026-11-21", (Tx(end_to_end_id="E1", returned="AC04"),), reference="B2"),
        Entry("-99.00", "2026-11-21", (Tx(end_to_end_id="E9", returned="AC04"),), reference="B3"),
    ]
    take(story.ledger, file(entries, id="2", opening="1077.00", day="2026-11-21"))
    assert rows(story.ledger, "select outcome from bank_entries order by id") == [
        ("unmatched",),
        ("taken back",),
        ("taken back, of what is unknown",),
    ]
    ((resolution,),) = rows(story.ledger, "select resolution from unmatched_payments")
    assert "taken back by the bank" in resolution
    assert rows(story.ledger, "select code from exceptions where resolved_at is null") == [
        ("payment-reversed",)
    ]


def test_payer_is_remembered(story: Story) -> None:
    """Once a person says for whom a payment was, the next from that account is matched by its amount alone."""
    one, two = story.issued("one"), story.issued("two", prices=("100",))
    take(story.ledger, file([paid("8500.00", "Danke", bank="B1", name="Holding", account=PAYER)]))
    assert outcomes(story.ledger) == {"1": "unmatched"}
    with story.ledger.transaction() as tx:
        row = invoices.find(tx, one, lock=True)
        unmatched_payments.allocate(tx, 1, row, COMPANY, by="lena", channel="cli", at=NOW)
    second = paid("119.00", "Danke", bank="B2", name="Holding", account=PAYER, day="2026-11-21")
    take(story.ledger, file([second], id="2", opening="9500.00", day="2026-11-21"))
    assert status(story.ledger, two) == PAID


def test_typed_in_before(story: Story) -> None:
    """What a person has booked by hand from the bank's page is not booked again when the statement comes."""
    number = story.issued("one")
    story.paid(number, "4000.00")
    entries = [paid("4000.00", number, bank="B1"), paid("4000.00", number, bank="B2")]
    take(story.ledger, file(entries))
    assert outcomes(story.ledger) == {"1": "known already", "2": "booked"}
    assert status(story.ledger, number) == ("partly paid", Decimal("500.00"))


def test_paid_already(story: Story) -> None:
    """A second payment of a paid invoice is kept for a person, who sees what it names and that nothing is open."""
    number = story.issued("one")
    take(story.ledger, file([paid("8500.00", number, bank="B1"), paid("8500.00", number, bank="B2")]))
    assert outcomes(story.ledger) == {"1": "booked", "2": "unmatched"}
    ((found,),) = rows(story.ledger, "select suggestions from unmatched_payments")
    assert found[0]["number"] == number
    assert found[0]["reasons"] == ["its number is in the text", "but it is paid, with nothing open"]


def test_three_currencies(story: Story) -> None:
    """Euro, yen and dollars, each on an account of its own; what the payer ordered in yen pays an invoice in yen."""
    policy(story.ledger, accounts={"DE99 EUR USD": "elbwerk", "JP-1": "elbwerk"})
    euro, yen, other = (
        story.issued("one"),
        story.issued("two", client="kawa", prices=("50000",)),
        story.issued("three", client="kawa", prices=("70000",)),
    )
    made = document(
        statement([paid("8500.00", euro, bank="B1")]),
        statement([paid("50000", yen, bank="B2")], currency="JPY", account="JP-1", opening="0"),
        statement(
            [Entry("455.10", transactions=(Tx("455.10", text=(other,), original=("70000", "JPY")),))],
            currency="USD",
            account="DE99EURUSD",
        ),
    )
    assert [each.currency for each in take(story.ledger, made)] == ["EUR", "JPY", "USD"]
    assert [status(story.ledger, each) for each in (euro, yen, other)] == [PAID] * 3


def test_own_accounts(story: Story) -> None:
    """A transfer from one account of ours to another is neither."""
    policy(story.ledger, accounts={PAYER: "elbwerk"})
    take(story.ledger, file([paid("8500.00", bank="B1", name="Elbwerk", account=PAYER)]))
    assert outcomes(story.ledger) == {"1": "own transfer"}


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (file([paid("1.00")], account="FR7630006000011234567890189"), "is no issuer's"),
        (file([paid("1.00", bank="B1")] * 3)[:-300], "breaks off"),
        (file([paid("1.00")], day="2027-11-20"), "reaches into the future"),
    ],
)
def test_refused_as_a_whole(story: Story, data: bytes, said: str) -> None:
    """Of a file that cannot be read to its end, or is not ours, nothing is taken in."""
    story.issued("one")
    before = everything(story.ledger)
    with pytest.raises(Refused, match=said):
        take(story.ledger, data)
    assert everything(story.ledger) == before


def test_gap(story: Story) -> None:
    """A statement that is missing between two is told once, and is well when it comes; so are wrong balances."""
    first = file([paid("10.00", bank="B1")], id="1", day="2026-11-18")
    second = file([paid("20.00", bank="B2", day="2026-11-19")], id="2", opening="1010.00", day="2026-11-19")
    third = file([paid("30.00", bank="B3")], id="3", opening="1030.00")
    take(story.ledger, first)
    (made,) = take(story.ledger, third)
    assert "begins with 1,030.00 EUR" in made.problems[0]
    assert rows(story.ledger, "select code from exceptions where resolved_at is null") == [
        ("statement-faulty",)
    ]
    take(story.ledger, second)
    assert rows(story.ledger, "select code from exceptions where resolved_at is null") == []
    assert rows(story.ledger, "select problems from bank_statements where statement = '3'") == [([],)]
    (wrong,) = take(story.ledger, file([], id="4", opening="1060.00", closing="1061.00", day="2026-11-21"))
    assert "differ by 1.00 EUR" in wrong.problems[0]


def test_newest(story: Story) -> None:
    """How far bank data reach: until the end of the last day, in the issuer's zone; never beyond what the bank knew."""
    with story.ledger.transaction() as tx:
        assert bank_statements.newest(tx, "elbwerk", "EUR") is None
    take(story.ledger, file([], day="2026-11-19"))
    with story.ledger.transaction() as tx:
        reaches = bank_statements.newest(tx, "elbwerk", "EUR")
        assert reaches is not None
        assert reaches.isoformat() == "2026-11-19T22:10:00+00:00"
        assert bank_statements.newest(tx, "elbwerk", "JPY") == reaches
        assert bank_statements.newest(tx, "another", "EUR") is None


def test_reminders_wait_no_longer(story: Story) -> None:
    """What waits for newer bank data is told so by a statement that brings them, and looks again."""
    policy(story.ledger, bank_data_within_days=3)
    number = story.issued("one")
    with story.ledger.transaction() as tx:
        row = invoices.find(tx, number, lock=True)
        row.waits_for = why = bank_data.too_old(tx, row, NOW)
        assert "no statement was imported" in why
        bank_data.tell(tx, row, why, at=NOW)
        tx.connection().exec_driver_sql("delete from outbox")
    take(story.ledger, file([]))
    assert rows(story.ledger, "select code from exceptions where resolved_at is null") == []
    assert rows(story.ledger, "select kind, subject from outbox") == [("wake", "manual/one")]


def test_partial_allocation(story: Story) -> None:
    """One payment is allocated to two invoices by hand; it is decided when nothing is left of it."""
    one, two = story.issued("one"), story.issued("two", prices=("100",))
    take(story.ledger, file([paid("600.00", "Danke", bank="B1")]))

    def allocate(number: str, amount: str | None) -> None:
        with story.ledger.transaction() as tx:
            row = invoices.find(tx, number, lock=True)
            wanted = Decimal(amount) if amount else None
            unmatched_payments.allocate(tx, 1, row, COMPANY, amount=wanted, by="lena", channel="cli", at=NOW)

    allocate(two, "119.00")
    with pytest.raises(Refused, match=r"EUR 481\.00 are left of payment 1"):
        allocate(one, "481.01")
    with pytest.raises(Refused, match="more than nothing"):
        allocate(one, "0")
    allocate(one, "81.00")
    allocate(one, None)
    assert status(story.ledger, one) == ("partly paid", Decimal("8019.00"))
    assert status(story.ledger, two) == PAID
    assert rows(story.ledger, "select allocated, resolution from unmatched_payments") == [
        (Decimal(600), f"booked for {two}, {one}")
    ]


def test_wrong_day() -> None:
    """The day of a payment is that of its value, where that is before it was booked."""
    from activities.bank.movements import Movement
    from activities.ledger.bank_entries import received_on

    day = date(2026, 11, 20)
    assert received_on(Movement("1", Decimal(1), "EUR", day, day - timedelta(days=1))) == date(2026, 11, 19)
    assert received_on(Movement("1", Decimal(1), "EUR", day, day + timedelta(days=2))) == day


def test_our_account_is_the_issuers() -> None:
    """The account of the samples is the issuer's own."""
    assert bank_statements.issuer_of(COMPANY, ACCOUNT).id == "elbwerk"
