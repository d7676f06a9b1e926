"""Statements as banks write them, made from a few words: versions 02 and 08 of camt.053, and how they differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from xml.sax.saxutils import escape, quoteattr

ACCOUNT = "DE02120300000000202051"


@dataclass(frozen=True)
class Tx:
    """A transaction; `amount` may be left out, as banks do where there is only one."""

    amount: str | None = None
    name: str = ""
    account: str = ""
    text: tuple[str, ...] = ()
    reference: str = ""
    document: str = ""
    end_to_end_id: str = ""
    own_reference: str = ""
    original: tuple[str, str] | None = None
    charges: str = ""
    returned: str = ""
    debit: bool | None = None
    code: str = ""
    further: str = ""


@dataclass(frozen=True)
class Entry:
    """An entry; amounts that went out are negative."""

    amount: str
    day: str = "2026-11-20"
    transactions: tuple[Tx, ...] = ()
    reference: str = ""
    code: str = "PMNT/RCDT/ESCT"
    reversal: bool = False
    standing: str = "BOOK"
    information: str = ""
    charges: str = ""
    batch: int = 0


def paid(amount: str, text: str = "", *, bank: str = "", day: str = "2026-11-20", **told: object) -> Entry:
    """An ordinary transfer that came in."""
    one = Tx(text=(text,) if text else (), **told)  # type: ignore[arg-type]
    return Entry(amount, day, (one,), reference=bank)


def statement(
    entries: Sequence[Entry],
    *,
    version: str = "08",
    id: str = "2026-224",  # noqa: A002  the standard's word
    account: str = ACCOUNT,
    currency: str = "EUR",
    opening: str | None = "1000.00",
    closing: str | None = None,
    day: str = "2026-11-20",
    begins: str = "",
    ends: str = "",
    sequence: str = "224",
) -> str:
    """One `Stmt`; the closing balance is what it must be unless told otherwise."""
    booked = sum((Decimal(each.amount) for each in entries if each.standing == "BOOK"), Decimal(0))
    if opening is not None and closing is None:
        closing = str(Decimal(opening) + booked)
    period = f"<FrToDt><FrDtTm>{begins}</FrDtTm><ToDtTm>{ends}</ToDtTm></FrToDt>" if begins else ""
    number = f"<IBAN>{account}</IBAN>" if account[:2].isalpha() else f"<Othr><Id>{account}</Id></Othr>"
    balances = "".join(
        _balance(code, amount, currency, day)
        for code, amount in (("OPBD", opening), ("CLBD", closing))
        if amount is not None
    )
    written = "".join(_entry(each, version, currency, account) for each in entries)
    return (
        f"<Stmt><Id>{id}</Id><ElctrncSeqNb>{sequence}</ElctrncSeqNb><CreDtTm>{day}T23:10:00+01:00</CreDtTm>{period}"
        f"<Acct><Id>{number}</Id><Ccy>{currency}</Ccy></Acct>{balances}{written}</Stmt>"
    )


def document(
    *statements: str, version: str = "08", message: str = "053", root: str = "BkToCstmrStmt"
) -> bytes:
    """A whole file."""
    namespace = f"urn:iso:std:iso:20022:tech:xsd:camt.{message}.001.{version}"
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="{namespace}"><{root}>'
        f"<GrpHdr><MsgId>M1</MsgId><CreDtTm>2026-11-20T23:10:00+01:00</CreDtTm></GrpHdr>{''.join(statements)}"
        f"</{root}></Document>"
    ).encode()


def file(entries: Sequence[Entry], *, version: str = "08", **told: str | None) -> bytes:
    """A file of one statement."""
    return document(statement(entries, version=version, **told), version=version)  # type: ignore[arg-type]


def _balance(code: str, amount: str, currency: str, day: str) -> str:
    way = "DBIT" if amount.startswith("-") else "CRDT"
    return (
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>{_amount(amount, currency)}"
        f"<CdtDbtInd>{way}</CdtDbtInd><Dt><Dt>{day}</Dt></Dt></Bal>"
    )


def _amount(amount: str, currency: str, name: str = "Amt") -> str:
    return f"<{name} Ccy={quoteattr(currency)}>{amount.lstrip('-')}</{name}>"


def _leaf(name: str, text: str) -> str:
    return f"<{name}>{escape(text)}</{name}>" if text else ""


def _code(code: str) -> str:
    if not code:
        return ""
    domain, family, sub = code.split("/")
    return f"<BkTxCd><Domn><Cd>{domain}</Cd><Fmly><Cd>{family}</Cd><SubFmlyCd>{sub}</SubFmlyCd></Fmly></Domn></BkTxCd>"


def _entry(entry: Entry, version: str, currency: str, ours: str) -> str:
    debit = entry.amount.startswith("-")
    status = f"<Sts>{entry.standing}</Sts>" if version == "02" else f"<Sts><Cd>{entry.standing}</Cd></Sts>"
    batch = f"<Btch><NbOfTxs>{entry.batch}</NbOfTxs></Btch>" if entry.batch else ""
    details = "".join(_transaction(each, entry, version, currency, ours) for each in entry.transactions)
    return (
        f"<Ntry>{_amount(entry.amount, currency)}<CdtDbtInd>{'DBIT' if debit else 'CRDT'}</CdtDbtInd>"
        f"{'<RvslInd>true</RvslInd>' if entry.reversal else ''}{status}"
        f"<BookgDt><Dt>{entry.day}</Dt></BookgDt><ValDt><Dt>{entry.day}</Dt></ValDt>"
        f"{_leaf('AcctSvcrRef', entry.reference)}{_code(entry.code)}{_charges(entry.charges, version, currency)}"
        + (f"<NtryDtls>{batch}{details}</NtryDtls>" if batch or details else "")
        + f"{_leaf('AddtlNtryInf', entry.information)}</Ntry>"
    )


def _charges(amount: str, version: str, currency: str) -> str:
    if not amount:
        return ""
    inner = _amount(amount, currency) + "<CdtDbtInd>DBIT</CdtDbtInd>"
    return f"<Chrgs>{inner}</Chrgs>" if version == "02" else f"<Chrgs><Rcrd>{inner}</Rcrd></Chrgs>"


def _transaction(tx: Tx, entry: Entry, version: str, currency: str, ours: str) -> str:
    went_out = entry.amount.startswith("-")
    refs = _leaf("AcctSvcrRef", tx.own_reference) + _leaf("EndToEndId", tx.end_to_end_id)
    instructed = f"<InstdAmt>{_amount(*tx.original)}</InstdAmt>" if tx.original else ""
    amounts = ""
    if tx.amount is not None and version == "02":
        amounts = f"<AmtDtls>{instructed}<TxAmt>{_amount(tx.amount, currency)}</TxAmt></AmtDtls>"
    elif tx.amount is not None:
        way = "DBIT" if (went_out if tx.debit is None else tx.debit) else "CRDT"
        amounts = f"{_amount(tx.amount, currency)}<CdtDbtInd>{way}</CdtDbtInd>"
    if instructed and not (tx.amount is not None and version == "02"):
        amounts += f"<AmtDtls>{instructed}</AmtDtls>"
    role = "Cdtr" if went_out and not (tx.returned or entry.reversal) else "Dbtr"
    name = f"<Nm>{escape(tx.name)}</Nm>"
    party = f"<{role}>{name if version == '02' else f'<Pty>{name}</Pty>'}</{role}>" if tx.name else ""
    account = f"<{role}Acct><Id><IBAN>{tx.account}</IBAN></Id></{role}Acct>" if tx.account else ""
    own = "Dbtr" if role == "Cdtr" else "Cdtr"
    ourselves = f"<{own}Acct><Id><IBAN>{ours}</IBAN></Id></{own}Acct>" if tx.returned else ""
    structured = (
        f"<Strd>{f'<RfrdDocInf><Nb>{escape(tx.document)}</Nb></RfrdDocInf>' if tx.document else ''}"
        f"{f'<CdtrRefInf><Ref>{escape(tx.reference)}</Ref></CdtrRefInf>' if tx.reference else ''}</Strd>"
        if tx.reference or tx.document
        else ""
    )
    texts = "".join(_leaf("Ustrd", each) for each in tx.text)
    back = f"<RtrInf><Rsn><Cd>{tx.returned}</Cd></Rsn></RtrInf>" if tx.returned else ""
    return (
        f"<TxDtls>{f'<Refs>{refs}</Refs>' if refs else ''}{amounts}{_code(tx.code)}"
        f"{_charges(tx.charges, version, currency)}"
        f"{f'<RltdPties>{party}{account}{ourselves}</RltdPties>' if party or account or ourselves else ''}"
        f"{f'<RmtInf>{texts}{structured}</RmtInf>' if texts or structured else ''}{back}"
        f"{_leaf('AddtlTxInf', tx.further)}</TxDtls>"
    )
