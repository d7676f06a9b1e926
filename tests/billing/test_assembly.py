"""From a request and what the sources say to a draft, or to findings a person understands."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.agreements import Agreement, Occasion
from billing.assembly import Assembly, assemble, client_of
from billing.document_check import sums
from billing.exceptions import ReasonCode
from billing.periods import Period
from billing.source_checks import MAX_LINES
from billing.sources import Sources
from tests.billing.assembling import (
    JANUARY,
    TODAY,
    billed_by_hand,
    care,
    codes,
    draft_of,
    found,
    hours,
    made,
    only,
    requested,
)
from tests.billing.properties import examples
from tests.billing.records import (
    company,
    contract,
    crm_client,
    deal,
    fixed_price,
    milestone,
    milestones,
    prepaid_block,
    project,
    retainer,
    time_and_materials,
    worked,
)

# --- drafts -----------------------------------------------------------------------------------------------------------


def test_a_retainer() -> None:
    """1,000.00 for January with 19 % VAT (§ 12(1) UStG) is 1,190.00, on the client's terms."""
    assembly = care(retainer(contract="CT-1", order_reference="PO 7"), contract=contract("1000.00"))
    draft = draft_of(assembly)
    assert assembly.findings == ()
    assert (draft.net, draft.tax, draft.gross) == (Decimal("1000.00"), Decimal("190.00"), Decimal("1190.00"))
    assert str(draft.amount_due) == "EUR 1,190.00"
    assert draft.billing_key == "care/fee/2026-01-01"
    assert draft.supply == JANUARY
    assert str(draft.terms) == "net 14 days"
    assert (draft.contract_reference, draft.order_reference) == ("CT-1", "PO 7")
    assert draft.buyer.contact.email == "ap@client.example"


@pytest.mark.parametrize(
    ("agreement", "item", "sources", "net", "supplied", "source"),
    [
        (milestones(), "design", {"milestone": milestone(signed_off="2026-01-20")}, "3200.00", "2026-01-20",
         ("psa/milestone", "P-1/design")),
        (fixed_price(), "price", {"project": project(completed="2026-01-30")}, "9200.00", "2026-01-30",
         ("psa/project", "P-1")),
        (prepaid_block(), "block-1", {}, "2000.00", "2026-02-03", None),  # paid in advance: the day of billing
    ],
)  # fmt: skip
def test_work_billed_as_a_whole(
    agreement: Agreement,
    item: str,
    sources: dict[str, Any],
    net: str,
    supplied: str,
    source: tuple[str, str] | None,
) -> None:
    """Milestone, project and block bill their price, dated when the work was done, each naming what it bills."""
    assembly = made(agreement, item, **sources)
    draft = draft_of(assembly)
    assert assembly.findings == ()
    assert draft.net == Decimal(net)
    day = date.fromisoformat(supplied)
    assert draft.supply == Period(start=day, end=day)
    (line,) = draft.lines
    assert [(each.source, each.id) for each in line.sources] == ([source] if source else [])


def test_hours_are_grouped_by_person_and_role() -> None:
    """One line a person and role, oldest entry first, each entry named: 7.5 and 8 hours at 120, 4 at 95."""
    draft = draft_of(
        hours(
            worked("T-3", "8", day="2026-01-14"),
            worked("T-1", "7.50", day="2026-01-12"),
            worked("T-2", "4", "junior", "Jo", "2026-01-13"),
            worked("T-4", "2", "junior", "Mira", "2026-01-15"),
        )
    )
    lines = [(each.detail, each.description, each.quantity, each.net) for each in draft.lines]
    assert lines == [
        ("Mira", "Development: senior", Decimal("15.50"), Decimal("1860.00")),
        ("Jo", "Development: junior", Decimal(4), Decimal("380.00")),
        ("Mira", "Development: junior", Decimal(2), Decimal("190.00")),
    ]
    assert [[each.id for each in line.sources] for line in draft.lines] == [["T-1", "T-3"], ["T-2"], ["T-4"]]
    assert (draft.net, draft.tax, draft.gross) == (Decimal("2430.00"), Decimal("461.70"), Decimal("2891.70"))


