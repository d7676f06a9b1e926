"""Which tax applies: issuer and client country, VAT id, business or consumer; and why."""

from decimal import Decimal

import pytest

from billing.parties import EU_MEMBERS
from billing.taxes.decision import TaxDecision, TaxFacts, TaxUnknown, decide_tax, vat_id_country

VAT_IDS = {"DE": "DE136695976", "AT": "ATU65883201"}


def decide(
    home: str, abroad: str, vat_id: str = "", *, business: bool = True, own_vat_id: str | None = None
) -> TaxDecision | TaxUnknown:
    return decide_tax(
        TaxFacts(
            issuer_country=home,
            issuer_vat_id=VAT_IDS.get(home, "") if own_vat_id is None else own_vat_id,
            client_country=abroad,
            client_vat_id=vat_id,
            client_is_business=business,
        )
    )


# Place of supply: Art. 44 (business) of Directive 2006/112/EC; liable recipient: Art. 196.
# Standard rates: § 12(1) UStG 19 %, § 10(1) UStG 1994 (Austria) 20 %.
@pytest.mark.parametrize(
    ("home", "abroad", "vat_id", "business", "category", "rate", "article"),
    [
        ("DE", "DE", "DE129273398", True, "S", 19, "§ 12(1) UStG"),
        ("DE", "DE", "", True, "S", 19, "§ 12(1) UStG"),
        ("DE", "DE", "", False, "S", 19, "§ 12(1) UStG"),
        ("AT", "AT", "ATU12345675", True, "S", 20, "§ 10(1) UStG 1994"),
        ("AT", "AT", "", False, "S", 20, "§ 10(1) UStG 1994"),
        ("DE", "AT", "ATU12345675", True, "AE", 0, "Art. 196"),
        ("AT", "DE", "DE129273398", True, "AE", 0, "Art. 196"),
        ("DE", "FR", "FR40303265045", True, "AE", 0, "Art. 196"),
        ("DE", "NL", "NL004495445B01", True, "AE", 0, "Art. 196"),
        ("DE", "GR", "EL094259216", True, "AE", 0, "Art. 196"),  # Greece writes EL
        ("DE", "FR", "fr40303265045", True, "AE", 0, "Art. 196"),
        ("DE", "CH", "CHE-123.456.788 MWST", True, "O", 0, "Art. 44"),
        ("DE", "GB", "GB980780684", True, "O", 0, "Art. 44"),
        ("DE", "US", "", True, "O", 0, "Art. 44"),
        ("AT", "IN", "27AAPFU0939F1ZV", True, "O", 0, "Art. 44"),
        ("DE", "CA", "123456782RT0001", True, "O", 0, "Art. 44"),
        (
            "DE",
            "MX",
            "DEL850101AB1",
            True,
            "O",
            0,
            "Art. 44",
        ),  # a Mexican number that begins like a German one
    ],
)
def test_decided(
    home: str, abroad: str, vat_id: str, business: bool, category: str, rate: int, article: str
) -> None:
    """Domestic is standard; a business in the EU with its VAT id owes the tax itself; outside the EU it is theirs."""
    decision = decide(home, abroad, vat_id, business=business)
    assert isinstance(decision, TaxDecision)
    assert (decision.category, decision.rate) == (category, Decimal(rate))
    assert article in decision.why
    assert decision.why.startswith(f"{category}: ")
    assert (abroad if category != "S" else home) in decision.why


@pytest.mark.parametrize(
    ("home", "abroad", "vat_id", "business", "says"),
    [
        ("DE", "FR", "", True, "no VAT id"),
        ("DE", "FR", "", False, "consumer in FR"),
        ("DE", "US", "", False, "consumer in US"),
        ("DE", "FR", "FR40303265045", False, "consumer in FR"),
        ("DE", "FR", "DE129273398", True, "begins with DE"),
        ("DE", "FR", "40303265045", True, "begins with 40"),
        (
            "DE",
            "DE",
            "ATU12345675",
            True,
            "begins with AT",
        ),  # Art. 22 Regulation (EU) 282/2011: the id is evidence
        ("AT", "AT", "DE129273398", True, "begins with DE"),
        ("FR", "FR", "", True, "issuer in FR"),
        ("US", "DE", "DE129273398", True, "issuer in US"),
        ("", "DE", "DE129273398", True, "issuer"),
    ],
)
def test_unknown_means_stop(home: str, abroad: str, vat_id: str, business: bool, says: str) -> None:
    """Where a fact is missing or two contradict each other nothing is guessed, and the reason names the fact."""
    found = decide(home, abroad, vat_id, business=business)
    assert isinstance(found, TaxUnknown)
    assert says in found.why


def test_reverse_charge_needs_our_own_vat_id() -> None:
    """The invoice must show the supplier's VAT id (Art. 226(3)); without one reverse charge is not decided."""
    found = decide("DE", "FR", "FR40303265045", own_vat_id="")
    assert isinstance(found, TaxUnknown) and "issuer" in found.why
    assert isinstance(decide("DE", "DE", own_vat_id=""), TaxDecision)


@pytest.mark.parametrize("country", sorted(EU_MEMBERS - {"DE"}))
def test_reverse_charge_in_every_member_state(country: str) -> None:
    """A business with a VAT id in any other member state gets a reverse charge invoice that says so (Art. 226(11a))."""
    prefix = "EL" if country == "GR" else country
    decision = decide("DE", country, f"{prefix}123456789")
    assert isinstance(decision, TaxDecision) and decision.category == "AE"
    assert decision.note.startswith("Reverse charge")


def test_twenty_seven_members() -> None:
    """The United Kingdom left in 2020, Croatia joined in 2013; there are 27."""
    assert len(EU_MEMBERS) == 27
    assert "HR" in EU_MEMBERS and not {"GB", "CH", "NO", "EL", "XI"} & EU_MEMBERS


def test_domestic_supplies_need_no_note() -> None:
    """Words about tax stand on the document only where no tax is charged."""
    domestic, abroad = decide("DE", "DE"), decide("DE", "US")
    assert isinstance(domestic, TaxDecision) and domestic.note == ""
    assert isinstance(abroad, TaxDecision) and "Art. 44" in abroad.note


@pytest.mark.parametrize(
    ("vat_id", "country"),
    [("EL094259216", "GR"), ("el094259216", "GR"), ("ATU12345675", "AT"), ("", ""), ("D", "D")],
)
def test_country_of_a_vat_id(vat_id: str, country: str) -> None:
    """A VAT id begins with its country, Greece with EL; nothing is made of too little."""
    assert vat_id_country(vat_id) == country
