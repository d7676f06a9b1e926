"""Credit notes in the ledger: numbered once, never more than is left, on the trail of the invoice they correct."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from activities.ledger import (
    credit_commands,
    credit_notes,
    crediting,
    disputes,
    invoices,
    number_audit,
    number_series,
    payments,
    settling_commands,
)
from activities.ledger.number_audit import Kind
from activities.ledger.tables import BilledItemRow, CreditNoteRow, GivingUpRow
from billing.company import Company
from billing.credit_note import WHOLE, CreditedLine, Selection
from billing.draft import InvoiceLine, SourceRef, line
from billing.errors import Conflicting, NotAllowed, NotFound, Refused, WrongState
from billing.money import Money
from billing.payment_terms import EarlyPayment, PaymentTerms
from tests.activities.ledger.conftest import at_once, breaks, events, everything, tamper
from tests.starter.web.story import COMPANY, NOW, Story

LENA: dict[str, Any] = {"by": "lena", "channel": "cli", "at": NOW}


def issued(story: Story, **changes: Any) -> str:
    """An issued invoice of three lines, 19 % tax: 1,190.00, 595.00 and 119.00, together 1,904.00 euros."""
    made = story.drafted("one")
    with story.ledger.transaction() as tx:
        row = invoices.locked(tx, made)
        draft = invoices.draft_of(row)
        lines = tuple(_work(net) for net in (1000, 500, 100))
        of_all = {"rate": Decimal(19), "taxable": Decimal(1600), "tax": Decimal(304)}
        taxes = (draft.taxes[0].model_copy(update=of_all),)
        figures = {"net": Decimal(1600), "tax": Decimal(304), "gross": Decimal(1904)}
        changed = {"lines": lines, "taxes": taxes, **figures, **changes}
        invoices.put_draft(tx, row, draft.model_copy(update=changed))
        number = number_series.issue(tx, row, at=NOW)
        row.document_status, row.delivered_at = "issued", NOW
        return number


def _work(net: int) -> InvoiceLine:
    source = SourceRef(source="time", id=f"t-{net}")
    return line(f"Work {net}", Decimal(1), "DAY", Decimal(net), "EUR", sources=(source,))


@pytest.fixture
def number(story: Story) -> str:
    return issued(story)


def credit(story: Story, number: str, selection: Selection = WHOLE, **changes: Any) -> CreditNoteRow:
    """Issues a credit note that nobody has to agree to."""
    given = {"reason": "Wrong", "key": "1", **LENA, **changes}
    with story.ledger.transaction() as tx:
        row = invoices.find(tx, number, lock=True)
        note = credit_notes.issue(tx, row, COMPANY, selection=selection, **given)
        tx.flush()
        tx.expunge(note)
        return note


def of_line(position: int) -> Selection:
    return Selection(lines=(CreditedLine(position=position),))


def stands(story: Story, number: str) -> tuple[str, str, str]:
    with story.ledger.transaction() as tx:
        row = invoices.find(tx, number)
        return row.document_status, row.payment_status, f"{row.open_amount:.2f}"


def test_in_parts_until_nothing_is_left(story: Story, number: str) -> None:
    """Each part has a number of its own series; with the last one the document is credited, and no more can be."""
    first = credit(story, number, of_line(2))
    assert (first.gross, first.tax, first.whole) == (Decimal(595), Decimal(95), False)
    assert stands(story, number) == ("issued", "unpaid", "1309.00")
    second = credit(story, number, key="2")
    assert (second.gross, second.whole) == (Decimal(1309), True)
    assert stands(story, number) == ("credited", "unpaid", "0.00")
    assert (first.number[-5:], second.number[-5:]) == ("00001", "00002")
    with pytest.raises(WrongState, match="is credited in full already"):
        credit(story, number, key="3")
    assert events(story.ledger, number).count("credited") == 2
    assert breaks(story.ledger, number) == []


def test_a_second_click(story: Story, number: str) -> None:
    """The same key is the same credit note, also from many hands at once; with other content it is refused."""
    made = at_once(6, lambda _: credit(story, number, of_line(3)).number)
    assert len(set(made)) == 1 and isinstance(made[0], str)
    assert stands(story, number) == ("issued", "unpaid", "1785.00")
    with pytest.raises(Conflicting, match=f"is credit note {made[0]} already"):
        credit(story, number, of_line(3), reason="Another one")
    for other in (of_line(2), WHOLE, Selection(gross=Decimal("119.00"))):
        with pytest.raises(Conflicting, match=f"is credit note {made[0]} already"):
            credit(story, number, other)
    everything = credit(story, number, key="2").number
    assert credit(story, number, key="2").number == everything
    assert credit(story, number, of_line(3)).number == made[0]
    assert events(story.ledger, number).count("credited") == 2


def test_many_at_once_never_credit_more_than_there_is(story: Story, number: str) -> None:
    """Eight credit notes over 595.00 at once: two of them fit into the lines they name, and numbers have no gap."""
    made = at_once(8, lambda n: credit(story, number, of_line(2 + n % 2), key=str(n)).gross)
    assert sorted(each for each in made if isinstance(each, Decimal)) == [Decimal(119), Decimal(595)]
    assert all(isinstance(each, Decimal | Refused) for each in made)
    with story.ledger.transaction() as tx:
        assert number_audit.audit_numbers(tx).problems == []


REFUSED: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "no reason": ({"reason": "  "}, Refused, "say why"),
    "nobody of the company": ({"by": "mallory"}, NotAllowed, "is not a person of this company"),
    "the client": ({"by": "client:nordlicht", "channel": "portal"}, NotAllowed, "is not a person"),
    "more than the line": (
        {"selection": Selection(lines=(CreditedLine(position=3, net=Decimal(101)),))},
        Refused,
        "100.00 EUR net left to credit",
    ),
    "what no font has": ({"reason": "Wrong \U0010fffd"}, Refused, "cannot be issued"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(story: Story, number: str, case: str) -> None:
    """What a rule refuses changes nothing, and burns no number."""
    changes, error, why = REFUSED[case]
    before = everything(story.ledger)
    with pytest.raises(error, match=why):
        credit(story, number, **changes)
    assert everything(story.ledger) == before


def test_only_what_was_issued_with_its_document(story: Story, number: str) -> None:
    """A draft is voided, not credited; a document that is being made, and a credit note, are not credited either."""
    story.drafted("two")
    with pytest.raises(WrongState, match="repair or void the draft"):
        credit(story, "manual/two")
    tamper(
        story.ledger,
        "update invoices set document_status = 'issued, document pending' where number = :n",
        n=number,
    )
    with pytest.raises(WrongState, match="has no document yet"):
        credit(story, number)
    tamper(story.ledger, "update invoices set document_status = 'issued' where number = :n", n=number)
    note = credit(story, number, of_line(1))
    with pytest.raises(
        NotFound, match=f"{note.number} is a credit note; the invoice it corrects is {number}"
    ):
        credit(story, note.number, key="2")


def test_what_may_be_billed_again(story: Story, number: str) -> None:
    """Work stays on the invoice that billed it, so that nothing given away is billed later; unless it is said."""

    def standing() -> set[str]:
        with story.ledger.transaction() as tx:
            return set(tx.scalars(select(BilledItemRow.item)))

    credit(story, number, of_line(1))
    assert standing() == {"t-1000", "t-500", "t-100"}
    credit(
        story,
        number,
        Selection(lines=(CreditedLine(position=2, net=Decimal(499)),)),
        key="2",
        bill_again=True,
    )
    assert standing() == {"t-500", "t-100"}
    credit(story, number, key="3", bill_again=True)
    assert standing() == set()


def test_a_discount_for_paying_early_is_one_on_what_is_left(story: Story) -> None:
    """2 % of 1,904.00 were waived (38.08). Half of it credited, 19.04 of that are not; all of it, nothing is waived."""
    early = PaymentTerms(net_days=30, early_payment=EarlyPayment(percent=Decimal(2), days=10))
    number = issued(story, terms=early)
    with story.ledger.transaction() as tx:
        row = invoices.find(tx, number, lock=True)
        paid = {"key": "p", "received_on": NOW.date(), "source": "bank", **LENA}
        payments.record(tx, row, Money.of("1865.92", "EUR"), **paid)
        assert row.payment_status == "paid"
    credit(story, number, Selection(gross=Decimal(952)))
    assert stands(story, number) == ("issued", "overpaid", "-932.96")
    credit(story, number, key="2")
    assert stands(story, number) == ("credited", "overpaid", "-1865.92")


@pytest.mark.parametrize(
    ("paid", "expected"),
    [
        ("932.96", ("issued", "paid", "0.00")),
        ("940.00", ("issued", "paid", "0.00")),
        ("952.00", ("issued", "paid", "0.00")),
        ("932.95", ("issued", "partly paid", "19.05")),
        ("960.00", ("issued", "overpaid", "-8.00")),
    ],
)
@pytest.mark.parametrize("credited_first", [True, False])
def test_credited_in_part_and_paid_early(
    story: Story, paid: str, expected: tuple[str, str, str], credited_first: bool
) -> None:
    """Half of 1,904.00 is credited: 98 % of the other 952.00 are enough, 932.96, whichever comes first."""
    early = PaymentTerms(net_days=30, early_payment=EarlyPayment(percent=Decimal(2), days=10))
    number = issued(story, terms=early)
    if credited_first:
        credit(story, number, Selection(gross=Decimal(952)))
    with story.ledger.transaction() as tx:
        row = invoices.find(tx, number, lock=True)
        given = {"key": "p", "received_on": NOW.date(), "source": "bank", **LENA}
        payments.record(tx, row, Money.of(paid, "EUR"), **given)
    if not credited_first:
        credit(story, number, Selection(gross=Decimal(952)))
    assert stands(story, number) == expected
    assert breaks(story.ledger, number) == []


def test_a_dispute_is_decided(story: Story, number: str) -> None:
    """By the credit note that says so, and by one after which nothing is left; else it goes on."""
    with story.ledger.transaction() as tx:
        disputes.open(tx, invoices.find(tx, number, lock=True), COMPANY, reason="Never done", **LENA)
    credit(story, number, of_line(3))
    with story.ledger.transaction() as tx:
        dispute = disputes.current(tx, invoices.find(tx, number))
        assert dispute is not None
        decided = dispute.id
    credit(story, number, of_line(2), key="2", dispute=decided)
    with story.ledger.transaction() as tx:
        assert disputes.current(tx, invoices.find(tx, number)) is None


def strict() -> Company:
    """A company in which another person agrees to each credit note."""
    return COMPANY.model_copy(
        update={
            "payments": COMPANY.payments.model_copy(
                update={"credit_notes": COMPANY.payments.write_offs.model_copy(update={"alone_up_to": {}})}
            )
        }
    )


def test_what_was_asked_for_is_checked_again(story: Story, number: str) -> None:
    """Agreed to after something else was credited, it is refused where not enough is left; after all was, withdrawn."""
    asked: dict[str, Any] = {"selection": of_line(1), "reason": "Wrong", "key": "q", **LENA}
    with story.ledger.transaction() as tx:
        waits = crediting.ask(tx, invoices.find(tx, number, lock=True), strict(), **asked).waits
        assert waits is not None and waits.amount == Decimal(1190)
        item, who = waits.id, waits.owner
    credit(story, number, Selection(gross=Decimal(1500)), key="other")
    with pytest.raises(Refused, match="net are left to credit"):
        settling_commands.agree(story.ledger, item, by=who, channel="cli", at=NOW)  # type: ignore[arg-type]
    credit(story, number, key="rest")
    with story.ledger.transaction() as tx:
        assert tx.get_one(GivingUpRow, item).status == "withdrawn"
    assert "credit note withdrawn" in events(story.ledger, number)


def test_a_preview_changes_nothing(story: Story, number: str) -> None:
    """What it would say is told without a number."""
    before = everything(story.ledger)
    name, draft = credit_commands.preview(story.ledger, number, selection=of_line(2), reason="Wrong")
    assert (name, draft.due, draft.preceding) == (number, Decimal(595), number)
    assert everything(story.ledger) == before


LOST: dict[str, tuple[str, Kind, str]] = {
    "deleted": ("delete from credit_notes where number like '%00001'", Kind.GAP, "00001 is missing"),
    "other amount": ("update credit_notes set gross = 1", Kind.RECORD, "gross is 1.00, but 595"),
    "other words": (
        "update credit_notes set draft = jsonb_set(draft, '{note}', '\"x\"')",
        Kind.RECORD,
        "the stored draft is not the one that was approved",
    ),
    "other day": ("update credit_notes set issue_date = issue_date - 9 where number like '%2'", Kind.ORDER, "before"),
}  # fmt: skip


@pytest.mark.parametrize("case", LOST)
def test_the_audit_of_numbers_finds_what_was_changed(story: Story, number: str, case: str) -> None:
    """A credit note that is gone, or not what was issued, is named."""
    credit(story, number, of_line(2))
    credit(story, number, of_line(3), key="2")
    statement, kind, reason = LOST[case]
    tamper(story.ledger, statement)
    with story.ledger.transaction() as tx:
        found = number_audit.audit_numbers(tx).problems
    assert any(each.kind is kind and reason in each.reason for each in found), found
