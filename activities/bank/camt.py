"""Bank statements as camt.053, read in a stream: memory is that of one entry, whatever the file says.

SOURCE: ISO 20022, BankToCustomerStatement, camt.053.001.02 and camt.053.001.08; other versions are read alike, and the
statement says so. No document type, no entity and nothing from outside the file is ever read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import IO, Any

from lxml import etree

from activities.bank.camt_entry import Faulty, entry_movements, transaction
from activities.bank.camt_fields import amount_of, currency_of, day_of, first, instant_of, name_of, text_of
from activities.bank.movements import Movement, Statement
from billing.errors import Refused

LARGEST = 128 * 2**20
"""Bytes of a file: about 100,000 entries with long texts."""

MOST_TRANSACTIONS = 100_000
"""Transactions of one entry: what is kept in memory at a time."""

MOST_ELEMENTS = 20_000
"""Elements that are kept at a time, those of one transaction with all it refers to: nobody's bank needs a tenth."""

KNOWN = ("02", "08")
_NAMESPACE = re.compile(r"urn:iso:std:iso:20022:tech:xsd:(camt)\.(\d{3})\.001\.(\d{2})$")
_OTHERS = {
    "052": "a report of movements within the day (camt.052)",
    "054": "a list of single bookings (camt.054)",
}


class Unreadable(Refused):
    """The file is no bank statement that can be read; the message says why and what to do. Nothing was taken in."""


@dataclass
class _Open:
    """The statement that is being read."""

    statement: Statement
    entries: int = 0


def read(file: IO[bytes]) -> Iterator[Statement | Movement]:
    """The statements of a file, each followed by its movements in the order of the file.

    A file that breaks off raises `Unreadable` where it does: whoever acts on what comes reads it to the end before.
    """
    try:
        yield from _Reader(file)
    except etree.XMLSyntaxError as error:
        if packed(file):
            raise Unreadable("the file is packed; unpack it, and import what is in it") from error
        line = f" in line {error.lineno:,}" if error.lineno else ""
        raise Unreadable(
            f"the file is no well-formed XML{line}, perhaps it breaks off; have the bank's file sent again: "
            f"{str(error.msg)[:200]}"
        ) from error
    except Faulty as error:
        raise Unreadable(str(error)) from error


def packed(file: IO[bytes]) -> bool:
    """Whether it is an archive, as many banks' portals give them."""
    file.seek(0)
    return file.read(4).startswith((b"PK\x03\x04", b"\x1f\x8b"))


class _Reader:
    def __init__(self, file: IO[bytes]) -> None:
        self._file = _Bounded(file)
        self._version = ""
        self._open: _Open | None = None
        self._statements = 0
        self._transactions: list[Any] = []
        self._elements = 0

    def __iter__(self) -> Iterator[Statement | Movement]:
        events = etree.iterparse(
            self._file,
            events=("start", "end"),
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            remove_comments=True,
            remove_pis=True,
            huge_tree=False,
        )
        for event, element in events:
            if not self._version:
                self._version = _version(element)
            name = name_of(element)
            self._count(event)
            if name == "Ntry" or name == "Stmt":
                yield from self._begun(element, name) if event == "start" else self._ended(element, name)
            elif name == "TxDtls" and event == "end":
                self._transaction(element)
        if not self._statements:
            raise Unreadable("the file has no statement in it; have the bank's file sent again")

    def _count(self, event: str) -> None:
        self._elements += event == "start"
        if self._elements > MOST_ELEMENTS:
            raise Unreadable(
                f"the file has more than {MOST_ELEMENTS:,} elements outside its entries, or in a single transaction; "
                "it is not read"
            )

    def _forget(self, element: Any) -> None:
        """Frees what was read, and what stood before it of the same kind."""
        self._elements = 0
        parent, kind = element.getparent(), element.tag
        element.clear()
        before = element.getprevious()
        while before is not None and before.tag == kind:
            parent.remove(before)
            before = element.getprevious()

    def _begun(self, element: Any, name: str) -> Iterator[Statement]:
        if name == "Ntry" and self._open is None:
            yield self._head(element.getparent())

    def _ended(self, element: Any, name: str) -> Iterator[Statement | Movement]:
        if name == "Stmt":
            if self._open is None:
                yield self._head(element)
            self._open = None
            self._forget(element)
            return
        if self._open is None:
            raise Faulty("an entry stands outside a statement")
        self._open.entries += 1
        yield from entry_movements(
            element, self._open.statement, self._open.entries, tuple(self._transactions)
        )
        self._transactions = []
        self._forget(element)

    def _transaction(self, element: Any) -> None:
        if self._open is None:
            raise Faulty("a transaction stands outside an entry")
        self._transactions.append(transaction(element, self._open.statement))
        if len(self._transactions) > MOST_TRANSACTIONS:
            raise Faulty(f"entry {self._open.entries + 1} has more than {MOST_TRANSACTIONS:,} transactions")
        self._forget(element)

    def _head(self, element: Any) -> Statement:
        self._statements += 1
        statement = _statement(element, self._version)
        self._open = _Open(statement)
        return statement


