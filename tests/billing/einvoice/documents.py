"""Issued documents of every kind that has an e-invoice, as the rules of tax, money and assembly would make them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from billing.allowances import Allowance, AllowanceCode, Charge, percentage_off
from billing.document import InvoiceDocument
from billing.document_kind import DocumentKind
from billing.draft import Draft, InvoiceLine, line
from billing.home_tax import HomeTax
from billing.instalments import schedule
from billing.line_words import line_words
from billing.numbering import payment_reference
from billing.parties import Address, BankAccount, Buyer, Contact, Issuer
from billing.payment_terms import PaymentTerms
from billing.periods import Period
from billing.prepayments import PrepaidPart, Prepayment, deductions, taxed_by
from billing.taxes.categories import TaxCategory
from billing.taxes.notes import NoteCode
from billing.taxes.outcome import TaxComponent, TaxDecision, untaxed
from billing.totals import apportioned, totals

ISSUED = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
NUMBER = "BER-2026-00017"
LEITWEG_ID = "04011000-1234512345-06"

ISSUER = Issuer(
    id="berlin",
    name="Nordlicht Systems GmbH",
    address=Address(street="Torstraße 140", postcode="10119", city="Berlin", country="DE"),
    vat_id="DE136695976",
    tax_number="37/123/45678",
    registration="Amtsgericht Charlottenburg, HRB 123456 B",
    email="billing@nordlicht.example",
    phone="+49 30 1234567",
    electronic_address="9930:DE136695976",
    bank_account=BankAccount(iban="DE89 3704 0044 0532 0130 00", bic="COBADEFFXXX"),
    zone="Europe/Berlin",
    number_prefix="BER-",
)
ZURICH = ISSUER.model_copy(
    update={
        "id": "zurich",
        "name": "Nordlicht Schweiz AG",
        "address": Address(street="Bahnhofstrasse 1", postcode="8001", city="Zürich", country="CH"),
        "vat_id": "CHE-123.456.788 MWST",
        "tax_number": "",
        "registration": "CHE-123.456.788",
        "electronic_address": "",
        "bank_account": BankAccount(iban="CH93 0076 2011 6238 5295 7"),
        "round_due_to": {"CHF": Decimal("0.05")},
    }
)


def buyer(country: str, vat_id: str = "", **changes: Any) -> Buyer:
    """A client in a country; in Germany where nothing else is said."""
    there = {
        "DE": Address(street="Industriestraße 17", postcode="70565", city="Stuttgart", country="DE"),
        "FR": Address(street="12 rue de la Paix\n2e étage", postcode="75002", city="Paris", country="FR"),
        "PL": Address(street="ul. Prosta 51", postcode="00-838", city="Warszawa", country="PL"),
        "CH": Address(street="Seestrasse 9", postcode="8002", city="Zürich", country="CH"),
        "US": Address(street="500 Congress Ave", city="Austin", region="TX", postcode="78701", country="US"),
    }
    made = Buyer(
        name="Müller & Söhne GmbH",
        address=there[country],
        vat_id=vat_id,
        contact=Contact(name="Katharina Weiß", email="weiss@mueller.example"),
    )
    return made.model_copy(update=changes)


GERMAN = buyer("DE", "DE811907980", electronic_address="9930:DE811907980")


def taxed(rate: str, category: TaxCategory = TaxCategory.STANDARD) -> TaxComponent:
    return TaxComponent(category=category, rate=Decimal(rate))


def decided(*components: TaxComponent) -> TaxDecision:
    return TaxDecision(
        category=components[0].category, rate=components[0].rate, why="", components=components
    )


NINETEEN = decided(taxed("19"))
REVERSE_CHARGE = untaxed(
    TaxCategory.REVERSE_CHARGE,
    NoteCode.REVERSE_CHARGE,
    "buyer FR with VAT id",
    article="Art. 196 Directive 2006/112/EC",
    home="DE",
)
OUTSIDE = untaxed(
    TaxCategory.OUTSIDE_SCOPE,
    NoteCode.SUPPLIED_ABROAD,
    "service to a business in US",
    article="Art. 44 Directive 2006/112/EC",
    home="DE",
)
EXPORT = untaxed(TaxCategory.EXPORT, NoteCode.EXPORT, "export", article="Art. 146", home="DE")
EXEMPT = untaxed(TaxCategory.EXEMPT, NoteCode.EXEMPT, "exempt in DE", article="§ 4 Nr. 21 UStG", home="DE")
SMALL = untaxed(TaxCategory.EXEMPT, NoteCode.SMALL_BUSINESS, "small", article="§ 19 UStG", home="DE")
ZERO = untaxed(TaxCategory.ZERO_RATED, NoteCode.EXPORT, "zero-rated", article="Art. 23 MWSTG", home="CH")


def consulting(*taxes: TaxComponent, currency: str = "EUR") -> list[InvoiceLine]:
    """12.5 hours at 145 and a licence of 99.99: 1,812.50 + 99.99 = 1,912.49."""
    return [
        line("Beratung", Decimal("12.5"), "HUR", Decimal(145), currency, detail="Jana Roth", taxes=taxes),
        line("Lizenz", Decimal(1), "C62", Decimal("99.99"), currency, taxes=taxes),
    ]


def document(
    lines: Sequence[InvoiceLine] | None = None,
    decision: TaxDecision = NINETEEN,
    *,
    currency: str = "EUR",
    allowances: Sequence[Allowance] = (),
    charges: Sequence[Charge] = (),
    others: Sequence[TaxDecision] = (),
    agreed_gross: Decimal | None = None,
    **changes: Any,
) -> InvoiceDocument:
    """A document issued on 22 November 2026, its sums as assembly reckons them; `changes` go into the draft."""
    lines = consulting(currency=currency) if lines is None else lines
    issuer: Issuer = changes.pop("issuer", ISSUER)
    sums = totals(
        lines,
        decision,
        currency,
        allowances=allowances,
        charges=charges,
        others=others,
        round_due_to=issuer.round_due_to.get(currency),
        agreed_gross=agreed_gross,
    )
    draft = Draft(
        billing_key="retainer/november",
        title="Wartung, November 2026",
        issuer=issuer,
        buyer=GERMAN,
        client="mueller",
        account_manager="anna",
        language="de",
        zone="Europe/Berlin",
        currency=currency,
        lines=tuple(lines),
        taxes=sums.taxes,
        net=sums.net,
        tax=sums.tax,
        gross=sums.gross,
        rounding=sums.rounding,
        agreed_gross=agreed_gross,
        terms=PaymentTerms(net_days=30),
        supply=Period(start=date(2026, 11, 1), end=date(2026, 11, 30)),
        contract_reference="RV-2025-114",
        order_reference="PO 4500123456",
        note=decision.note,
        allowances=tuple(allowances),
        charges=tuple(charges),
    )
    return issued(draft.model_copy(update=changes))


def issued(draft: Draft) -> InvoiceDocument:
    """The draft under a number, with the due dates its terms give."""
    parts = schedule(draft, ISSUED.date(), ISSUED)
    return InvoiceDocument(
        draft=draft,
        number=NUMBER,
        issue_date=ISSUED.date(),
        due_date=parts[0].due_date,
        issued_at=ISSUED,
        payment_reference=payment_reference(NUMBER),
        instalments=parts if draft.terms.instalments else (),
    )


def _nine_rates() -> InvoiceDocument:
    """The standard rates of nine countries on one invoice, with an allowance over all of them."""
    rates = [decided(taxed(each)) for each in ("17", "18", "19", "20", "21", "22", "23", "25", "25.5")]
    lines = [
        line(f"Teil {each.rate}", Decimal(3), "HUR", Decimal("33.33"), "EUR", taxes=each.taxes)
        for each in rates
    ]
    rebate = percentage_off(Decimal("899.91"), Decimal("2.5"), "EUR", "Rabatt")
    return document(lines, rates[0], others=rates, allowances=apportioned(rebate, lines, "EUR"))


def _both_levels() -> InvoiceDocument:
    """Allowances and charges on a line and on the whole: 10 h x 100 - 5 % + 12 = 962, - 10 % of it + 25 = 890.80."""
    adjusted = line(
        "Beratung",
        Decimal(10),
        "HUR",
        Decimal(100),
        "EUR",
        allowances=[percentage_off(Decimal(1000), Decimal(5), "EUR", "Mengenrabatt")],
        charges=[Charge(amount=Decimal("12.00"), reason="Anfahrt")],
    )
    return document(
        [adjusted],
        allowances=[percentage_off(Decimal("962.00"), Decimal(10), "EUR", "Treuerabatt")],
        charges=[Charge(amount=Decimal("25.00"), reason="Express", reason_code=None)],
    )


def _final() -> InvoiceDocument:
    """A project of 10,000 of which 4,000 were invoiced ahead: 6,000 net, 7,140 due."""
    lines = taxed_by([line("Projekt", Decimal(1), "C62", Decimal(10000), "EUR")], NINETEEN.taxes)
    ahead = Prepayment(
        number="BER-2026-00003",
        item="kick-off",
        issued_on=date(2026, 3, 2),
        currency="EUR",
        parts=(PrepaidPart(taxes=NINETEEN.taxes, net=Decimal(4000)),),
    )
    return document([*lines, *deductions([ahead], "EUR", line_words("de"))], kind=DocumentKind.FINAL)


def _in_francs(**changes: Any) -> InvoiceDocument:
    """8.1 % of 1,912.49 is 154.91 (154.91169): 2,067.40, which five Rappen leave; of 1,912.47 they take 0.02."""
    lines = consulting(currency="CHF")
    lines[1] = line("Lizenz", Decimal(1), "C62", Decimal("99.97"), "CHF")
    mwst = TaxComponent(name="MWST", category=TaxCategory.STANDARD, rate=Decimal("8.1"))
    return document(
        lines, decided(mwst), currency="CHF", issuer=ZURICH, buyer=buyer("CH", "CHE-109.322.551"), **changes
    )


INSTALMENTS = PaymentTerms.model_validate(
    {"instalments": [{"percent": "30", "net_days": 10}, {"percent": "70", "net_days": 40}]}
)
EARLY = PaymentTerms.model_validate({"net_days": 30, "early_payment": {"percent": "2", "days": 10}})
AUTHORITY = buyer("DE", name="Senatskanzlei", electronic_address=f"0204:{LEITWEG_ID}")
ODD = "Ünïcode <b>&amp;</b> \"q\" 'a' ]]> 🚀 株式会社 شركة\u200d\u00ad\t\u0007\ufffe\x00"


def every_kind() -> dict[str, InvoiceDocument]:
    """By what is special about it."""
    abroad = buyer("FR", "FR40303265045")
    return {
        "domestic": document(),
        "no Peppol addresses": document(issuer=ISSUER.model_copy(update={"electronic_address": ""})),
        "one day": document(supply=Period(start=ISSUED.date(), end=ISSUED.date())),
        "no supply, no references": document(supply=None, contract_reference="", order_reference=""),
        "reverse charge": document(None, REVERSE_CHARGE, buyer=abroad),
        "outside the scope": document(None, OUTSIDE, buyer=buyer("US"), language="en"),
        "outside the scope, unregistered": document(
            None, OUTSIDE, buyer=buyer("US"), issuer=ISSUER.model_copy(update={"registration": ""})
        ),
        "export": document(None, EXPORT, buyer=buyer("CH", "CHE-109.322.551")),
        "exempt": document(None, EXEMPT),
        "zero rate": document(None, ZERO, currency="CHF", issuer=ZURICH, buyer=buyer("US")),
        "small business": document(
            None, SMALL, issuer=ISSUER.model_copy(update={"vat_id": "", "electronic_address": ""})
        ),
        "nine rates": _nine_rates(),
        "allowances and charges": _both_levels(),
        "francs in five Rappen": _in_francs(),
        "home currency": document(
            currency="PLN",
            buyer=buyer("PL", "PL5260250274"),
            home_tax=HomeTax(
                currency="EUR",
                amount=Decimal("85.46"),
                base="EUR",
                rate=Decimal("4.252"),
                rate_date=date(2026, 11, 20),
                source="ECB",
            ),
        ),
        "yen": document([line("調査", Decimal(2), "DAY", Decimal(85000), "JPY")], currency="JPY"),
        "prepayment": document(kind=DocumentKind.PREPAYMENT),
        "final": _final(),
        "corrected": document(
            kind=DocumentKind.CORRECTED, preceding="BER-2026-00011", preceding_date=date(2026, 10, 30)
        ),
        "corrected abroad": document(
            None, REVERSE_CHARGE, buyer=abroad, kind=DocumentKind.CORRECTED, preceding="BER-2026-00011"
        ),
        "credit note": document(
            kind=DocumentKind.CREDIT_NOTE, preceding="BER-2026-00011", preceding_date=date(2026, 10, 30)
        ),
        "agreed with tax": document(
            [line("Kleinigkeit", Decimal(1), "C62", Decimal("0.03"), "EUR")], agreed_gross=Decimal("0.03")
        ),
        "negative line": document(
            [*consulting(), line("Gutschrift", Decimal(1), "C62", Decimal(-50), "EUR")]
        ),
        "free line": document([line("Inklusivstunden", Decimal(3), "HUR", Decimal(0), "EUR"), *consulting()]),
        "instalments": document(terms=INSTALMENTS),
        "early payment": document(terms=EARLY),
        "authority": document(buyer=AUTHORITY, buyer_reference=LEITWEG_ID, terms=EARLY),
        "authority, prepayment": document(
            buyer=AUTHORITY, buyer_reference=LEITWEG_ID, kind=DocumentKind.PREPAYMENT
        ),
        "authority, credit note": document(
            buyer=AUTHORITY,
            buyer_reference=LEITWEG_ID,
            kind=DocumentKind.CREDIT_NOTE,
            preceding="BER-2026-00011",
        ),
        "strange characters": document(
            [line(ODD, Decimal("0.25"), "HUR", Decimal("120.005"), "EUR", detail=f"{ODD}\n\n  {ODD}")],
            buyer=GERMAN.model_copy(update={"name": ODD * 6}),
            title=ODD,
            order_reference="PO\t7 ",
            allowances=[
                Allowance(amount=Decimal("1.00"), reason=ODD, reason_code=AllowanceCode.SPECIAL_REBATE)
            ],
        ),
    }


def long(count: int = 1500) -> InvoiceDocument:
    """So many lines, each with a price of its own."""
    started = date(2026, 1, 1)
    return document(
        [
            line(
                f"Ticket {n}",
                Decimal(n % 37 + 1) / 4,
                "HUR",
                Decimal(9000 + n) / 100,
                "EUR",
                detail=f"{started + timedelta(days=n % 300)}",
            )
            for n in range(count)
        ]
    )