def test_hours_that_are_not_billed() -> None:
    """Unapproved and non-billable hours stand on no line; only the unapproved ones hold the invoice."""
    assembly = hours(
        worked("T-1", "8"),
        worked("T-2", "3", approved=False),
        worked("T-3", "5", billable=False),
        worked("T-4", "1", "intern", billable=False),
    )
    assert [[each.id for each in line.sources] for line in draft_of(assembly).lines] == [["T-1"]]
    assert codes(assembly) == ["hours-unapproved"]


def test_the_order_of_entries_changes_nothing() -> None:
    """However the PSA sorts its entries, the draft is the same and keeps its digest."""
    entries = [worked(f"T-{n}", "1", person=who, day=f"2026-01-{n + 10}") for n, who in enumerate("ABABC")]
    assert draft_of(hours(*entries)).digest == draft_of(hours(*reversed(entries))).digest


def test_a_one_off() -> None:
    """A person's lines are billed as written: 3 × 33.33 and a discount of 9.99, with 19 % on 90.00."""
    draft = draft_of(billed_by_hand(("3", "33.33"), ("1", "-9.99"), supplied_on="2026-01-09"))
    assert (draft.net, draft.tax, draft.gross) == (Decimal("90.00"), Decimal("17.10"), Decimal("107.10"))
    assert draft.supply == Period(start=date(2026, 1, 9), end=date(2026, 1, 9))
    assert draft.agreement is None and draft.lines[0].why == "asked by mail"


def test_terms_of_the_agreement_come_first() -> None:
    """Terms agreed for one contract replace the client's and are marked as not the usual ones."""
    draft = draft_of(care(retainer(terms={"net_days": 30})))
    assert str(draft.terms) == "net 30 days" and draft.non_standard_terms
    assert not draft_of(care(retainer(terms={"net_days": 14}))).non_standard_terms


def test_a_discount_is_an_allowance_on_the_whole() -> None:
    """12.5 % off 1,000.01 is 125.00 (125.00125), so net is 875.01, tax 166.25 (166.2519), gross 1,041.26."""
    draft = draft_of(care(retainer(amount="1000.01", discount="12.5")))
    (allowance,) = draft.allowances
    assert [each.net for each in draft.lines] == [Decimal("1000.01")]
    assert (allowance.amount, allowance.base) == (Decimal("125.00"), Decimal("1000.01"))
    assert (draft.net, draft.tax, draft.gross) == (Decimal("875.01"), Decimal("166.25"), Decimal("1041.26"))
    assert (allowance.reason, allowance.reason_code) == ("Discount 12.5 %", "95")


def test_copies_go_to_each_address_once() -> None:
    """Addresses of the CRM and of the company are put together without repeating one."""
    here = company(retainer(), delivery={"copies_to": ["books@issuer.example", "boss@client.example"]})
    request = requested(Occasion(agreement="care", item="fee", period=JANUARY))
    sources = found(client=crm_client(copies_to=["boss@client.example"]))
    assert draft_of(assemble(request, here, sources, TODAY)).copies_to == (
        "boss@client.example",
        "books@issuer.example",
    )


