"""Words, numbers and sources of decisions; the rules beside the worked cases of docs/tax-cases.md."""

from datetime import date

import pytest

from billing.parties import EU_MEMBERS
from billing.taxes.decision import (
    TaxDecision,
    TaxFacts,
    TaxUnknown,
    covered,
    decide_tax,
    due_for_review,
    problems,
    vat_id_country,
)
from billing.taxes.facts import IdEvidence, Registration, Scheme, ServiceKind
from billing.taxes.india import number_is_allowed
from billing.taxes.notes import ENGLISH, NoteCode, english

DAY = date(2026, 11, 22)


def sale(home: str, abroad: str, vat_id: str = "", **more: object) -> TaxFacts:
    """Consulting by an issuer with a number to a business, on one day."""
    facts = {
        "issuer_country": home,
        "issuer_vat_id": {"DE": "DE136695976", "CH": "CHE-107.787.577 MWST"}.get(home, "x"),
        "client_country": abroad,
        "client_vat_id": vat_id,
        "client_is_business": True,
        "tax_point": DAY,
    }
    return TaxFacts.model_validate({**facts, **more})


@pytest.mark.parametrize("country", sorted(EU_MEMBERS - {"DE"}))
def test_reverse_charge_in_every_member_state(country: str) -> None:
    """A business with a VAT id in any other member state gets a reverse charge invoice that says so (Art. 226(11a))."""
    decision = decide_tax(sale("DE", country, f"{'EL' if country == 'GR' else country}123456789"))
    assert isinstance(decision, TaxDecision) and decision.category == "AE"
    assert decision.note == "Reverse charge: the recipient is liable for VAT (Art. 196 Directive 2006/112/EC)"
    assert decision.exemption_code == "VATEX-EU-AE"
    assert decision.jurisdiction == country


@pytest.mark.parametrize("written", [" DE129273398", "DE129273398 ", "de 129 273 398"])
def test_blanks_around_an_id_hide_nothing(written: str) -> None:
    """A client in Switzerland that shows a German VAT id stops, however the id is written (Art. 22 Reg. 282/2011)."""
    outcome = decide_tax(sale("DE", "CH", written))
    assert isinstance(outcome, TaxUnknown) and outcome.field == "vat_id"


@pytest.mark.parametrize("written", ["", "  ", "n/a", "-"])
def test_no_number_identifies_no_public_body(written: str) -> None:
    """Words in place of a VAT id make no taxable person of a body of public law (Art. 43(2) of the Directive)."""
    assert not sale("DE", "CH", written, client_is_public_body=True).to_business


def test_twenty_seven_members() -> None:
    """The United Kingdom left in 2020, Croatia joined in 2013; there are 27."""
    assert len(EU_MEMBERS) == 27
    assert "HR" in EU_MEMBERS and not {"GB", "CH", "NO", "EL", "XI", "MC"} & EU_MEMBERS


def test_countries_with_rules() -> None:
    """An issuer may sit in the EU, GB, CH, NO, US, CA, IN, AU, NZ, SG, JP and AE."""
    assert covered() == EU_MEMBERS | {"GB", "CH", "NO", "US", "CA", "IN", "AU", "NZ", "SG", "JP", "AE"}


@pytest.mark.parametrize(
    ("vat_id", "country"),
    [
        ("EL094259216", "GR"),
        ("el094259216", "GR"),
        ("ATU12345675", "AT"),
        ("XI980780684", "XI"),
        ("", ""),
        ("D", "D"),
    ],
)
def test_country_of_a_vat_id(vat_id: str, country: str) -> None:
    """A VAT id begins with its country, Greece with EL; nothing is made of too little."""
    assert vat_id_country(vat_id) == country


# The words of rule 46 CGST Rules 2017 and of Art. 226(11a) of the Directive are prescribed.
@pytest.mark.parametrize(
    ("code", "text"),
    [
        (NoteCode.NONE, ""),
        (NoteCode.REVERSE_CHARGE, "Reverse charge: the recipient is liable for VAT (Art. 1)"),
        (NoteCode.SUPPLIED_ABROAD, "Not taxable in DE: place of supply is the recipient's country (Art. 1)"),
        (NoteCode.SMALL_BUSINESS, "No GST is charged: small business (Art. 1)"),
        (NoteCode.EXEMPT, "Exempt from GST (Art. 1)"),
        (NoteCode.EXPORT, "GST 0 %: export of services (Art. 1)"),
        (
            NoteCode.EXPORT_UNDER_UNDERTAKING,
            (
                "Supply meant for export under bond or letter of undertaking without payment of integrated tax"
                " (undertaking N7)"
            ),
        ),
        (
            NoteCode.ZONE_UNDER_UNDERTAKING,
            (
                "Supply meant for supply to special economic zone unit or special economic zone developer"
                " for authorised operations under bond or letter of undertaking without payment of integrated tax"
                " (undertaking N7)"
            ),
        ),
        (NoteCode.CERTIFICATE, "Exempt from GST: certificate N7"),
    ],
)
def test_notes(code: NoteCode, text: str) -> None:
    """Every code has its words, with the article, the country, the tax and the number in their places."""
    assert english(code, article="Art. 1", home="DE", tax="GST", number="N7") == text
    assert set(ENGLISH) == set(NoteCode)