class _Bounded:
    """The file, as long as it is not too large."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._left = file, LARGEST

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(min(size, 2**16) if size > 0 else 2**16)
        self._left -= len(data)
        if self._left < 0:
            raise Unreadable(f"the file is larger than {LARGEST // 2**20} MiB; split it by days")
        return data


def _version(root: Any) -> str:
    """The version of a statement; `Unreadable` for everything else."""
    if root.getroottree().docinfo.doctype:
        raise Unreadable("the file declares a document type, as no bank does; it is not read")
    namespace = etree.QName(root).namespace or ""
    found = _NAMESPACE.fullmatch(namespace)
    if found is None:
        raise Unreadable(
            f"the file is no bank statement of ISO 20022 (its namespace is {namespace[:80]!r}); export it as camt.053"
        )
    if found[2] != "053":
        what = _OTHERS.get(found[2], f"a message camt.{found[2]}")
        raise Unreadable(f"the file is {what}, no statement; export the statement of the day as camt.053")
    if name_of(root) != "Document":
        raise Unreadable("the file does not begin with Document; export it as camt.053 again")
    return found[3]


def _statement(element: Any, version: str) -> Statement:
    problems = []
    if version not in KNOWN:
        problems.append(f"camt.053.001.{version} is not a version we know; look whether all is there")
    account = text_of(element, "Acct/Id/IBAN") or text_of(element, "Acct/Id/Othr/Id")
    if not account:
        raise Faulty("a statement names no account; have the bank's file sent again")
    opening, closing = _balance(element, "OPBD", "PRCD"), _balance(element, "CLBD")
    currency = text_of(element, "Acct/Ccy") or (closing or opening or ("", None, None))[0]
    if not currency:
        raise Faulty(f"the statement of {account} names no currency; have the bank's file sent again")
    period = first(element, "FrToDt")
    return Statement(
        id=text_of(element, "Id"),
        version=f"camt.053.001.{version}",
        account="".join(account.split()).upper(),
        currency=currency_of(currency),
        page=text_of(element, "StmtPgntn/PgNb"),
        sequence=text_of(element, "ElctrncSeqNb") or text_of(element, "LglSeqNb"),
        made_at=instant_of(text_of(element, "CreDtTm")),
        begins=instant_of(text_of(period, "FrDtTm")) if period is not None else None,
        ends=instant_of(text_of(period, "ToDtTm")) if period is not None else None,
        opening=opening[1] if opening else None,
        closing=closing[1] if closing else None,
        closing_day=closing[2] if closing else None,
        problems=tuple(problems),
    )


def _balance(element: Any, *codes: str) -> tuple[str, Any, date | None] | None:
    """Currency, signed amount and day of the first balance of one of these kinds, in the order of the kinds."""
    for code in codes:
        for balance in element.iterfind("{*}Bal"):
            if text_of(balance, "Tp/CdOrPrtry/Cd") != code:
                continue
            amount, currency = amount_of(first(balance, "Amt"))
            sign = -1 if text_of(balance, "CdtDbtInd") == "DBIT" else 1
            return currency, sign * amount, day_of(first(balance, "Dt"))
    return None