# --- findings ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "code", "says"),
    [
        (lambda: care(client=None), "client-unknown", "the CRM has no company 'C-1'"),
        (lambda: care(client=crm_client(active=False)), "client-inactive", "client 'acme' is not active in the CRM"),
        (lambda: care(client=crm_client(billing_contact=None)), "no-contact", "client 'acme' has no billing contact"),
        (lambda: care(client=crm_client(copies_to=["boss"])), "no-contact", "'boss' is not an e-mail address"),
        (lambda: care(retainer(contract="CT-1")), "not-signed", "no signed contract 'CT-1' for agreement 'care'"),
        (lambda: care(retainer(deal="D-1")), "sources-differ", "the CRM has no deal 'D-1'"),
        (lambda: care(client=crm_client(vat_id="ATU12345675")), "tax-unknown", "in DE but its VAT id begins with AT"),
        (lambda: hours(worked("T-1", "8"), worked("T-2", "8", "architect")), "rate-missing",
         "no rate is agreed for the role 'architect'; agreed are: junior, senior (1 entry: T-2 of 2026-01-12)"),
        (lambda: hours(worked("T-1", "8"), worked("T-2", "3.5", approved=False)), "hours-unapproved",
         "3.5 hours of 2026-01-01 to 2026-01-31 are not approved in the PSA (1 entry: T-2 of 2026-01-12)"),
        (lambda: hours(worked("T-1", "8"), worked("T-2", "1", approved=False)), "hours-unapproved",
         "1 hour of 2026-01-01 to 2026-01-31 is not approved"),
        (lambda: hours(worked("T-1", "8"), worked("T-2", "-2")), "sources-differ",
         "time entry T-2 of 2026-01-12 has -2 hours; correct it in the PSA"),
        (lambda: hours(worked("T-1", "8"), worked("T-2", "8", day="2026-02-04")), "sources-differ",
         "time entry T-2 is of 2026-02-04, which is still to come; correct it in the PSA"),
        (lambda: hours(worked("T-1", "8"), worked("T-2", "3"), cap="1319.99"), "scope-exceeded",
         "1,320.00 EUR exceed the cap of 1,319.99 a period"),
        (lambda: made(time_and_materials(), "time", JANUARY, project=project()), "empty", "there is nothing to bill"),
        (lambda: hours(worked("T-1", "8", billable=False)), "empty", "there is nothing to bill"),
        (lambda: billed_by_hand(("1", "100"), ("1", "-100")), "empty", "there is nothing to bill"),
        (lambda: made(milestones(), "design"), "not-done", "milestone 'design' of project 'P-1' is not signed off"),
        (lambda: made(milestones(), "design", milestone=milestone()), "not-done", "milestone 'design'"),
        (lambda: made(fixed_price(), "price", project=project()), "not-done", "'P-1' is not completed in the PSA"),
        (lambda: made(fixed_price(), "price"), "not-done", "project 'P-1' is not completed"),
        (lambda: care(retainer(deal="D-1"), deal=deal("1000.00", client="C-9")), "sources-differ",
         "client differs: CRM C-9 against agreement C-1"),
        (lambda: made(fixed_price(), "price", project=project(client="C-9", completed="2026-01-30")), "sources-differ",
         "client differs: PSA C-9 against agreement C-1"),
        (lambda: care(retainer(contract="CT-1"), contract=contract("1000.00", currency="CHF")), "sources-differ",
         "currency differs: contract CHF against agreement EUR"),
    ],
)  # fmt: skip
def test_what_does_not_fit(make: Callable[[], Assembly], code: str, says: str) -> None:
    """Each thing that does not fit is one finding with its reason code, and says what, where and what to do."""
    finding = only(make())
    assert finding.code.value == code
    assert says in finding.message


@pytest.mark.parametrize("cap", ["1320.00", "1320.01"])
def test_a_cap_that_is_reached_is_not_exceeded(cap: str) -> None:
    """Eleven hours at 120 reach a cap of 1,320.00 and are billed."""
    assert hours(worked("T-1", "11"), cap=cap).findings == ()