def test_codes_of_notes_stay() -> None:
    """Documents are translated by these codes, so none may be renamed."""
    assert {str(each) for each in NoteCode} == {
        "", "reverse-charge", "supplied-abroad", "small-business", "exempt", "export", "export-under-undertaking",
        "zone-under-undertaking", "certificate",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("home", "abroad", "remark"),
    [
        ("MC", "DE", "MC counts as FR (Art. 7(1) Directive 2006/112/EC)"),
        ("DE", "MC", "MC counts as FR (Art. 7(1) Directive 2006/112/EC)"),
        ("CH", "LI", "LI counts as CH (Art. 3(a) MWSTG; treaty of 28 October 1994)"),
        ("DE", "AX", "AX is part of FI"),
    ],
)
def test_other_law_is_told(home: str, abroad: str, remark: str) -> None:
    """Where another country's law decides than the one in the address, the reason says so."""
    number = {"DE": "DE136695976", "MC": "FR83404833048", "CH": "CHE-107.787.577 MWST"}
    facts = sale(home, abroad, number.get(abroad, ""), issuer_vat_id=number[home])
    decision = decide_tax(facts)
    assert isinstance(decision, TaxDecision), decision.why
    assert decision.why.endswith(f"; {remark}")


def test_evidence_about_another_number_is_none() -> None:
    """What VIES said about one number proves nothing about another; how the number is spaced does not matter."""
    said = IdEvidence(number="FR 40 303 265 045", valid=True, checked_on=DAY)
    assert isinstance(decide_tax(sale("DE", "FR", "FR40303265045", client_evidence=said)), TaxDecision)
    other = decide_tax(sale("DE", "FR", "FR83404833048", client_evidence=said))
    assert isinstance(other, TaxUnknown) and other.field == "vat_id" and "FR 40 303 265 045" in other.why


def test_reverse_charge_needs_the_vat_id_of_the_supplying_country() -> None:
    """An Austrian VAT id does not stand for a German supplier (Art. 214, 226(3))."""
    found = decide_tax(sale("DE", "FR", "FR40303265045", issuer_vat_id="ATU65883201"))
    assert isinstance(found, TaxUnknown) and found.field == "issuer"


@pytest.mark.parametrize(
    ("since", "until", "day", "holds"),
    [
        (None, None, date(2026, 1, 1), True),
        (date(2026, 1, 1), None, date(2025, 12, 31), False),
        (date(2026, 1, 1), None, date(2026, 1, 1), True),
        (None, date(2026, 6, 30), date(2026, 6, 30), True),
        (None, date(2026, 6, 30), date(2026, 7, 1), False),
    ],
)
def test_registrations_hold_on_both_their_days(
    since: date | None, until: date | None, day: date, holds: bool
) -> None:
    """The first and the last day of a registration belong to it."""
    assert Registration(country="DE", since=since, until=until).holds(day) is holds


def test_component_names_the_registration() -> None:
    """Each tax carries the number it is charged under: the one-stop shop's, the province's."""
    shop = Registration(country="IE", scheme=Scheme.OSS, number="EU372000041")
    facts = sale(
        "US",
        "DE",
        client_is_business=False,
        service=ServiceKind.SAAS,
        registrations=(shop,),
        issuer_vat_id="",
    )
    decision = decide_tax(facts)
    assert isinstance(decision, TaxDecision) and [each.number for each in decision.taxes] == ["EU372000041"]
    quebec = Registration(country="CA", region="QC", number="1234567890 TQ0001")
    facts = sale("CA", "CA", client_region="QC", issuer_vat_id="123456789 RT0001", registrations=(quebec,))
    decision = decide_tax(facts)
    assert isinstance(decision, TaxDecision)
    assert [each.number for each in decision.taxes] == ["123456789 RT0001", "1234567890 TQ0001"]


# BT-121, code list VATEX of EN 16931: none fits a German small business or a British sale abroad.
@pytest.mark.parametrize(
    ("home", "abroad", "vat_id", "scheme", "code"),
    [
        ("DE", "FR", "FR40303265045", Scheme.STANDARD, "VATEX-EU-AE"),
        ("DE", "CH", "", Scheme.STANDARD, "VATEX-EU-O"),
        ("DE", "DE", "", Scheme.STANDARD, ""),
        ("DE", "DE", "", Scheme.SMALL_BUSINESS, ""),
        ("FR", "FR", "", Scheme.SMALL_BUSINESS, "VATEX-FR-FRANCHISE"),
        ("GB", "CH", "", Scheme.STANDARD, ""),
    ],
)
def test_exemption_codes(home: str, abroad: str, vat_id: str, scheme: Scheme, code: str) -> None:
    """A code of the VATEX list stands where one fits, and only there."""
    held = (Registration(country=home, scheme=scheme, number="1"),)
    decision = decide_tax(sale(home, abroad, vat_id, registrations=held))
    assert isinstance(decision, TaxDecision)
    assert decision.exemption_code == code


# Rule 46(b) CGST Rules 2017: up to sixteen characters, letters, digits, hyphen, slash.
@pytest.mark.parametrize(
    ("number", "allowed"),
    [
        ("BLR/2026-27/0001", True),
        ("BLR/2026-27/00001", False),
        ("1", True),
        ("", False),
        ("BLR_1", False),
        ("BLR 1", False),
        ("बी1", False),
    ],
)
def test_numbers_in_india(number: str, allowed: bool) -> None:
    """An invoice number in India has at most sixteen characters of a small alphabet."""
    assert number_is_allowed(number) is allowed


def test_packaged_data_is_sound_and_is_looked_up_in_time() -> None:
    """No gap, no overlap; nothing due on the day of review, all of it once the last review date has come."""
    assert problems() == []
    assert due_for_review(date(2026, 11, 22)) == []
    norway = due_for_review(date(2027, 1, 1))
    assert len(norway) == 3 and all(each.startswith("NO ") for each in norway)
    everything = due_for_review(date(2027, 6, 30))
    assert len(everything) > 100 and everything[:3] == norway
    assert any(each.startswith("US TX ") for each in everything) and any(
        "CA NS" in each for each in everything
    )
