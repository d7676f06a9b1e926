"""Statements of camt.053: every cent of every entry is read, and nothing hostile is."""

from __future__ import annotations

import io
import tracemalloc
from datetime import date
from decimal import Decimal

import pytest

from activities.bank import camt
from activities.bank.camt import Unreadable
from activities.bank.movements import Movement, Standing, Statement
from tests.activities.bank.statements import ACCOUNT, Entry, Tx, document, file, paid, statement

VERSIONS = pytest.mark.parametrize("version", ["02", "08"])


def read(data: bytes) -> tuple[list[Statement], list[Movement]]:
    found = list(camt.read(io.BytesIO(data)))
    return (
        [each for each in found if isinstance(each, Statement)],
        [each for each in found if isinstance(each, Movement)],
    )


@VERSIONS
def test_transfer(version: str) -> None:
    """Both versions say the same of a transfer: who paid, from where, with which references."""
    entry = paid(
        "1190.00",
        "Rechnung ELB-2026-1",
        bank="B-1",
        name="Nordlicht Verlag GmbH",
        account="DE75512108001245126199",
        reference="RF18539007547034",
        document="ELB-2026-1",
        end_to_end_id="E2E-1",
        original=("1190.00", "EUR"),
    )
    (head,), (one,) = read(file([entry], version=version))
    assert (head.account, head.currency, head.version) == (ACCOUNT, "EUR", f"camt.053.001.{version}")
    assert (head.opening, head.closing, head.closing_day) == (
        Decimal("1000.00"),
        Decimal("2190.00"),
        date(2026, 11, 20),
    )
    assert head.problems == ()
    assert one == Movement(
        position="1",
        amount=Decimal("1190.00"),
        currency="EUR",
        booked_on=date(2026, 11, 20),
        valued_on=date(2026, 11, 20),
        code="PMNT/RCDT/ESCT",
        bank_reference="B-1",
        end_to_end_id="E2E-1",
        counterparty="Nordlicht Verlag GmbH",
        counterparty_account="DE75512108001245126199",
        references=("RF18539007547034", "ELB-2026-1"),
        text=("Rechnung ELB-2026-1",),
    )


@VERSIONS
def test_batch(version: str) -> None:
    """A batch is as many movements as it has transactions; what they leave over is one more."""
    parts = (Tx("100.00", name="A"), Tx("50.00", name="B"))
    _, movements = read(file([Entry("148.50", transactions=parts, batch=2)], version=version))
    assert [(each.position, each.amount, each.counterparty) for each in movements] == [
        ("1.1", Decimal("100.00"), "A"),
        ("1.2", Decimal("50.00"), "B"),
        ("1.rest", Decimal("-1.50"), ""),
    ]


def test_batch_without_details() -> None:
    """A batch without transactions, or without their amounts, is one movement that says how many it stands for."""
    entries = [Entry("300.00", batch=3), Entry("20.00", transactions=(Tx(name="A"), Tx(name="B")))]
    _, movements = read(file(entries))
    assert [(each.amount, each.batch) for each in movements] == [
        (Decimal("300.00"), 3),
        (Decimal("20.00"), 2),
    ]
    assert "without an amount" in movements[1].remarks[0]


def test_one_amount_missing() -> None:
    """The one transaction of a batch that says no amount has the rest."""
    _, movements = read(file([Entry("150.00", transactions=(Tx("100.00"), Tx(name="B")))]))
    assert [each.amount for each in movements] == [Decimal("100.00"), Decimal("50.00")]


@VERSIONS
def test_returned(version: str) -> None:
    """A returned debit says why, and who is meant by it is the client, not ourselves."""
    back = Tx(
        "119.00", name="Nordlicht", account="DE75512108001245126199", returned="AC04", end_to_end_id="E-7"
    )
    entry = Entry("-119.00", transactions=(back,), code="PMNT/IDDT/UPDD", reversal=True)
    _, (one,) = read(file([entry], version=version))
    assert (one.amount, one.reversal, one.returned) == (Decimal("-119.00"), True, "AC04")
    assert (one.counterparty, one.counterparty_account) == ("Nordlicht", "DE75512108001245126199")


@VERSIONS
def test_converted_and_charged(version: str) -> None:
    """What the payer ordered in another currency, and what banks kept, stand beside what arrived."""
    entry = Entry("912.40", transactions=(Tx("912.40", original=("1000.00", "USD"), charges="7.60"),))
    _, (one,) = read(file([entry], version=version))
    assert (one.original, one.charges) == ((Decimal("1000.00"), "USD"), Decimal("7.60"))


def test_no_reference_is_none() -> None:
    """What banks write where there is no reference is no reference."""
    entries = [paid("1.00", bank="NONREF", end_to_end_id="NOTPROVIDED"), paid("1.00", bank="00000")]
    _, movements = read(file(entries))
    assert {(each.bank_reference, each.end_to_end_id) for each in movements} == {("", "")}