def test_the_crm_says_8500_and_the_contract_9200() -> None:
    """A deal of 8,500 against a signed contract of 9,200 holds the invoice and names both systems and the 700.00."""
    assembly = made(
        fixed_price(contract="CT-1", deal="D-1"),
        "price",
        deal=deal("8500"),
        contract=contract("9200.00"),
        project=project(completed="2026-01-30"),
    )
    finding = only(assembly)
    assert finding.code is ReasonCode.SOURCES_DIFFER
    assert (finding.field, finding.left, finding.right) == (
        "value",
        "CRM 8,500.00 EUR",
        "contract 9,200.00 EUR",
    )
    assert finding.message.startswith(
        "value differs: CRM 8,500.00 EUR against contract 9,200.00 EUR, a difference of 700.00 EUR; "
    )


def test_an_agreement_that_differs_from_its_contract() -> None:
    """When deal and agreement say 9,200 and the contract 9,500, both are named: the contract is what was signed."""
    assembly = made(
        fixed_price(contract="CT-1", deal="D-1"),
        "price",
        deal=deal("9200"),
        contract=contract("9500"),
        project=project(completed="2026-01-30"),
    )
    assert [(each.left, each.right) for each in assembly.findings] == [
        ("CRM 9,200.00 EUR", "contract 9,500.00 EUR"),
        ("agreement 9,200.00 EUR", "contract 9,500.00 EUR"),
    ]


def test_milestones_are_compared_as_a_whole() -> None:
    """The contract is signed over all milestones: 3,200 and 6,000 are 9,200."""
    signed = milestone(signed_off="2026-01-20")
    shop = milestones(contract="CT-1")
    assert made(shop, "design", milestone=signed, contract=contract("9200")).findings == ()
    assert (
        only(made(shop, "design", milestone=signed, contract=contract("3200"))).left
        == "agreement 9,200.00 EUR"
    )


def test_amounts_in_messages_have_the_decimals_of_the_currency() -> None:
    """A fils is a thousandth of a dinar: a difference of one is told as 0.001, and yen have no decimals."""
    gulf = care(
        retainer(currency="KWD", amount="1000.001", deal="D-1"), deal=deal("1000.002", currency="KWD")
    )
    assert (
        "CRM 1,000.002 KWD against agreement 1,000.001 KWD, a difference of 0.001 KWD;"
        in gulf.findings[0].message
    )
    tokyo = care(retainer(currency="JPY", amount="9200", deal="D-1"), deal=deal("8500", currency="JPY"))
    assert "CRM 8,500 JPY against agreement 9,200 JPY, a difference of 700 JPY;" in tokyo.findings[0].message
    odd = care(retainer(deal="D-1"), deal=deal("1000.004"))
    assert "CRM 1,000.004 EUR against agreement 1,000.00 EUR, a difference of 0.004 EUR;" in only(odd).message


def test_a_value_in_another_currency_keeps_its_currency() -> None:
    """A deal of CHF 8,500 is not told as EUR, and no difference is reckoned between the two."""
    swiss = care(retainer(deal="D-1"), deal=deal("8500", currency="CHF"))
    assert [finding.field for finding in swiss.findings] == ["currency", "value"]
    value = swiss.findings[1]
    assert (value.left, value.right) == ("CRM 8,500.00 CHF", "agreement 1,000.00 EUR")
    assert "a difference of" not in value.message


def test_accepting_one_time_entry_accepts_no_other() -> None:
    """Findings about different entries are different findings: what is accepted for one does not cover the next."""
    first = only(hours(worked("T-1", "8"), worked("T-2", "-2")))
    other = only(hours(worked("T-1", "8"), worked("T-9", "-500")))
    assert first.identity != other.identity


def test_several_findings_at_once() -> None:
    """Everything that does not fit is told in one go, so that it is repaired in one go; there is no draft."""
    assembly = assemble(
        requested(Occasion(agreement="hours", item="time", period=JANUARY)),
        company(time_and_materials(contract="CT-1", deal="D-1")),
        Sources(
            client=crm_client(active=False, billing_contact=None, vat_id="ATU12345675"),
            time_entries=(worked("T-1", "2", approved=False), worked("T-2", "2", "architect")),
        ),
        TODAY,
    )
    assert assembly.draft is None
    assert codes(assembly) == [
        "client-inactive",
        "no-contact",
        "not-signed",
        "sources-differ",
        "hours-unapproved",
        "rate-missing",
        "tax-unknown",
        "empty",
    ]


