"""Awkward documents: long, mixed, empty, odd, in every script."""

from __future__ import annotations

from decimal import Decimal

from billing.document import InvoiceDocument
from billing.draft import line
from billing.parties import Address
from billing.taxes.categories import TaxCategory
from billing.taxes.notes import NoteCode, english
from tests.activities.documents.samples import BUYER, ISSUER
from tests.golden.invoices import issued, tax

_NINE = ("19", "7", "20", "13", "10", "5.5", "2.1", "8.1", "0")
_WORD = "Rechnungslegungsvorschriftenänderungsberichtigungsverfahrensverordnung"
_LONG_NAME = (
    "Gesellschaft für Systeme, Netze und Daten in Nord- und Ostsee, Beteiligungen und Verwaltung " * 4
)


def long_names() -> InvoiceDocument:
    """Parties of 300 characters, a word that fits no column, references of every length."""
    address = Address(
        street="Hinter dem Alten Zollhaus an der Kleinen Wümme 117\nGebäude C, 4. Obergeschoss, Zimmer 4.017",
        postcode="28195",
        city="Bremen-Überseestadt-Hafenquartier",
        country="DE",
    )
    return issued(
        [
            line(f"{_WORD * 3} und alles, was dazu gehört", Decimal(1), "LS", Decimal("987654321.09"), "EUR"),
            line("Betrieb " * 60, Decimal("12345.678"), "HUR", Decimal("0.0825"), "EUR", detail=_WORD * 2),
        ],
        language="de",
        issuer=ISSUER.model_copy(update={"name": _LONG_NAME[:300], "registration": _LONG_NAME[:120]}),
        buyer=BUYER.model_copy(update={"name": _LONG_NAME[:300], "address": address}),
        title=f"{_WORD} {_LONG_NAME[:120]}",
        order_reference="PO/2026/" + "4500123456/" * 6,
        note=f"{_LONG_NAME[:200]}\n\n{_WORD}",
    )


def nine_rates() -> InvoiceDocument:
    """Nine lines at nine rates of tax."""
    return issued(
        [
            line(f"Service at {rate} %", Decimal(1), "C62", Decimal(100 * at), "EUR", taxes=(tax(rate),))
            for at, rate in enumerate(_NINE, start=1)
        ],
        *map(tax, _NINE),
    )


def reverse_charge() -> InvoiceDocument:
    """No tax, and the words that say why; to France."""
    buyer = BUYER.model_copy(
        update={
            "name": "Atelier Numérique SAS",
            "address": Address(street="12 rue de la Paix", postcode="75002", city="Paris", country="FR"),
            "vat_id": "FR40303265045",
        }
    )
    note = english(NoteCode.REVERSE_CHARGE, article="Art. 196 Directive 2006/112/EC")
    lines = [line("Consulting", Decimal(10), "HUR", Decimal(150), "EUR")]
    return issued(lines, tax("0", TaxCategory.REVERSE_CHARGE), note=note, buyer=buyer)


def negative_lines() -> InvoiceDocument:
    """More is given back than billed on two of four lines."""
    return issued(
        [
            line("Operation, November", Decimal(1), "MON", Decimal(2000), "EUR"),
            line("Outage of 3 November, credited", Decimal(-2), "DAY", Decimal(120), "EUR"),
            line("Licence returned", Decimal(-1), "C62", Decimal("89.90"), "EUR", detail="Seat 14 of 20"),
            line("On call", Decimal(1), "LS", Decimal("350.00"), "EUR"),
        ]
    )


def nothing_due() -> InvoiceDocument:
    """A free month: zero to pay."""
    return issued([line("November, free of charge", Decimal(1), "MON", Decimal(0), "EUR")])


def every_script() -> InvoiceDocument:
    """Arabic, Hebrew, Chinese, Japanese, Korean, Thai, Hindi, Greek, Cyrillic, emoji."""
    written = [
        "خدمات استشارية (المرحلة 2) - نوفمبر 2026", "שירותי ייעוץ, נובמבר 2026 (שלב ב)", "咨询服务，二〇二六年十一月",
        "システム保守 2026年11月分", "컨설팅 서비스 11월", "บริการให้คำปรึกษา", "परामर्श सेवाएँ", "Υπηρεσίες συμβουλών",
        "Консультационные услуги", "Launch 🚀 with the team 👩🏽\u200d💻 ❤️",
    ]  # fmt: skip
    buyer = BUYER.model_copy(
        update={
            "name": "شركة النور للبرمجيات (ذ.م.م.)",
            "address": Address(street="شارع الشيخ زايد 117", city="دبي", country="AE"),
            "vat_id": "",
        }
    )
    lines = [line(text, Decimal(1), "C62", Decimal(100), "EUR") for text in written]
    return issued(lines, tax("0", TaxCategory.OUTSIDE_SCOPE), buyer=buyer, title="ترحيل البيانات")


def lines(count: int) -> InvoiceDocument:
    """Many lines; every seventh has a detail, every fiftieth is long."""
    return issued(
        [
            line(
                f"Ticket OPS-{4000 + at}: {'patch, restart, watch for a day; ' * (12 if at % 50 == 0 else 1)}",
                Decimal("0.25") + at % 7,
                "HUR",
                Decimal("118.50"),
                "EUR",
                detail="By night, as agreed" if at % 7 == 0 else "",
            )
            for at in range(1, count + 1)
        ]
    )


def giant_line() -> InvoiceDocument:
    """One line whose text runs over pages, between two ordinary ones."""
    protocol = "\n".join(
        f"{at}. step of the protocol of acceptance, as signed by both sides" for at in range(1, 151)
    )
    return issued(
        [
            line("Before", Decimal(1), "LS", Decimal(1000), "EUR"),
            line("Acceptance", Decimal(1), "LS", Decimal(2500), "EUR", detail=protocol),
            line("After", Decimal(1), "LS", Decimal(500), "EUR"),
        ]
    )
