"""An issued invoice in the terms of EN 16931."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from billing.document import InvoiceDocument
from billing.document_kind import DocumentKind
from billing.draft import line
from billing.einvoice.document import einvoice_of, why_none
from billing.einvoice.electronic_addresses import ElectronicAddress
from billing.einvoice.model import EInvoice, Profile
from billing.einvoice.vat import is_vat
from billing.parties import BankAccount
from billing.taxes.categories import TaxCategory
from billing.taxes.countries import COUNTRIES
from billing.taxes.outcome import TaxComponent
from tests.billing.einvoice.documents import (
    EARLY,
    GERMAN,
    INSTALMENTS,
    ISSUER,
    LEITWEG_ID,
    REVERSE_CHARGE,
    buyer,
    consulting,
    decided,
    document,
    every_kind,
    taxed,
)

KINDS = every_kind()


def said(document: InvoiceDocument) -> EInvoice:
    made = einvoice_of(document)
    assert made is not None
    return made


def _taxes(*named: tuple[str, str, str]) -> Any:
    return decided(
        *(
            TaxComponent(name=name, category=TaxCategory.STANDARD, rate=Decimal(rate), share=Decimal(share))
            for name, rate, share in named
        )
    )


@pytest.mark.parametrize(
    ("document", "why"),
    [
        (document(kind=DocumentKind.PRO_FORMA), "a pro forma invoice is no invoice"),
        (document(taxes=()), "nothing says how it is taxed"),
        (
            document(None, _taxes(("GST", "5", "100"), ("QST", "9.975", "100"))),
            "EN 16931 knows VAT only, and this bears GST and QST",
        ),
        (
            document(None, _taxes(("Sales tax", "8.25", "80"))),
            "EN 16931 knows VAT only, and this bears Sales tax",
        ),
        (
            document(None, _taxes(("VAT", "19", "80"))),
            "EN 16931 knows one VAT on the whole of each line, and here are several or a share of it",
        ),
        (
            document(None, _taxes(("VAT", "19", "100"), ("VAT", "2", "100"))),
            "EN 16931 knows one VAT on the whole of each line, and here are several or a share of it",
        ),
        (
            document(consulting(currency="KWD"), currency="KWD"),
            "EN 16931 knows amounts of two decimals, and KWD has 3",
        ),
    ],
)
def test_what_en_16931_cannot_say_has_no_e_invoice(document: InvoiceDocument, why: str) -> None:
    """None, and why: for the page that would offer it."""
    assert einvoice_of(document) is None
    assert why_none(document) == why


@pytest.mark.parametrize("name", KINDS)
def test_all_else_has_one(name: str) -> None:
    """With the amounts of the draft, each as it is."""
    draft, made = KINDS[name].draft, said(KINDS[name])
    assert why_none(KINDS[name]) == ""
    assert [each.net for each in made.lines] == [each.net for each in draft.lines]
    assert (made.lines_net, made.net, made.tax, made.gross, made.rounding, made.due) == (
        draft.lines_net,
        draft.net,
        draft.tax,
        draft.gross,
        draft.rounding,
        draft.due,
    )


def test_parties_dates_and_payment() -> None:
    """Who, when, and where to: of an invoice for November, issued on the 22nd, due in thirty days."""
    made = said(KINDS["domestic"])
    assert (made.number, made.issue_date, made.type_code) == ("BER-2026-00017", date(2026, 11, 22), "380")
    assert (made.period_start, made.period_end) == (date(2026, 11, 1), date(2026, 11, 30))
    assert (made.delivery_date, made.due_date) == (date(2026, 11, 30), date(2026, 12, 22))
    assert (made.seller.vat_id, made.seller.tax_number) == ("DE136695976", "37/123/45678")
    assert made.seller.registration == "Amtsgericht Charlottenburg, HRB 123456 B"
    assert made.seller.electronic_address == ElectronicAddress("9930", "DE136695976")
    assert (made.buyer.name, made.buyer.vat_id) == ("Müller & Söhne GmbH", "DE811907980")
    assert made.buyer.contact.name == "Katharina Weiß"
    assert (made.payment.means_code, made.payment.iban) == ("58", "DE89370400440532013000")
    assert (made.payment.reference, made.payment.account_name) == (
        "RF91BER202600017",
        "Nordlicht Systems GmbH",
    )
    assert (made.order_reference, made.contract_reference) == ("PO 4500123456", "RV-2025-114")
    assert made.notes == ("Wartung, November 2026",)


def test_one_day_of_supply_is_no_period() -> None:
    """Supplied on one day: that is the delivery date; where nothing is known, the issue date is."""
    one_day, unknown = said(KINDS["one day"]), said(KINDS["no supply, no references"])
    assert (one_day.period_start, one_day.period_end, one_day.delivery_date) == (
        None,
        None,
        date(2026, 11, 22),
    )
    assert unknown.delivery_date == date(2026, 11, 22)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("domestic", "380"),
        ("corrected", "384"),
        ("corrected abroad", "380"),
        ("prepayment", "380"),
        ("authority, prepayment", "380"),
        ("final", "380"),
        ("credit note", "381"),
    ],
)
def test_type_codes(name: str, code: str) -> None:
    """384 between parties in Germany only (Peppol P0112); no 386 for German receivers (BR-DE-17, DE-R-017)."""
    assert said(KINDS[name]).type_code == code


def test_a_prepayment_is_one_where_nobody_minds() -> None:
    """386 outside of Peppol and XRechnung."""
    issuer = ISSUER.model_copy(update={"electronic_address": ""})
    assert said(document(issuer=issuer, kind=DocumentKind.PREPAYMENT)).type_code == "386"


def test_a_credit_note_asks_for_nothing() -> None:
    """Its amounts have no sign, it names the invoice it corrects, no due date and no account of ours."""
    made = said(KINDS["credit note"])
    assert made.due == KINDS["domestic"].draft.due > 0
    assert [(each.number, each.issue_date) for each in made.preceding] == [
        ("BER-2026-00011", date(2026, 10, 30))
    ]
    assert (made.due_date, made.payment.means_code, made.payment.iban) == (None, "1", "")
    assert made.terms == "Der Betrag wird gutgeschrieben: er wird verrechnet oder erstattet"


@pytest.mark.parametrize(
    ("name", "terms"),
    [
        ("domestic", "Zahlbar bis 2026-12-22"),
        # 2,275.86 EUR: 30 % are 682.758
        ("instalments", "Rate 1: 682.76 EUR bis 2026-12-02\nRate 2: 1593.10 EUR bis 2027-01-01"),
        # 2 % of 2,275.86 are 45.52
        (
            "early payment",
            "Zahlbar bis 2026-12-22\n2 % Skonto bei Zahlung bis 2026-12-02: 2230.34 EUR",
        ),
        (
            "authority",
            (
                "Zahlbar bis 2026-12-22\n2 % Skonto bei Zahlung bis 2026-12-02: 2230.34 EUR\n"
                "#SKONTO#TAGE=10#PROZENT=2.00#\n"
            ),
        ),
    ],
)
def test_terms_in_words(name: str, terms: str) -> None:
    """With days and amounts; XRechnung has the discount in its own way besides (BR-DE-18)."""
    assert said(KINDS[name]).terms == terms


@pytest.mark.parametrize("language", ["de", "en", "es", "fr", "it", "nl", "pl", "pt", "fi"])
def test_terms_in_every_language(language: str) -> None:
    """Each says the same day and amounts, in its own words; English where there are none."""
    early = said(document(language=language, terms=EARLY)).terms
    parts = said(document(language=language, terms=INSTALMENTS)).terms
    assert ("2026-12-22" in early, "2230.34 EUR" in early, early.count("\n")) == (True, True, 1)
    assert ("682.76 EUR" in parts, "2027-01-01" in parts, parts.count("\n")) == (True, True, 1)
    assert early.startswith("Payable by") == (language in ("en", "fi"))


def test_what_is_due_first_is_the_due_date() -> None:
    """Of instalments, BT-9 is the day of the first."""
    assert said(KINDS["instalments"]).due_date == date(2026, 12, 2)


def test_a_leitweg_id_asks_for_xrechnung() -> None:
    """Only a true one, and only of a buyer in Germany."""
    authority = said(KINDS["authority"])
    assert (authority.profile, authority.buyer_reference) == (Profile.XRECHNUNG, LEITWEG_ID)
    assert not authority.for_peppol
    wrong = LEITWEG_ID[:-1] + "7"
    assert said(document(buyer_reference=wrong)).profile is Profile.EN_16931
    abroad = document(buyer=buyer("FR", "FR40303265045"), buyer_reference=LEITWEG_ID)
    assert said(abroad).profile is Profile.EN_16931


def test_peppol_takes_the_contact_for_a_reference() -> None:
    """Where the buyer gave none, Peppol has the name of whom it goes to (R003); nobody else needs it."""
    assert said(KINDS["domestic"]).buyer_reference == "Katharina Weiß"
    assert said(document(buyer_reference="4711")).buyer_reference == "4711"
    assert said(KINDS["no Peppol addresses"]).buyer_reference == ""


def test_an_e_mail_address_is_the_last_resort() -> None:
    """Whoever has no electronic address is reached by e-mail (EM), and then not through Peppol."""
    plain = GERMAN.model_copy(update={"electronic_address": ""})
    made = said(document(buyer=plain))
    assert made.buyer.electronic_address == ElectronicAddress("EM", "weiss@mueller.example")
    assert not made.for_peppol
    assert said(KINDS["domestic"]).for_peppol


def test_a_price_below_zero_gives_its_sign_to_the_quantity() -> None:
    """BR-27 forbids negative prices: 1 at -50 is -1 at 50; a quantity below zero stays so."""
    made = said(
        document(
            [
                *consulting(),
                line("Gutschrift", Decimal(1), "C62", Decimal(-50), "EUR"),
                line("Zurück", Decimal("-0.5"), "HUR", Decimal(100), "EUR"),
            ]
        )
    )
    assert [(each.quantity, each.price, each.net) for each in made.lines[2:]] == [
        (Decimal(-1), Decimal(50), Decimal(-50)),
        (Decimal("-0.5"), Decimal(100), Decimal(-50)),
    ]


def test_prepayments_are_negative_lines() -> None:
    """10,000 less 4,000 invoiced ahead: nothing is prepaid in the totals, so that each tax is right."""
    made = said(KINDS["final"])
    assert [(each.quantity, each.price, each.net) for each in made.lines] == [
        (Decimal(1), Decimal(10000), Decimal(10000)),
        (Decimal(-1), Decimal(4000), Decimal(-4000)),
    ]
    assert (made.net, made.tax, made.due) == (Decimal(6000), Decimal(1140), Decimal(7140))


def test_outside_the_scope_there_is_no_rate_and_no_vat_id() -> None:
    """BR-O-2, BR-O-5, BR-48; what tells the seller is the registration, else the tax number (BR-CO-26)."""
    made, unregistered = said(KINDS["outside the scope"]), said(KINDS["outside the scope, unregistered"])
    assert (made.seller.vat_id, made.seller.identifier, made.buyer.vat_id) == ("", "", "")
    assert unregistered.seller.identifier == "37/123/45678"
    assert {each.rate for each in made.lines} | {each.rate for each in made.breakdown} == {None}
    (row,) = made.breakdown
    assert (row.category, row.exemption_code) == (TaxCategory.OUTSIDE_SCOPE, "VATEX-EU-O")


@pytest.mark.parametrize(
    ("name", "code", "words"),
    [
        ("reverse charge", "VATEX-EU-AE", "Steuerschuldnerschaft des Leistungsempfängers"),
        ("export", "VATEX-EU-G", "VAT 0 %: Ausfuhr von Dienstleistungen"),
        ("exempt", "", "Steuerfrei (VAT, § 4 Nr. 21 UStG)"),
        ("small business", "", "Kleinunternehmer (§ 19 UStG)"),
    ],
)
def test_why_no_tax_is_charged(name: str, code: str, words: str) -> None:
    """BT-120 in the buyer's language and BT-121 where a code says as much; not a second time in the notes."""
    made = said(KINDS[name])
    (row,) = made.breakdown
    assert row.exemption_code == code
    assert words in row.exemption_reason
    assert made.notes == ("Wartung, November 2026",)


