"""An invoice of 6,913.90 euros (4,200, 1,260 and 350 net, 19 % tax) in every state its client can find it in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from activities.ledger import (
    checkouts,
    company_records,
    credit_notes,
    dispute_commands,
    invoices,
    settling_commands,
)
from activities.ledger.tables import CheckoutRow
from activities.payments.provider import CheckoutPage, CheckoutReport, CheckoutStatus
from billing.approval_policy import Channel
from billing.credit_note import WHOLE, Selection
from billing.money import Money
from billing.payment_policy import Agreeing, PaymentPolicy
from billing.status import CollectionStatus, DocumentStatus
from tests.starter.web.portal.clients import Clients
from tests.starter.web.story import COMPANY

GROSS = "6913.90"


class States:
    """Brings an invoice into a state; each method takes its number."""

    def __init__(self, clients: Clients) -> None:
        self.clients, self.ledger, self.at = clients, clients.ledger, clients.at
        agreeing = Agreeing(approvers=("tom",), alone_up_to={"EUR": Decimal(10000)})
        with self.ledger.transaction() as tx:
            company = company_records.current(tx).company
        policy = PaymentPolicy(write_offs=agreeing, refunds=agreeing)
        company_records.apply_company(
            self.ledger, company.model_copy(update={"payments": policy}), "company", "lena", self.at
        )

    @property
    def by(self) -> dict[str, Any]:
        return {"by": "lena", "channel": Channel.CLI, "at": self.at}

    def part_paid(self, number: str) -> None:
        self.clients.paid(number, "2000.00")

    def plan(self, number: str) -> None:
        """Three parts, of which the first is paid."""
        days = [self.at.date() + timedelta(days=count) for count in (10, 40, 70)]
        amounts = (Decimal(3000), Decimal(2000), Decimal("1913.90"))
        parts = tuple(zip(days, amounts, strict=True))
        dispute_commands.agree_plan(self.ledger, number, parts=parts, reason="cash is short", **self.by)
        self.clients.paid(number, "3000.00")

    def promised(self, number: str) -> None:
        on = self.at.date() + timedelta(days=12)
        dispute_commands.promise(self.ledger, number, on=on, **self.by)

    def disputed(self, number: str) -> None:
        dispute_commands.dispute(self.ledger, number, reason="We did not order this.", **self.by)

    def disputed_line(self, number: str) -> None:
        dispute_commands.dispute(
            self.ledger, number, reason="Eight hours were agreed.", lines=(2,), **self.by
        )

    def rejected(self, number: str) -> None:
        self.disputed(number)
        dispute_commands.end_dispute(self.ledger, number, answer="Order 4711 asks for it.", **self.by)

    def credited_part(self, number: str) -> None:
        self._credit(number, Selection(gross=Decimal("1499.40")))

    def credited(self, number: str) -> None:
        self._credit(number, WHOLE)

    def paid(self, number: str) -> None:
        self.clients.paid(number, GROSS)

    def overpaid(self, number: str) -> None:
        self.clients.paid(number, "7000.00")

    def paid_and_credited_part(self, number: str) -> None:
        self.paid(number)
        self.credited_part(number)

    def part_paid_and_credited(self, number: str) -> None:
        self.part_paid(number)
        self.credited(number)

    def refunded(self, number: str) -> None:
        self.overpaid(number)
        found = settling_commands.refund(self.ledger, number, reason="paid too much", **self.by)
        settling_commands.refund_paid(self.ledger, found.id, on=self.at.date(), **self.by)

    def written_off(self, number: str) -> None:
        settling_commands.write_off(self.ledger, number, reason="insolvent", **self.by)

    def handed_over(self, number: str) -> None:
        with self.ledger.transaction() as tx:
            row = invoices.find(tx, number, lock=True)
            row.handed_over_at = row.closed_at = self.at
            row.collection_status = CollectionStatus.HANDED_OVER

    def under_way(self, number: str) -> None:
        with self.ledger.transaction() as tx:
            row = invoices.find(tx, number, lock=True)
            page = CheckoutPage(f"page-{number}", "https://pay.example/page", self.at + timedelta(hours=1))
            checkouts.note(tx, row, "cards", page, Money.of(GROSS, "EUR"), at=self.at)
            tx.flush()
            report = CheckoutReport(page.session, CheckoutStatus.UNDER_WAY, "pi_1")
            checkouts.moved(tx, report, by="cards", at=self.at)
            assert tx.get_one(CheckoutRow, page.session).status == CheckoutStatus.UNDER_WAY

    def _credit(self, number: str, selection: Selection) -> None:
        with self.ledger.transaction() as tx:
            row = invoices.find(tx, number, lock=True)
            row.document_status = DocumentStatus.ISSUED
            reason = "Eight hours were agreed on"
            credit_notes.issue(tx, row, COMPANY, selection=selection, reason=reason, key=number, **self.by)


def untouched(_states: States, _number: str) -> None:
    """As it was sent."""


ALL: Mapping[str, Callable[[States, str], None]] = MappingProxyType(
    {
        "open": untouched,
        "late": untouched,
        "part paid": States.part_paid,
        "plan": States.plan,
        "promised": States.promised,
        "disputed": States.disputed,
        "line disputed": States.disputed_line,
        "rejected": States.rejected,
        "credited in part": States.credited_part,
        "credited": States.credited,
        "paid": States.paid,
        "overpaid": States.overpaid,
        "paid, credited in part": States.paid_and_credited_part,
        "part paid, credited": States.part_paid_and_credited,
        "refunded": States.refunded,
        "written off": States.written_off,
        "handed over": States.handed_over,
        "under way": States.under_way,
    }
)


def brought(clients: Clients, state: str, language: str = "en", *, rendered: bool = False) -> str:
    """The number of an invoice in that state."""
    at = clients.at - timedelta(days=30 if state in ("late", "handed over") else 6)
    number = clients.sent(state.replace(",", "").replace(" ", "-"), language, at=at, rendered=rendered)
    ALL[state](States(clients), number)
    return number