def test_not_booked() -> None:
    """What is only announced is told apart from what is booked."""
    _, movements = read(file([Entry("1.00", standing="PDNG"), Entry("2.00", standing="INFO"), Entry("3.00")]))
    assert [each.standing for each in movements] == [Standing.PENDING, Standing.INFORMATION, Standing.BOOKED]


def test_several_statements_and_currencies() -> None:
    """A file may hold statements of several accounts; yen have no decimals, dinars three, and an account no IBAN."""
    made = document(
        statement([paid("1190.00")]),
        statement([paid("50000")], currency="JPY", opening="0", account="1234567-89"),
        statement([paid("12.345")], currency="KWD", opening="-1.000"),
    )
    heads, movements = read(made)
    assert [(each.account, each.currency) for each in heads] == [
        (ACCOUNT, "EUR"),
        ("1234567-89", "JPY"),
        (ACCOUNT, "KWD"),
    ]
    assert [each.amount for each in movements] == [Decimal("1190.00"), Decimal(50000), Decimal("12.345")]
    assert (heads[2].opening, heads[2].closing) == (Decimal("-1.000"), Decimal("11.345"))


def test_no_entries() -> None:
    """A day on which nothing happened is a statement, too."""
    (head,), movements = read(file([]))
    assert (head.closing, movements) == (Decimal("1000.00"), [])


def test_other_version() -> None:
    """A version nobody here knows is read, and says so."""
    (head,), (one,) = read(file([paid("5.00", name="A")], version="13"))
    assert "camt.053.001.13 is not a version we know" in head.problems[0]
    assert one.counterparty == "A"


GOOD = file([paid("1.00", "one"), paid("2.00", "two")])
BOMB = b"""<?xml version="1.0"?><!DOCTYPE Document [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><X>&c;</X></Document>"""
OUTSIDE = (
    b'<?xml version="1.0"?><!DOCTYPE Document [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    b'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><X>&x;</X></Document>'
)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "no well-formed XML"),
        (b":20:STARTUMSE\r\n:25:10020030/1234567\r\n", "no well-formed XML"),
        (GOOD[: len(GOOD) // 2], "perhaps it breaks off"),
        (GOOD[:-12], "perhaps it breaks off"),
        (BOMB, "declares a document type"),
        (OUTSIDE, "declares a document type"),
        (b"<a/>", "no bank statement of ISO 20022"),
        (document(message="054", root="BkToCstmrDbtCdtNtfctn"), "single bookings"),
        (document(message="052", root="BkToCstmrAcctRpt"), "within the day"),
        (document(), "no statement in it"),
        (file([Entry("1.00", day="2026-02-30")]), "'2026-02-30' is not a day"),
        (file([Entry("1e5")], opening=None), "'1e5' is not an amount"),
        (file([Entry("NaN")], opening=None), "'NaN' is not an amount"),
        (file([Entry("1.005")], opening=None), "more decimals"),
        (file([paid("1.00")], currency="XXL", opening=None), "not a currency"),
        (file([paid("1.00")]).replace(b"<CdtDbtInd>CRDT</CdtDbtInd><Sts>", b"<Sts>"), "came in or went out"),
        (file([]).replace(ACCOUNT.encode(), b""), "names no account"),
        (b"<a>" * 300 + b"</a>" * 300, "no bank statement"),
    ],
)
def test_unreadable(data: bytes, said: str) -> None:
    """What is cut off, hostile, of another kind or not what the standard says is refused with its reason."""
    with pytest.raises(Unreadable, match=said):
        read(data)


def test_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file larger than any bank's is not read on."""
    monkeypatch.setattr(camt, "LARGEST", 2**16)
    with pytest.raises(Unreadable, match="larger than"):
        read(file([paid("1.00", "x" * 100)] * 400))


def test_memory_is_that_of_an_entry() -> None:
    """4,000 entries and a batch of 2,000 are read in a few MiB beyond the file itself."""
    data = file([paid("1.00", f"Rechnung {number}", name="A" * 70) for number in range(4000)])
    data2 = file([Entry("2000.00", transactions=tuple(Tx("1.00", name="A") for _ in range(2000)))])
    tracemalloc.start()
    try:
        assert sum(1 for _ in camt.read(io.BytesIO(data))) == 4001
        assert sum(1 for _ in camt.read(io.BytesIO(data2))) == 2001
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 8 * 2**20


def raw(entries: str, *, head: str = "", prefix: str = "") -> bytes:
    """A statement of entries written out, as banks write what our own words have no name for."""
    text = document(statement([], opening=None)).decode().replace("</Stmt>", f"{entries}</Stmt>")
    text = text.replace("<ElctrncSeqNb>", f"{head}<ElctrncSeqNb>")
    if prefix:
        text = text.replace("</", f"</{prefix}:").replace("<", f"<{prefix}:").replace(f"<{prefix}:/", "</")
        text = text.replace(f"<{prefix}:?", "<?").replace("xmlns=", f"xmlns:{prefix}=")
    return text.encode()


BARE = "<Ntry><Amt Ccy='EUR'>119.00</Amt><CdtDbtInd>CRDT</CdtDbtInd>{}</Ntry>"


