"""What may be done about an invoice now, and what may not and why: the rule behind every button of its page.

It says beforehand what the commands of the ledger say afterwards; a test holds the two against each other. What a
command refuses for what somebody types (an amount, a day, a reason) is no business of this rule.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from billing.roles import Role
from billing.status import ISSUED, DocumentStatus

LEAST_ROLE = Role.OPERATOR
"""Every act needs it."""


class Act(StrEnum):
    """An act, by the name of its command."""

    PAY = "pay"
    PROMISE = "promise"
    WITHDRAW_PROMISE = "withdraw-promise"
    HOLD = "hold"
    RELEASE = "release"
    DISPUTE = "dispute"
    REJECT_DISPUTE = "reject-dispute"
    WITHDRAW_DISPUTE = "withdraw-dispute"
    CHANGE_DUE_DATE = "change-due-date"
    PLAN = "plan"
    END_PLAN = "end-plan"
    CREDIT = "credit"
    WRITE_OFF = "write-off"
    REFUND = "refund"
    USE_CREDIT = "use-credit"
    RESEND = "resend"
    FETCH_AGAIN = "fetch-again"
    VOID = "void"
    BILL_AGAIN = "bill-again"
    RENEW_LINK = "renew-link"
    REVOKE_LINK = "revoke-link"


class WhyNot(StrEnum):
    """Why something may not be done, in a sentence for people. Pages have translations of each."""

    ROLE = "This needs the role of an operator."
    NOT_ISSUED = "The invoice is not issued yet."
    VOIDED = "This draft is void."
    ISSUED = "An issued invoice never changes; it is corrected with a credit note."
    CLOSED = "The invoice is closed: nothing is waited for any more."
    DISPUTED = "The dispute must be decided first."
    DISPUTED_ALREADY = "It is disputed already."
    NOT_DISPUTED = "Nobody disputes it."
    NO_PROMISE = "No payment is promised."
    PROMISES_USED_UP = "The dunning policy takes no further promise; agree on a payment plan instead."
    NOT_HELD = "It is not on hold."
    NOTHING_OPEN = "Nothing of it is open."
    NO_PLAN = "There is no payment plan."
    OPENING_ITEM = "It was issued by the system before; it is credited there."
    DOCUMENT_PENDING = "Its document is not made yet, so there is nothing to correct."
    CREDITED = "It is credited in full already."
    CREDIT_NOTE = "It is a credit note itself."
    ERASED = "What it says was erased, its retention over."
    WRITE_OFF_WAITS = "A write-off waits already; have that one decided first."
    NOT_PAID_TOO_MUCH = "Nothing is paid too much for it, or all of that is set apart already."
    NO_CREDIT = "The client has no credit with this issuer in this currency."
    NO_DOCUMENT = "There is no document to send."
    NO_LINK = "No link leads to it."
    NOT_WAIVED = "Nothing of it was waived."


@dataclass(frozen=True)
class Standing:
    """An invoice as it stands. Amounts are in its currency; wholly disputed, nothing else of it is open.

    `promises_left` are those its dunning policy still takes, `paid_too_much` what is neither refunded nor set apart for
    that, `usable_credit` what the client could pay it with.
    """

    document_status: DocumentStatus
    is_numbered: bool = False
    is_closed: bool = False
    has_document: bool = False
    has_draft: bool = True
    is_erased: bool = False
    is_opening_item: bool = False
    is_credit_note: bool = False
    open_amount: Decimal = Decimal(0)
    paid_too_much: Decimal = Decimal(0)
    usable_credit: Decimal = Decimal(0)
    is_held: bool = False
    is_promised: bool = False
    promises_left: int = 1
    is_disputed: bool = False
    is_wholly_disputed: bool = False
    has_plan: bool = False
    write_off_waits: bool = False
    is_waived: bool = False
    links: int = 0


def allowed_acts(standing: Standing, role: Role | None) -> Mapping[Act, WhyNot | None]:
    """For every act None where it is allowed, else why not; nobody without a role may do anything."""
    if role is None or not role.reaches(LEAST_ROLE):
        return dict.fromkeys(Act, WhyNot.ROLE)
    return {act: rule(standing) for act, rule in _RULES.items()}


Rule = Callable[[Standing], WhyNot | None]


def _numbered(it: Standing) -> WhyNot | None:
    if it.is_numbered:
        return None
    return WhyNot.VOIDED if it.document_status is DocumentStatus.VOIDED else WhyNot.NOT_ISSUED


def _collected(it: Standing) -> WhyNot | None:
    """As `collection.check_open`."""
    if it.document_status not in ISSUED:
        return _numbered(it) or WhyNot.NOT_ISSUED
    return WhyNot.CLOSED if it.is_closed else None


def _owed(it: Standing) -> WhyNot | None:
    if it.document_status not in ISSUED:
        return _numbered(it) or WhyNot.NOT_ISSUED
    return WhyNot.NOTHING_OPEN if it.open_amount <= 0 else None


def _first(*rules: Rule) -> Rule:
    """The first reason there is."""
    return lambda it: next((why for rule in rules if (why := rule(it)) is not None), None)


def _unless(fine: Callable[[Standing], bool], why: WhyNot) -> Rule:
    return lambda it: None if fine(it) else why


def _draft(it: Standing) -> WhyNot | None:
    if it.document_status is DocumentStatus.VOIDED:
        return WhyNot.VOIDED
    return WhyNot.ISSUED if it.is_numbered else None


_NOT_ERASED = _unless(lambda it: not it.is_erased, WhyNot.ERASED)
_DISPUTED = _unless(lambda it: it.is_disputed, WhyNot.NOT_DISPUTED)

_RULES: Mapping[Act, Rule] = {
    Act.PAY: _numbered,
    Act.PROMISE: _first(
        _collected,
        _unless(lambda it: not it.is_wholly_disputed, WhyNot.DISPUTED),
        _unless(lambda it: it.promises_left > 0, WhyNot.PROMISES_USED_UP),
    ),
    Act.WITHDRAW_PROMISE: _first(_collected, _unless(lambda it: it.is_promised, WhyNot.NO_PROMISE)),
    Act.HOLD: _collected,
    Act.RELEASE: _first(_collected, _unless(lambda it: it.is_held, WhyNot.NOT_HELD)),
    Act.DISPUTE: _first(_collected, _unless(lambda it: not it.is_disputed, WhyNot.DISPUTED_ALREADY)),
    Act.REJECT_DISPUTE: _first(_collected, _DISPUTED),
    Act.WITHDRAW_DISPUTE: _first(_collected, _DISPUTED),
    Act.CHANGE_DUE_DATE: _collected,
    Act.PLAN: _first(_collected, _unless(lambda it: not it.is_disputed, WhyNot.DISPUTED), _owed),
    Act.END_PLAN: _first(_collected, _unless(lambda it: it.has_plan, WhyNot.NO_PLAN)),
    Act.CREDIT: _first(
        _unless(lambda it: not it.is_opening_item, WhyNot.OPENING_ITEM),
        _numbered,
        _unless(
            lambda it: it.document_status is not DocumentStatus.DOCUMENT_PENDING, WhyNot.DOCUMENT_PENDING
        ),
        _unless(lambda it: it.document_status is not DocumentStatus.CREDITED, WhyNot.CREDITED),
        _NOT_ERASED,
        _unless(lambda it: not it.is_credit_note, WhyNot.CREDIT_NOTE),
    ),
    Act.WRITE_OFF: _first(_owed, _unless(lambda it: not it.write_off_waits, WhyNot.WRITE_OFF_WAITS)),
    Act.REFUND: _first(_numbered, _unless(lambda it: it.paid_too_much > 0, WhyNot.NOT_PAID_TOO_MUCH)),
    Act.USE_CREDIT: _first(_owed, _unless(lambda it: it.usable_credit > 0, WhyNot.NO_CREDIT)),
    Act.RESEND: _first(
        _numbered,
        _unless(lambda it: it.has_document, WhyNot.NO_DOCUMENT),
        _NOT_ERASED,
        _unless(lambda it: it.open_amount > 0, WhyNot.NOTHING_OPEN),
    ),
    Act.FETCH_AGAIN: _draft,
    Act.VOID: _draft,
    Act.BILL_AGAIN: _unless(lambda it: it.is_waived, WhyNot.NOT_WAIVED),
    Act.RENEW_LINK: _first(_numbered, _unless(lambda it: it.has_draft, WhyNot.NO_DOCUMENT), _NOT_ERASED),
    Act.REVOKE_LINK: _first(_numbered, _unless(lambda it: it.links > 0, WhyNot.NO_LINK)),
}