def test_the_code_of_the_decision_goes_first() -> None:
    """A rule that names the exemption by its own code is not overruled by the category's, nor by none."""
    for name, code in (("exempt", "VATEX-EU-132-1I"), ("reverse charge", "VATEX-EU-AE")):
        document = KINDS[name]
        (tax,) = document.draft.taxes
        taxes = (tax.model_copy(update={"exemption_code": code}),)
        draft = document.draft.model_copy(update={"taxes": taxes})
        (row,) = said(document.model_copy(update={"draft": draft})).breakdown
        assert row.exemption_code == code


def test_a_zero_rate_is_explained_in_the_notes() -> None:
    """Its breakdown may give no reason (BR-Z-10), and the law wants the words all the same."""
    made = said(KINDS["zero rate"])
    assert (made.breakdown[0].exemption_reason, made.breakdown[0].exemption_code) == ("", "")
    assert made.notes == ("Wartung, November 2026\nVAT 0 %: Ausfuhr von Dienstleistungen (Art. 23 MWSTG)",)


def test_tax_in_the_currency_of_the_country() -> None:
    """363.37 PLN at 4.252 PLN to the euro are 85.46 EUR (BT-111); the rate stands in the note."""
    made = said(KINDS["home currency"])
    assert (made.tax, made.currency, made.home_tax, made.tax_currency) == (
        Decimal("363.37"),
        "PLN",
        Decimal("85.46"),
        "EUR",
    )
    assert made.notes == ("Wartung, November 2026\n1 EUR = 4.252 PLN (ECB, 2026-11-20)",)


