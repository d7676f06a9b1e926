"""One entry of a camt.053 statement: the movements it stands for, so that every cent of it is one of theirs.

SOURCE: ISO 20022, ReportEntry 2 (camt.053.001.02) and ReportEntry 10 (camt.053.001.08). A bank may book a batch as one
entry with a transaction each, or with none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from activities.bank.camt_fields import Faulty as Faulty
from activities.bank.camt_fields import amount_of, day_of, first, line_of, money_of, text_of
from activities.bank.movements import Movement, Standing, Statement
from billing.money import Money, total

_NO_REFERENCE = frozenset(
    {"NOTPROVIDED", "NOT PROVIDED", "NOTPROVIDED.", "NONREF", "NOTAVAILABLE", "NONE", "N/A", "NA", "NULL"}
)
_STANDINGS = {
    "BOOK": Standing.BOOKED,
    "PDNG": Standing.PENDING,
    "FUTR": Standing.PENDING,
    "INFO": Standing.INFORMATION,
}
_FIELD = re.compile(r"\?([0236]\d|10)")
_MOST_LINES = 50
"""Lines of text of one movement that are kept."""


@dataclass(frozen=True)
class Transaction:
    """A transaction of an entry as it stands there; its amount may be missing, and be of another currency."""

    amount: Money | None
    debit: bool | None
    original: Money | None
    bank_reference: str
    transaction_reference: str
    end_to_end_id: str
    debtor: str
    debtor_account: str
    creditor: str
    creditor_account: str
    references: tuple[str, ...]
    text: tuple[str, ...]
    further: str
    code: str
    returned: str
    charges: Decimal


def transaction(element: Any, statement: Statement) -> Transaction:
    """A `TxDtls` element, read."""
    amount = _amount(element, statement.currency)
    instructed = money_of(first(element, "AmtDtls/InstdAmt/Amt"))
    way = text_of(element, "CdtDbtInd")
    structured, documents, lines = _remittance(element)
    return Transaction(
        amount=amount,
        debit=None if not way else way == "DBIT",
        original=instructed,
        bank_reference=_reference(text_of(element, "Refs/AcctSvcrRef")),
        transaction_reference=_reference(text_of(element, "Refs/TxId") or text_of(element, "Refs/InstrId")),
        end_to_end_id=_reference(text_of(element, "Refs/EndToEndId")),
        debtor=_party(element, "Dbtr") or _party(element, "UltmtDbtr"),
        debtor_account=_account(element, "DbtrAcct"),
        creditor=_party(element, "Cdtr") or _party(element, "UltmtCdtr"),
        creditor_account=_account(element, "CdtrAcct"),
        references=(*structured, *documents),
        text=lines,
        further=text_of(element, "AddtlTxInf"),
        code=_code(element),
        returned=_returned(element),
        charges=_charges(element, statement.currency),
    )


def _amount(element: Any, currency: str) -> Money | None:
    """The amount of a transaction: in the account's currency if it is given in it, wherever that is."""
    paths = ("Amt", "AmtDtls/TxAmt/Amt", "AmtDtls/CntrValAmt/Amt")
    found = [each for each in (money_of(first(element, path)) for path in paths) if each]
    return next((each for each in found if each.currency == currency), found[0] if found else None)


def entry_movements(
    element: Any, statement: Statement, place: int, transactions: tuple[Transaction, ...]
) -> Iterator[Movement]:
    """The movements of an `Ntry` element; their amounts sum to the entry's, whatever its transactions say."""
    whole = _entry(element, statement, place)
    if not transactions:
        yield replace(whole, batch=_count(element))
        return
    if len(transactions) == 1:
        yield _detailed(whole, transactions[0], whole.amount, whole.position, statement)
        return
    amounts = _amounts(whole, transactions)
    if amounts is None:
        remark = f"a batch of {len(transactions)} transactions without an amount each"
        texts = tuple(line for each in transactions for line in each.text)[:_MOST_LINES]
        yield replace(whole, batch=len(transactions), text=texts, remarks=(*whole.remarks, remark))
        return
    for number, (each, amount) in enumerate(zip(transactions, amounts, strict=True), 1):
        made = _detailed(whole, each, amount, f"{place}.{number}", statement)
        yield replace(made, batch=len(transactions))
    rest = whole.amount - total(amounts)
    if rest:
        remark = "what the bank booked of a batch beyond its transactions"
        yield replace(whole, position=f"{place}.rest", amount=rest, text=(), original=None, remarks=(remark,))


