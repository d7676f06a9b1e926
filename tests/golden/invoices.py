"""Invoices of every kind for the golden documents: a believable job of a believable company, with sums that add up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from billing.allowances import percentage_off
from billing.document import InvoiceDocument
from billing.document_kind import DocumentKind
from billing.draft import Draft, InvoiceLine, line
from billing.numbering import payment_reference
from billing.parties import Address, BankAccount
from billing.payment_terms import PaymentTerms
from billing.periods import Period
from billing.taxes.categories import TaxCategory
from billing.taxes.outcome import TaxComponent, TaxDecision
from billing.totals import totals
from billing.work_records import HoursAppendix, WorkRecord
from tests.activities.documents.samples import BUYER, ISSUER

ISSUED = date(2026, 11, 22)

SWISS = ISSUER.model_copy(
    update={
        "name": "Nordlicht Schweiz AG",
        "address": Address(street="Bahnhofstrasse 12a", postcode="8001", city="Zürich", country="CH"),
        "vat_id": "CHE-116.281.710 MWST",
        "tax_number": "",
        "registration": "Handelsregister Zürich, CH-020.3.000.000-1",
        "bank_account": BankAccount(
            iban="CH9300762011623852957", bank="ZKB", qr_iban="CH4431999123000889012"
        ),
    }
)
GENEVA = BUYER.model_copy(
    update={
        "name": "Alpina Versicherung AG",
        "address": Address(street="Rue du Rhône 17", postcode="1204", city="Genève", country="CH"),
        "vat_id": "",
    }
)

_TEXTS = {
    "de": ("Konzept der Datenplattform", "Einrichtung und Übernahme der Daten", "Schulung, je Tag"),
    "en": ("Data platform: concept", "Set-up and transfer of data", "Training, by the day"),
    "es": ("Plataforma de datos: diseño", "Instalación y traspaso de datos", "Formación, por día"),
    "fr": (
        "Plateforme de données : conception",
        "Mise en place et reprise des données",
        "Formation, par jour",
    ),
    "it": ("Piattaforma dati: progetto", "Installazione e trasferimento dei dati", "Formazione, al giorno"),
    "nl": ("Dataplatform: ontwerp", "Inrichting en overdracht van gegevens", "Training, per dag"),
    "pl": ("Platforma danych: projekt", "Wdrożenie i przeniesienie danych", "Szkolenie, za dzień"),
    "pt": ("Plataforma de dados: conceito", "Instalação e transferência de dados", "Formação, por dia"),
}


def tax(rate: str, category: TaxCategory | None = None, name: str = "VAT") -> TaxComponent:
    usual = TaxCategory.STANDARD if Decimal(rate) else TaxCategory.ZERO_RATED
    return TaxComponent(name=name, category=category or usual, rate=Decimal(rate))


def decision(*taxes: TaxComponent, note: str = "") -> TaxDecision:
    first = taxes[0]
    return TaxDecision(category=first.category, rate=first.rate, note=note, why="", components=taxes)


def issued(
    lines: Sequence[InvoiceLine],
    *taxes: TaxComponent,
    note: str = "",
    currency: str = "EUR",
    number: str = "BER-2026-00017",
    link: str = "",
    **changes: Any,
) -> InvoiceDocument:
    """The document of these lines, taxed at 19 % unless taxes are given; `changes` go into the draft."""
    bearing = decision(*(taxes or (tax("19"),)), note=note)
    sums = totals(
        lines,
        bearing,
        currency,
        allowances=changes.get("allowances", ()),
        charges=changes.get("charges", ()),
    )
    draft = Draft.model_validate(
        {
            "billing_key": "golden/one",
            "title": "Data platform 2026",
            "issuer": ISSUER,
            "buyer": BUYER,
            "client": "mueller",
            "account_manager": "anna",
            "language": "en",
            "zone": "Europe/Berlin",
            "currency": currency,
            "lines": tuple(lines),
            "taxes": sums.taxes,
            "net": sums.net,
            "tax": sums.tax,
            "gross": sums.gross,
            "terms": PaymentTerms(net_days=30),
            "supply": Period(start=date(2026, 11, 1), end=date(2026, 11, 30)),
            "contract_reference": "RV-2025-114",
            "order_reference": "PO 4500123456",
        }
        | changes
    )
    return InvoiceDocument(
        draft=draft,
        number=number,
        issue_date=ISSUED,
        due_date=date(2026, 12, 22),
        issued_at=datetime(2026, 11, 22, 9, 30, tzinfo=UTC),
        payment_reference=payment_reference(number),
        payment_link=link,
    )


def of_kind(kind: DocumentKind, language: str) -> InvoiceDocument:
    """A document of a kind: a discount on the invoice, a prepayment taken off the final one, what others correct."""
    concept, setting_up, training = _TEXTS[language]
    lines = [
        line(concept, Decimal(1), "LS", Decimal(4800), "EUR"),
        line(setting_up, Decimal("37.5"), "HUR", Decimal(145), "EUR", detail="3.–14.11.2026"),
        line(training, Decimal(2), "DAY", Decimal(1250), "EUR"),
    ]
    changes: dict[str, Any] = {"kind": kind, "language": language, "title": f"{concept} 2026"}
    match kind:
        case DocumentKind.INVOICE:
            off = percentage_off(Decimal("12737.50"), Decimal(5), "EUR", "5 %")
            terms = {"net_days": 30, "early_payment": {"percent": "2", "days": 10}}
            changes |= {"allowances": (off,), "terms": terms, "buyer_reference": "KST 7100"}
            return issued(lines, link="https://pay.nordlicht.example/i/8f3a61c2", **changes)
        case DocumentKind.CORRECTED:
            changes |= {"preceding": "BER-2026-00011", "preceding_date": date(2026, 11, 3)}
        case DocumentKind.CREDIT_NOTE:
            changes |= {"preceding": "BER-2026-00011", "preceding_date": date(2026, 11, 3)}
            return issued(lines[1:], number="BER-G-2026-00003", **changes)
        case DocumentKind.PREPAYMENT:
            lines = [line(concept, Decimal(1), "LS", Decimal(4800), "EUR", detail="30 %")]
        case DocumentKind.FINAL:
            before = line(
                "BER-2026-00004, 2026-09-01", Decimal(-1), "C62", Decimal(4800), "EUR", detail="19 % = 912,00"
            )
            lines = [*lines, before]
    return issued(lines, **changes)


def of_hours(by: HoursAppendix, language: str = "en") -> InvoiceDocument:
    """An invoice by the hour with 40 entries of work behind it."""
    people, rates = ("Anna Berg", "Jonas Keller", "Mira Sommer"), (145, 130, 160)
    work = [
        WorkRecord(
            line=1 + at % 3,
            day=date(2026, 11, 1 + at % 28),
            person=people[at % 3],
            hours=Decimal("2.25") + at % 4,
            ticket=f"DATA-{100 + at % 5}" if at % 9 else "",
            task="Pipeline for sales data: build, review, release",
            note="After the incident of 3 November, agreed with Ms Weiß by telephone" if at % 6 == 0 else "",
        )
        for at in range(40)
    ]
    lines = [
        line(
            name,
            sum((each.hours for each in work if each.person == name), Decimal(0)),
            "HUR",
            Decimal(rate),
            "EUR",
        )
        for name, rate in zip(people, rates, strict=True)
    ]
    return issued(lines, language=language, work=tuple(work), hours_appendix=by)


def swiss(language: str, currency: str = "CHF", lines: int = 3) -> InvoiceDocument:
    """A bill from Zürich to Geneva."""
    made = [
        line(text, Decimal(2), "DAY", Decimal(1450), currency) for text in (_TEXTS[language] * lines)[:lines]
    ]
    return issued(
        made,
        tax("8.1"),
        currency=currency,
        number="ZRH-2026-00017",
        language=language,
        issuer=SWISS,
        buyer=GENEVA,
        title=_TEXTS[language][0],
    )