@pytest.mark.parametrize(
    "data",
    [
        GOOD.decode().replace("UTF-8", "UTF-16").replace("one", "Käufer").encode("utf-16"),
        b"\xef\xbb\xbf" + GOOD.replace(b"one", "Käufer".encode()),
        GOOD.decode().replace("UTF-8", "ISO-8859-1").replace("one", "Käufer").encode("latin-1"),
        raw(
            BARE.format("<NtryDtls><TxDtls><RmtInf><Ustrd>Käufer</Ustrd></RmtInf></TxDtls></NtryDtls>"),
            prefix="n1",
        ),
    ],
)
def test_encodings(data: bytes) -> None:
    """UTF-16, a byte order mark, Latin-1 and prefixed names are read as they are meant."""
    _, movements = read(data)
    assert movements[0].text == ("Käufer",)


def test_breaks_off_anywhere() -> None:
    """Wherever a file breaks off, it is refused, and with the same kind of error."""
    for size in range(0, len(GOOD), 7):
        with pytest.raises(Unreadable):
            read(GOOD[:size])


@pytest.mark.parametrize("outside", [True, False])
def test_too_many_elements(outside: bool) -> None:
    """Elements nobody needs are not gathered until memory ends; a nest of them neither."""
    many = "<X/>" * (camt.MOST_ELEMENTS + 1)
    with pytest.raises(Unreadable, match="is not read"):
        read(raw(many if outside else BARE.format(f"<NtryDtls><TxDtls>{many}</TxDtls></NtryDtls>")))
    with pytest.raises(Unreadable, match="no well-formed XML"):
        read(raw(BARE.format("<X>" * 100_000)))


def test_packed() -> None:
    """An archive is told as such."""
    with pytest.raises(Unreadable, match="unpack it"):
        read(b"PK\x03\x04\x14\x00")


def test_no_day() -> None:
    """What is announced without a day has the day of its statement."""
    _, (one,) = read(raw(BARE.format("<Sts><Cd>PDNG</Cd></Sts>")))
    assert (one.standing, one.booked_on) == (Standing.PENDING, date(2026, 11, 20))


def test_future() -> None:
    """What the bank will book is not booked."""
    _, (one,) = read(raw(BARE.format("<Sts><Cd>FUTR</Cd></Sts>")))
    assert one.standing is Standing.PENDING


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_no_year(day: str) -> None:
    """Days outside of all time zones are no days; an instant of that kind is none."""
    with pytest.raises(Unreadable, match="is not a day on which a bank books"):
        read(file([Entry("1.00", day=day)]))
    (head,), _ = read(GOOD.replace(b"2026-11-20T23:10:00+01:00", f"{day}T00:00:00+14:00".encode()))
    assert head.made_at is None


def test_original_of_the_entry() -> None:
    """Banks that say at the entry what the payer ordered are understood, too."""
    ordered = "<AmtDtls><InstdAmt><Amt Ccy='USD'>130.00</Amt></InstdAmt></AmtDtls>"
    _, movements = read(raw(BARE.format(ordered) + BARE.format(f"{ordered}<NtryDtls><TxDtls/></NtryDtls>")))
    assert [each.original for each in movements] == [(Decimal(130), "USD")] * 2


def test_batch_of_another_currency() -> None:
    """Transactions in another currency count with what they were worth on the account."""
    one = (
        "<TxDtls><AmtDtls><TxAmt><Amt Ccy='USD'>{0}</Amt></TxAmt><CntrValAmt><Amt Ccy='EUR'>{1}</Amt></CntrValAmt>"
        "</AmtDtls></TxDtls>"
    )
    batch = f"<NtryDtls>{one.format('65.00', '59.50')}{one.format('65.00', '59.50')}</NtryDtls>"
    _, movements = read(raw(BARE.format(batch)))
    assert [each.amount for each in movements] == [Decimal("59.50")] * 2


def test_what_is_only_told_is_not_checked() -> None:
    """An original amount in a currency nobody knows, or charges that are none, refuse no statement."""
    strange = (
        "<NtryDtls><TxDtls><AmtDtls><InstdAmt><Amt Ccy='XXL'>1</Amt></InstdAmt></AmtDtls>"
        "<Chrgs><Rcrd><Amt Ccy='EUR'>free</Amt></Rcrd></Chrgs></TxDtls></NtryDtls>"
    )
    _, (one,) = read(raw(BARE.format(strange)))
    assert (one.amount, one.original, one.charges) == (Decimal(119), None, Decimal(0))


def test_unstructured() -> None:
    """Of a text that was taken over from MT940 counts what the payer wrote; a number torn by its fields is whole."""
    text = "?00GUTSCHRIFT?109310?20SVWZ+RG ELB-20?2126-00012?3010020030?31DE7551?32Nordlicht"
    _, movements = read(file([paid("1.00", text), Entry("2.00", information=text)]))
    assert [each.text for each in movements] == [("SVWZ+RG ELB-20", "26-00012")] * 2