def _entry(element: Any, statement: Statement, place: int) -> Movement:
    try:
        amount, currency = amount_of(first(element, "Amt"))
        booked = day_of(first(element, "BookgDt")) or day_of(first(element, "ValDt")) or _day(statement)
    except Faulty as error:
        raise Faulty(f"entry {place} of statement {statement.id!r}: {error}") from error
    if currency != statement.currency:
        raise Faulty(f"entry {place} is in {currency}, its account in {statement.currency}")
    way = text_of(element, "CdtDbtInd")
    if way not in ("CRDT", "DBIT"):
        raise Faulty(f"entry {place} does not say whether money came in or went out")
    if booked is None:
        raise Faulty(f"entry {place} has no day on which it was booked")
    standing = text_of(element, "Sts/Cd") or text_of(element, "Sts") or "BOOK"
    instructed = money_of(first(element, "AmtDtls/InstdAmt/Amt"))
    information = text_of(element, "AddtlNtryInf")
    return Movement(
        position=str(place),
        amount=-amount if way == "DBIT" else amount,
        currency=currency,
        booked_on=booked,
        valued_on=day_of(first(element, "ValDt")),
        standing=_STANDINGS.get(standing, Standing.BOOKED),
        reversal=text_of(element, "RvslInd") in ("true", "1"),
        code=_code(element),
        bank_reference=_reference(text_of(element, "AcctSvcrRef")),
        text=_lines(information),
        original=_other_than(instructed, amount, currency),
        charges=_charges(element, statement.currency),
        remarks=(information,) if information else (),
    )


def _day(statement: Statement) -> date | None:
    """The day of what does not say its own."""
    return statement.closing_day or (statement.made_at.date() if statement.made_at else None)


def _detailed(
    whole: Movement, detail: Transaction, amount: Decimal, position: str, statement: Statement
) -> Movement:
    """The entry, with what one of its transactions says."""
    name, account = _other_side(detail, statement.account, went_out=amount < 0)
    original = _other_than(detail.original or detail.amount, abs(amount), whole.currency)
    # banks that fill in nothing but AddtlTxInf put the whole text there
    lines = detail.text or _lines(detail.further) or whole.text
    return replace(
        whole,
        position=position,
        amount=amount,
        reversal=whole.reversal or bool(detail.returned),
        returned=detail.returned,
        code=detail.code or whole.code,
        transaction_reference=detail.bank_reference or detail.transaction_reference,
        end_to_end_id=detail.end_to_end_id,
        counterparty=name,
        counterparty_account=account,
        references=detail.references,
        text=lines[:_MOST_LINES],
        original=original or (whole.original if position == whole.position else None),
        charges=detail.charges or (whole.charges if position == whole.position else Decimal(0)),
    )


def _other_than(ordered: Money | None, amount: Decimal, currency: str) -> tuple[Decimal, str] | None:
    """What was ordered, where that is another amount or currency than what is booked."""
    if ordered is None or (ordered.amount, ordered.currency) == (amount, currency):
        return None
    return ordered.amount, ordered.currency


def _amounts(whole: Movement, transactions: tuple[Transaction, ...]) -> list[Decimal] | None:
    """Signed amounts of the transactions in the account's currency; None unless each but one says its own."""
    signed: list[Decimal | None] = [
        None
        if each.amount is None or each.amount.currency != whole.currency
        else -each.amount.amount
        if (whole.amount < 0 if each.debit is None else each.debit)
        else each.amount.amount
        for each in transactions
    ]
    known = [each for each in signed if each is not None]
    missing = len(signed) - len(known)
    rest = whole.amount - total(known)
    if missing > 1 or (missing == 1 and rest * whole.amount <= 0):
        return None
    return [rest if each is None else each for each in signed]