def test_findings_a_person_may_accept_come_with_a_draft() -> None:
    """Where only the amount is in doubt the draft is there to look at."""
    assembly = hours(worked("T-1", "11"), cap="1000")
    assert codes(assembly) == ["scope-exceeded"]
    assert draft_of(assembly).net == Decimal("1320.00")


def test_fifteen_hundred_lines_and_one() -> None:
    """A document of 1,500 lines is made; one more line holds the invoice."""
    assert billed_by_hand(*[("1", "1.00")] * MAX_LINES).findings == ()
    assembly = billed_by_hand(*[("1", "1.00")] * (MAX_LINES + 1))
    assert codes(assembly) == ["too-many-lines"]
    assert "1,501 lines do not fit one document (at most 1,500)" in only(assembly).message


def test_what_is_not_in_the_company_folder_any_more() -> None:
    """An agreement, client or issuer that was taken out of the folder is named, not guessed."""
    gone = assemble(
        requested(Occasion(agreement="care", item="fee", period=JANUARY)), company(), found(), TODAY
    )
    assert (gone.draft, only(gone).code.value) == (None, "rules-changed")
    assert "agreement 'care' is not in the company folder any more" in only(gone).message
    nobody = assemble(
        requested(Occasion(agreement="care", item="fee", period=JANUARY)),
        company(retainer(client="bygone")),
        found(),
        TODAY,
    )
    assert "client 'bygone' of agreement 'care', or its issuer, is not" in only(nobody).message
    assert (
        "client 'bygone', or its issuer, is not" in only(billed_by_hand(("1", "1"), client="bygone")).message
    )


def test_whose_request_it_is() -> None:
    """A request is about the client of its agreement or one-off; about nobody when the agreement is gone."""
    request = requested(Occasion(agreement="care", item="fee", period=JANUARY))
    assert client_of(request, company(retainer())) == "acme"
    assert client_of(request, company()) is None


# --- sums -------------------------------------------------------------------------------------------------------------

figures = st.tuples(st.integers(1, 10**6), st.integers(-(10**7), 10**7)).map(
    lambda pair: (str(Decimal(pair[0]).scaleb(-2)), str(Decimal(pair[1]).scaleb(-3)))
)


@given(
    st.lists(figures, min_size=1, max_size=12),
    st.sampled_from(["EUR", "JPY", "KWD"]),
    st.sampled_from(["0", "3", "12.5"]),
)
@examples(150)
def test_sums_add_up(lines: Sequence[tuple[str, str]], currency: str, discount: str) -> None:
    """Net is the sum of the lines, tax is net × rate rounded once, gross is net and tax: BR-CO-10, -13, -15, -17."""
    unit = {"EUR": Decimal("0.01"), "JPY": Decimal(1), "KWD": Decimal("0.001")}[currency]
    draft = billed_by_hand(*lines, currency=currency, discount=discount).draft
    assert draft is not None
    assert draft.net == sum(line.net for line in draft.lines) - sum(each.amount for each in draft.allowances)
    assert not list(sums(draft))
    for line in draft.lines:
        assert line.net == (line.quantity * line.unit_price).quantize(unit, ROUND_HALF_UP)
    assert draft.gross == draft.net + draft.tax
    assert draft.tax == sum(each.tax for each in draft.taxes)
    (tax,) = draft.taxes
    assert tax.taxable == draft.net
    assert tax.tax == (draft.net * 19 / 100).quantize(unit, ROUND_HALF_UP)
    assert all(figure == figure.quantize(unit) for figure in (draft.net, draft.tax, draft.gross))
