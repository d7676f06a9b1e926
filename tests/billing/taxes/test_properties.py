"""What holds for any facts at all: the rules answer, never raise, and never charge what they cannot cite."""

from datetime import date
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from billing.parties import EU_MEMBERS
from billing.taxes.categories import NO_TAX
from billing.taxes.decision import TaxDecision, TaxFacts, TaxUnknown, covered, decide_tax
from billing.taxes.facts import IdEvidence, Registration, Scheme, ServiceKind
from billing.taxes.notes import ENGLISH
from tests.billing.properties import examples
from tests.billing.taxes.worked_cases import configured

RATES = configured()
PLACES = [
    *sorted(covered()),
    "MC",
    "IM",
    "LI",
    "XI",
    "EL",
    "UK",
    "AX",
    "RE",
    "IC",
    "SJ",
    "JE",
    "SA",
    "BR",
    "",
    "??",
]
REGIONS = ["", "TX", "NY", "QC", "ON", "BC", "MB", "NS", "TF", "20", "01", "27", "KA", "zz", "\0"]
NUMBERS = [
    "", "D", "DE136695976", "ATU12345675", "FR40303265045", "EL094259216", "27AAPFU0939F1ZV", "123456789 RT0001",
    "XI980780684", "CHE-107.787.577 MWST", "  ", "�",
]  # fmt: skip

countries = st.sampled_from(PLACES) | st.text(max_size=3)
regions = st.sampled_from(REGIONS) | st.text(max_size=3)
numbers = st.sampled_from(NUMBERS) | st.text(max_size=20)
days = st.dates(date(1, 1, 1), date(9999, 12, 31)) | st.dates(date(2019, 1, 1), date(2027, 12, 31))
registrations = st.builds(
    Registration,
    country=st.sampled_from([each for each in PLACES if each.isalpha()]),
    region=regions,
    scheme=st.sampled_from(Scheme),
    number=numbers,
    since=st.none() | days,
    until=st.none() | days,
    established=st.booleans(),
    article=st.sampled_from(["", "§ 1"]),
    undertaking=st.sampled_from(["", "AD27"]),
)
evidence = st.builds(IdEvidence, number=numbers, valid=st.booleans(), checked_on=days)
facts_of_any_kind = st.builds(
    TaxFacts,
    issuer_country=countries,
    issuer_vat_id=numbers,
    issuer_region=regions,
    issuer_postcode=st.sampled_from(["", "35001", "6991", "9170", "97400"]) | st.text(max_size=6),
    client_country=countries,
    client_vat_id=numbers,
    client_is_business=st.booleans(),
    client_is_public_body=st.booleans(),
    client_in_special_zone=st.booleans(),
    client_region=regions,
    client_postcode=st.sampled_from(["", "75201", "78266", "35001", "9000-064"]) | st.text(max_size=6),
    registrations=st.lists(registrations, max_size=4).map(tuple),
    client_evidence=st.none() | evidence,
    exemption_certificate=st.sampled_from(["", "C1"]),
    service=st.sampled_from(ServiceKind),
    performed_in=st.sampled_from(["", "online", "DE", "FR", "GB", "CA", "zz"]),
    supplied_from=st.sampled_from(["", "", "", "AT", "DE", "zz"]),
    reduced_rate=st.sampled_from(["", "", "reduced 7", "none such"]),
    tax_point=days,
)


@examples(500)
@given(facts_of_any_kind)
def test_every_question_has_an_answer(facts: TaxFacts) -> None:
    """Never an exception; the same facts always give the same answer; a stop names a reason and the next step."""
    outcome = decide_tax(facts, RATES)
    assert outcome == decide_tax(facts.model_copy(deep=True), RATES)
    if isinstance(outcome, TaxUnknown):
        assert outcome.reason.strip() and outcome.next_step.strip() and outcome.field
        assert outcome.why == f"{outcome.reason}; {outcome.next_step}"
        return
    assert outcome.article and all(outcome.sources)
    assert outcome.why.startswith(f"{outcome.category}: ")
    assert len(outcome.sources) >= 1
    assert bool(outcome.note) == (ENGLISH[outcome.note_code] != "")
    assert outcome.rate == outcome.taxes[0].rate
    if outcome.category in NO_TAX:
        assert [each.rate for each in outcome.taxes] == [0]
    else:
        assert outcome.note == ""
        for each in outcome.taxes:
            assert each.category == "S" and each.name and 0 < each.rate <= 30 and 0 < each.share <= 100


@examples(150)
@given(facts_of_any_kind)
def test_nothing_is_charged_without_rates(facts: TaxFacts) -> None:
    """With an empty table of rates the rules stop wherever they would charge; no figure stands in the code."""
    outcome = decide_tax(facts, RATES)
    bare = decide_tax(facts, type(RATES)(()))
    if isinstance(outcome, TaxDecision) and outcome.category == "S":
        assert isinstance(bare, TaxUnknown)
    else:
        assert bare == outcome


@examples(150)
@given(facts_of_any_kind, st.permutations(range(4)))
def test_order_of_registrations_is_irrelevant(facts: TaxFacts, order: list[int]) -> None:
    """Whichever registration is written down first, the tax is the same."""
    shuffled = tuple(facts.registrations[n] for n in order if n < len(facts.registrations))
    one, other = (
        decide_tax(facts, RATES),
        decide_tax(facts.model_copy(update={"registrations": shuffled}), RATES),
    )
    assert isinstance(one, TaxDecision) == isinstance(other, TaxDecision)
    if isinstance(one, TaxDecision) and isinstance(other, TaxDecision):
        assert [(each.name, each.rate) for each in one.taxes] == [
            (each.name, each.rate) for each in other.taxes
        ]
        assert one.category == other.category


@examples(150)
@given(
    st.sampled_from(sorted(EU_MEMBERS)),
    st.sampled_from(sorted(EU_MEMBERS)),
    st.sampled_from(ServiceKind),
    days,
)
def test_between_businesses_one_side_pays(home: str, abroad: str, service: ServiceKind, day: date) -> None:
    """Businesses in two member states: nothing is charged; at home a rate of that state, or somebody is asked."""
    prefix = {"GR": "EL"}
    facts = TaxFacts(
        issuer_country=home,
        issuer_vat_id=f"{prefix.get(home, home)}1",
        client_country=abroad,
        client_vat_id=f"{prefix.get(abroad, abroad)}2",
        client_is_business=True,
        service=service,
        tax_point=day,
    )
    outcome = decide_tax(facts)
    if service is ServiceKind.EVENT:
        assert isinstance(outcome, TaxUnknown)
    elif home == abroad:
        assert isinstance(outcome, TaxUnknown) or Decimal(15) <= outcome.rate <= Decimal(27)
    else:
        assert isinstance(outcome, TaxDecision) and outcome.category == "AE"