def _other_side(detail: Transaction, ours: str, *, went_out: bool) -> tuple[str, str]:
    """Name and account of whoever is not us: in what comes back the roles stay those of the first payment."""
    debtor, creditor = (detail.debtor, detail.debtor_account), (detail.creditor, detail.creditor_account)
    other, own = (creditor, debtor) if went_out else (debtor, creditor)
    if (other[1] and other[1] == ours) or (own[1] and own[1] != ours and not any(other)):
        return own
    return other


def _remittance(element: Any) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Creditor references, numbers of documents referred to, and free text of a transaction."""
    structured: list[str] = []
    documents: list[str] = []
    lines: list[str] = []
    for remittance in element.iterfind("{*}RmtInf"):
        for each in remittance.iterfind("{*}Ustrd"):
            lines += _lines(_reference(line_of(each)))
        for each in remittance.iterfind("{*}Strd"):
            structured += [line_of(found) for found in each.iterfind("{*}CdtrRefInf/{*}Ref")]
            documents += [line_of(found) for found in each.iterfind("{*}RfrdDocInf/{*}Nb")]
            lines += [line_of(found) for found in each.iterfind("{*}AddtlRmtInf")]
    return (
        tuple(filter(None, structured))[:_MOST_LINES],
        tuple(filter(None, documents))[:_MOST_LINES],
        tuple(filter(None, lines))[:_MOST_LINES],
    )


def _lines(text: str) -> tuple[str, ...]:
    """The text; of one that a bank took over from MT940 as it is, with its fields in it, what the payer wrote.

    SOURCE: SWIFT MT940, field 86 as German banks structure it: ?20 to ?29 and ?60 to ?63 are the payer's text.
    """
    if "?20" not in text:
        return (text,) if text else ()
    fields = _FIELD.split(text)
    return tuple(
        said for code, said in zip(fields[1::2], fields[2::2], strict=True) if said and code[0] in "26"
    )


def _party(element: Any, role: str) -> str:
    """The name of a party, which stands one element deeper since version 08."""
    return text_of(element, f"RltdPties/{role}/Pty/Nm") or text_of(element, f"RltdPties/{role}/Nm")


def _account(element: Any, role: str) -> str:
    number = text_of(element, f"RltdPties/{role}/Id/IBAN") or text_of(element, f"RltdPties/{role}/Id/Othr/Id")
    return "".join(number.split()).upper()


def _code(element: Any) -> str:
    """The bank transaction code: `PMNT/RCDT/ESCT`, and the bank's own behind it."""
    parts = [text_of(element, f"BkTxCd/Domn/{path}") for path in ("Cd", "Fmly/Cd", "Fmly/SubFmlyCd")]
    own = text_of(element, "BkTxCd/Prtry/Cd")
    return " ".join(filter(None, ["/".join(filter(None, parts)), own]))


def _returned(element: Any) -> str:
    information = first(element, "RtrInf")
    if information is None:
        return ""
    why = text_of(information, "Rsn/Cd") or text_of(information, "Rsn/Prtry") or "no reason given"
    return " ".join(filter(None, [why, text_of(information, "AddtlInf")]))


def _charges(element: Any, currency: str) -> Decimal:
    """What banks kept, in the account's currency: of version 02 one amount each, of 08 a total and records."""
    kept = Decimal(0)
    for charges in element.iterfind("{*}Chrgs"):
        whole = money_of(first(charges, "TtlChrgsAndTaxAmt"))
        parts = [
            money_of(first(each, "Amt"))
            for each in (charges, *charges.iterfind("{*}Rcrd"))
            if text_of(each, "CdtDbtInd") != "CRDT"
        ]
        found = [whole] if whole else parts
        kept += total(each.amount for each in found if each and each.currency == currency)
    return kept


def _count(element: Any) -> int:
    said = text_of(element, "NtryDtls/Btch/NbOfTxs")
    return int(said) if said.isdigit() and len(said) < 7 else 0


def _reference(text: str) -> str:
    """A reference, or nothing where a bank writes that there is none."""
    return "" if text.upper() in _NO_REFERENCE or not text.strip("0 .-") else text