def test_francs_are_due_in_five_rappen() -> None:
    """8.1 % of 1,912.47 is 154.91; 2,067.38 with it, 2,067.40 to pay: 0.02 of rounding (BT-114)."""
    made = said(KINDS["francs in five Rappen"])
    assert (made.gross, made.rounding, made.due) == (
        Decimal("2067.38"),
        Decimal("0.02"),
        Decimal("2067.40"),
    )
    assert made.seller.vat_id == "CHE-123.456.788 MWST"


def test_taxes_that_differ_in_name_only_are_one_row() -> None:
    """A category and rate has one breakdown (BR-S-8), whatever the tax is called."""
    old = taxed("19").model_copy(update={"name": "USt"})
    lines = [
        line("Alt", Decimal(1), "C62", Decimal(100), "EUR", taxes=(old,)),
        line("Neu", Decimal(1), "C62", Decimal(200), "EUR", taxes=(taxed("19"),)),
    ]
    (row,) = said(document(lines)).breakdown
    assert (row.taxable, row.tax) == (Decimal(300), Decimal(57))


@pytest.mark.parametrize(
    ("country", "written", "said_"),
    [
        ("DE", "DE 136 695 976", "DE136695976"),
        ("GR", "094019245", "EL094019245"),
        ("GB", "GB 980 7806 84", "GB980780684"),
        ("NO", "995 525 828 MVA", "NO995525828MVA"),
        ("CH", "CHE-123.456.788 MWST", "CHE-123.456.788 MWST"),
    ],
)
def test_vat_ids_begin_with_their_country(country: str, written: str, said_: str) -> None:
    """BR-CO-9; blanks and points go where they are habit, and stay where they are law."""
    address = ISSUER.address.model_copy(update={"country": country})
    issuer = ISSUER.model_copy(update={"vat_id": written, "address": address})
    assert said(document(issuer=issuer)).seller.vat_id == said_


def test_the_registration_that_taxes_is_the_sellers_vat_id() -> None:
    """Where the issuer is taxed under another number than its own, that one stands there."""
    abroad = taxed("20").model_copy(update={"number": "FR 83 404 833 048"})
    assert said(document(None, decided(abroad))).seller.vat_id == "FR83404833048"


def test_long_addresses_and_holders() -> None:
    """Streets of four lines fit into three; the account may belong to somebody else."""
    issuer = ISSUER.model_copy(
        update={
            "address": ISSUER.address.model_copy(update={"street": "Haus 1\nHof 2\n\nTreppe 3\nTür 4"}),
            "bank_account": BankAccount(iban="DE89370400440532013000", holder="Nordlicht Treuhand"),
        }
    )
    seller, payment = said(document(issuer=issuer)).seller, said(document(issuer=issuer)).payment
    assert (seller.address.line_1, seller.address.line_2, seller.address.line_3) == (
        "Haus 1",
        "Hof 2",
        "Treppe 3, Tür 4",
    )
    assert (payment.account_name, payment.bic) == ("Nordlicht Treuhand", "")


def test_other_currencies_are_no_sepa_transfer() -> None:
    """58 is for euros alone; else it is a transfer like any other (30)."""
    assert said(KINDS["home currency"]).payment.means_code == "30"


def test_reverse_charge_names_both_vat_ids() -> None:
    """BR-AE-2: seller and buyer, for the tax goes from the one to the other."""
    made = said(document(None, REVERSE_CHARGE, buyer=buyer("FR", "FR 40 303 265 045")))
    assert (made.seller.vat_id, made.buyer.vat_id) == ("DE136695976", "FR40303265045")


@pytest.mark.parametrize(
    ("country", "vat"),
    [("GB", True), ("CH", True), ("NO", True), ("AE", True), ("AU", False), ("SG", False), ("JP", False)],
)
def test_what_counts_as_vat(country: str, vat: bool) -> None:
    """By the names that the tax rules give: MWST and MVA are VAT, GST and consumption tax are taxes of their own."""
    assert is_vat(COUNTRIES[country].tax) == vat
