"""HubSpot: what an account says becomes clients and deals, as HubSpot's own client reads it, or is refused by name."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import hubspot as official
import pytest

from activities.crm.hubspot import HubSpot
from activities.providers.provider import Told
from billing.connections import Connection
from billing.errors import SourceFaulty, SourceUnavailable
from billing.parties import Address, Contact
from billing.sources import CrmClient, CrmDeal
from tests.activities.crm.hubspot_account import (
    ACME,
    CONTACT,
    DEAL,
    ITEM,
    OWNER,
    TOKEN,
    HubSpotAccount,
    pipeline,
)
from tests.activities.psa.counterpart import HTML, Answer, limited
from tests.activities.vendor_description import check_described, described

SHOWN = ("invoice_number", "invoice_status", "invoice_link", "invoices")


@pytest.fixture
def account() -> Iterator[HubSpotAccount]:
    account = HubSpotAccount(page=2).example()
    with account.server:
        yield account
    assert account.server.refused == []


def hubspot(
    account: HubSpotAccount, fields: dict[str, str] | None = None, token: str = TOKEN, **settings: str
) -> HubSpot:
    out = {f"deal.{each}" for each in SHOWN}
    mapped = [
        {"ours": ours, "theirs": theirs, "direction": "out" if ours in out else "in"}
        for ours, theirs in (fields or {}).items()
    ]
    record = {"id": "hs", "provider": "hubspot", "port": "crm", "base_url": account.server.url}
    return HubSpot(
        Connection.model_validate(record | {"fields": mapped, "settings": settings}), {"access_token": token}
    )


def test_published_example(account: HubSpotAccount) -> None:
    """The company, contact, deal and owner of HubSpot's own examples."""
    crm = hubspot(account)
    assert crm.client(ACME) == CrmClient(
        id=ACME,
        name="Acme GmbH",
        address=Address(street="Invalidenstr. 1", postcode="10115", city="Berlin", country="DE"),
        billing_contact=Contact(name="Ada Example", email="ap@acme.example"),
    )
    assert crm.deal(DEAL) == CrmDeal(
        id=DEAL,
        client=ACME,
        value=Decimal("12500.00"),
        currency="EUR",
        won=True,
        won_on=date(2026, 2, 1),
        owner="sam@issuer.example",
    )


def test_as_the_official_client_reads_it(account: HubSpotAccount) -> None:
    """The server is one that HubSpot's client understands, and both read the same out of it."""
    account.company("550002", name="Beta SARL", country="France")
    account.deal("9870002", "550002", amount="0.10", dealstage="qualifiedtobuy")
    client = official.Client.create(access_token=TOKEN)
    companies, deals, owners = (
        client.crm.companies.basic_api,
        client.crm.deals.basic_api,
        client.crm.owners.owners_api,
    )
    for api in (companies, deals, owners):
        api.api_client.configuration.host = account.server.url
    crm = hubspot(account)
    for mine in crm.clients():
        theirs = companies.get_by_id(mine.id, properties=["name", "address", "city", "zip"])
        assert theirs.properties["name"] == mine.name
        where = mine.address
        assert [theirs.properties[each] for each in ("address", "city", "zip")] == [
            where.street,
            where.city,
            where.postcode,
        ]
    page = deals.get_page(limit=2, properties=["amount", "dealstage", "hubspot_owner_id"])
    assert [each.id for each in crm.deals()] == [each.id for each in page.results]
    for mine_, theirs_ in zip(crm.deals(), page.results, strict=True):
        assert mine_.value == Decimal(theirs_.properties["amount"])
        assert mine_.won == (theirs_.properties["dealstage"] == "closedwon")
        assert mine_.owner == owners.get_page().results[0].email


def test_by_the_vendors_description(account: HubSpotAccount, tmp_path: Path) -> None:
    """Every request of ours that HubSpot's description knows is one it allows."""
    account.define("deals", "invoice")
    crm = hubspot(account, {"deal.invoice_number": "deal.invoice"}, value="line items")
    with described("hubspot.yaml", tmp_path) as url:
        assert crm.client(ACME) and crm.deal(DEAL)
        crm.write_back(told())
        known = check_described(
            url, [each for each in account.server.asked if "owners" not in each.path]
        )  # it knows one
    assert known >= {
        f"GET /crm/v3/objects/companies/{ACME}",
        f"GET /crm/v3/objects/deals/{DEAL}",
        f"PATCH /crm/v3/objects/deals/{DEAL}",
        "POST /crm/v3/objects/line_items/batch/read",
        "GET /crm/v3/pipelines/deals",
    }


def test_every_page(account: HubSpotAccount) -> None:
    """Companies, contacts, associations and owners come complete, however many pages they fill, sorted by id."""
    for n in range(2, 206):
        account.company(str(550000 + n), name=f"Company {n}")
        account.contact(str(660000 + n), str(550000 + n), "Billing contact", email=f"c{n}@client.example")
        account.deal(str(9870000 + n), str(550000 + n), hubspot_owner_id=str(n))
        account.owner(str(n), f"owner{n}@issuer.example", archived=n % 2 == 0)
    account.page = 40
    crm = hubspot(account)
    clients = crm.clients()
    assert [each.id for each in clients] == [str(550000 + n) for n in range(1, 206)]
    assert [each.billing_contact.email for each in clients[1:] if each.billing_contact] == [
        f"c{n}@client.example" for n in range(2, 206)
    ]
    deals = crm.deals()
    assert [(each.client, each.owner) for each in deals[1:]] == [
        (str(550000 + n), f"owner{n}@issuer.example") for n in range(2, 206)
    ]


def test_every_contact(account: HubSpotAccount) -> None:
    """The contacts of one company come complete, however many pages of associations they fill."""
    for n in range(1, 8):
        account.contact(str(670000 + n), ACME, "Invoice copies", email=f"copy{n}@acme.example")
    found = hubspot(account).client(ACME)
    assert found and found.copies_to == tuple(f"copy{n}@acme.example" for n in range(1, 8))


def test_nothing_there() -> None:
    """An empty account has no clients and no deals, and its samples are without values and problems."""
    empty = HubSpotAccount()
    with empty.server:
        crm = hubspot(empty)
        assert (crm.clients(), crm.deals(), crm.client("1"), crm.deal("1")) == ((), (), None, None)
        assert {(each.value, each.problem) for each in crm.samples()} == {("", "")}
    assert empty.server.refused == []


@pytest.mark.parametrize("id_", ["", "999", "C-1", "../550001", "550001?x=1", "５５０００１"])
def test_unknown(account: HubSpotAccount, id_: str) -> None:
    """What HubSpot does not know is None, be it an id of HubSpot's or not."""
    crm = hubspot(account)
    assert crm.client(id_) is None and crm.deal(id_) is None and not crm.is_won(id_)


def test_archived_and_merged(account: HubSpotAccount) -> None:
    """An archived company is gone; one that was merged into another names that."""
    account.company("550002")
    account.archived.add("550002")
    account.merged["550003"] = ACME
    crm = hubspot(account)
    assert crm.client("550002") is None
    assert [each.id for each in crm.clients()] == [ACME]
    with pytest.raises(SourceFaulty, match="companies 550003 was merged into 550001; write that id"):
        crm.client("550003")


MAPPED = {
    "client.vat_id": "company.vat_number",
    "client.tax_number": "company.gstin",
    "client.business": "company.is_business",
    "client.public_body": "company.public",
    "client.special_zone": "company.sez",
    "client.exemption_certificate": "company.certificate",
    "client.active": "company.lifecyclestage=customer",
    "client.billing_name": "company.ap_name",
    "client.billing_email": "company.ap_email",
    "client.copies_to": "company.ap_copies",
}


def test_every_field_of_a_client(account: HubSpotAccount) -> None:
    """Custom properties feed every field there is; an address in the company itself comes before labels."""
    account.define(
        "companies",
        "gstin",
        "is_business",
        "public",
        "sez",
        "certificate",
        "ap_name",
        "ap_email",
        "ap_copies",
    )
    account.company(
        "550002",
        name="Pune Ltd",
        address="Road 1",
        address2="Floor 3",
        city="Pune",
        state="MH",
        country="India",
        vat_number=" FR123 ",
        gstin="27AA",
        is_business="false",
        public="true",
        sez="yes",
        certificate="X-1",
        lifecyclestage="customer",
        ap_name="Accounts",
        ap_email="ap@pune.example",
        ap_copies="a@pune.example; b@pune.example,ap@pune.example",
    )
    account.contact("660002", "550002", "Billing contact", email="kim@pune.example")
    account.contact("660003", "550002", email="nobody@pune.example")
    crm = hubspot(account, MAPPED)
    assert crm.client("550002") == CrmClient(
        id="550002",
        name="Pune Ltd",
        address=Address(street="Road 1, Floor 3", postcode="10115", city="Pune", region="MH", country="IN"),
        vat_id="FR123",
        tax_number="27AA",
        business=False,
        public_body=True,
        special_zone=True,
        exemption_certificate="X-1",
        active=True,
        billing_contact=Contact(name="Accounts", email="ap@pune.example"),
        copies_to=("a@pune.example", "b@pune.example", "kim@pune.example"),
    )
    acme = crm.client(ACME)
    assert acme and not acme.active and not acme.business and acme.billing_contact
    assert acme.billing_contact.email == "ap@acme.example"


def test_roles(account: HubSpotAccount) -> None:
    """Of several billing contacts the oldest is written to and the others get copies; who has no role gets nothing;
    labels are read whatever their case, and a property of the contact may take their place."""
    account.company("550002")
    account.define("contacts", "invoices")
    account.contact(
        "660010", "550002", "BILLING CONTACT", email="later@b.example", firstname=None, lastname=None
    )
    account.contact("660002", "550002", "Billing contact", "Decision maker", email="first@b.example")
    account.contact("660004", "550002", "Invoice copies", email="copy@b.example")
    account.contact("660005", "550002", "Decision maker", email="boss@b.example")
    found = hubspot(account).client("550002")
    assert found and found.billing_contact == Contact(name="Ada Example", email="first@b.example")
    assert found.copies_to == ("copy@b.example", "later@b.example")
    account.company("550003")
    account.contact("660006", "550003", email="x@c.example", invoices="to", firstname="", lastname="Chu")
    account.contact("660007", "550003", email="y@c.example", invoices="cc")
    by_property = {"contact.billing": "contact.invoices=to", "contact.copies": "contact.invoices=cc"}
    found = hubspot(account, by_property).client("550003")
    assert found and found.billing_contact == Contact(name="Chu", email="x@c.example")
    assert found.copies_to == ("y@c.example",)
    other = hubspot(account, billing_label="Decision maker").client("550002")
    assert other and other.billing_contact and other.billing_contact.email == "first@b.example"


def test_no_billing_contact(account: HubSpotAccount) -> None:
    """A company without one is a client without one: a check of the invoice says so."""
    account.company("550002")
    found = hubspot(account).client("550002")
    assert found and found.billing_contact is None and found.copies_to == ()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"country": None},
            "company 550002: property 'country' is empty; fill it in there, or map client.country",
        ),
        ({"country": "Germny"}, "company 550002: property 'country' is 'Germny', not a country"),
        ({"city": ""}, "company 550002: property 'city' is empty"),
        ({"address": " "}, "company 550002: property 'address' is empty"),
        ({"name": None}, "company 550002: property 'name' is empty"),
    ],
)
def test_incomplete_company(account: HubSpotAccount, changes: dict[str, Any], said: str) -> None:
    """A company that lacks what an invoice needs is refused by id and property; others are read as before."""
    account.company("550002", **changes)
    crm = hubspot(account)
    with pytest.raises(SourceFaulty, match=said):
        crm.client("550002")
    assert crm.client(ACME)
    with pytest.raises(SourceFaulty, match=f"1 of 2 companies are not complete .*first: HubSpot: {said}"):
        crm.clients()


def test_only_those_listed(account: HubSpotAccount) -> None:
    """A field says which companies are clients; the others may be as incomplete as they are."""
    account.company("550002", country=None, lifecyclestage="lead")
    account.company("550003", lifecyclestage="customer")
    crm = hubspot(account, {"client.listed": "company.lifecyclestage=customer"})
    assert [each.id for each in crm.clients()] == ["550003"]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"client.vat_id": "company.vatnumber"}, "company 550001 has no field 'company.vatnumber'"),
        (
            {"client.business": "company.name"},
            "company 550001: field 'company.name' is 'Acme GmbH', not yes or no",
        ),
        (
            {"contact.email": "contact.firstname"},
            "contact 660001 of company 550001: property 'firstname' is 'Ada', not",
        ),
    ],
)
def test_wrong_mapping(account: HubSpotAccount, fields: dict[str, str], said: str) -> None:
    """A property that does not exist, or is of another type, is named; an empty VAT id is never made of it."""
    with pytest.raises(SourceFaulty, match=said):
        hubspot(account, fields).client(ACME)


@pytest.mark.parametrize(
    ("fields", "settings", "said"),
    [
        (
            {"client.vat_id": "vat_number"},
            {},
            r"client.vat_id is mapped to 'vat_number'; write company.<property>",
        ),
        ({"deal.value": "company.amount"}, {}, "write deal.<property>"),
        ({"client.shoe_size": "company.shoes"}, {}, "has no field 'client.shoe_size'"),
        ({}, {"zone": "Berlin"}, "setting 'zone'"),
        ({}, {"value": "guess"}, "setting 'value'"),
        ({}, {"colour": "red"}, "setting 'colour'"),
    ],
)
def test_wrong_connection(
    account: HubSpotAccount, fields: dict[str, str], settings: dict[str, str], said: str
) -> None:
    """A field or setting that cannot be is refused before anything is asked."""
    with pytest.raises(SourceFaulty, match=said):
        hubspot(account, fields, **settings)
    assert account.server.asked == []


@pytest.mark.parametrize(
    ("changes", "settings", "value", "won", "won_on"),
    [
        ({"amount": "12500.1"}, {}, "12500.1", True, "2026-02-01"),
        ({"amount": "0.1"}, {}, "0.1", True, "2026-02-01"),
        ({"amount": None}, {}, "0", True, "2026-02-01"),
        ({"amount": "1E3"}, {}, "1000", True, "2026-02-01"),
        ({"dealstage": "qualifiedtobuy"}, {}, "12500.00", False, None),
        ({"dealstage": "closedlost"}, {}, "12500.00", False, None),
        ({"dealstage": "gone"}, {}, "12500.00", False, None),
        ({"dealstage": "closedwon", "pipeline": "renewals"}, {}, "12500.00", False, None),
        ({"dealstage": "777", "pipeline": "renewals"}, {}, "12500.00", True, "2026-02-01"),
        (
            {"dealstage": "775", "pipeline": "renewals"},
            {},
            "12500.00",
            False,
            None,
        ),  # certain, and still open
        (
            {"dealstage": "qualifiedtobuy"},
            {"won_stages": "777, qualifiedtobuy"},
            "12500.00",
            True,
            "2026-02-01",
        ),
        ({}, {"won_stages": "777"}, "12500.00", False, None),
        ({"closedate": None}, {}, "12500.00", True, None),
        ({"closedate": "2026-02-01T23:30:00Z"}, {"zone": "Europe/Berlin"}, "12500.00", True, "2026-02-02"),
        ({"closedate": "2026-02-01T04:30:00Z"}, {"zone": "America/New_York"}, "12500.00", True, "2026-01-31"),
    ],
)
def test_deals(
    account: HubSpotAccount,
    changes: dict[str, Any],
    settings: dict[str, str],
    value: str,
    won: bool,
    won_on: str | None,
) -> None:
    """Amounts are exact; a deal is won by its stage, on the day of its close date in the zone of the settings."""
    account.pipelines.append(pipeline("renewals", {"775": "1", "776": "0.5", "777": "1.0"}))
    account.deal("9870002", **changes)
    crm = hubspot(account, {}, **settings)
    found = crm.deal("9870002")
    assert found and (found.value, found.won) == (Decimal(value), won)
    assert found.won_on == (date.fromisoformat(won_on) if won_on else None)
    assert crm.is_won("9870002") is won
    assert found in crm.deals()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"amount": "a lot"}, "deal 9870002: field 'deal.amount' is 'a lot', not a number"),
        ({"amount": "NaN"}, "deal 9870002: field 'deal.amount' is 'NaN', not a number"),
        (
            {"deal_currency_code": None},
            "deal 9870002: property 'deal_currency_code' is empty; write the currency",
        ),
        ({"closedate": "soon"}, "deal 9870002: field 'deal.closedate' is 'soon', not a day"),
        ({"dealstage": None}, "deal 9870002: property 'dealstage' is empty"),
    ],
)
def test_wrong_deals(account: HubSpotAccount, changes: dict[str, Any], said: str) -> None:
    """A deal with a property of another type than agreed is refused by id and property."""
    account.deal("9870002", **changes)
    with pytest.raises(SourceFaulty, match=said):
        hubspot(account).deal("9870002")


def test_whose_deal(account: HubSpotAccount) -> None:
    """A deal belongs to its primary company, its only one, or one a property names; of two equals none is guessed."""
    plain = [{"category": "HUBSPOT_DEFINED", "typeId": 341, "label": None}]
    account.link("deals", DEAL, "companies", "550002", plain)
    account.deal("9870002", None)
    account.deal("9870003", None)
    account.link("deals", "9870003", "companies", "550007", plain)
    account.deal("9870004", None)
    for company in ("550008", "550009"):
        account.link("deals", "9870004", "companies", company, plain)
    crm = hubspot(account)
    assert [crm.deal(each).client for each in (DEAL, "9870002", "9870003")] == [ACME, "", "550007"]  # type: ignore[union-attr]
    with pytest.raises(
        SourceFaulty, match="deal 9870004 belongs to companies 550008, 550009, and none alone"
    ):
        crm.deal("9870004")
    account.define("deals", "bill_to")
    account.deal("9870005", bill_to="550008")
    found = hubspot(account, {"deal.client": "deal.bill_to"}).deal("9870005")
    assert found and found.client == "550008"


def test_owner_gone(account: HubSpotAccount) -> None:
    """The owner of a deal is known after leaving; nobody is nobody."""
    account.owner("7", "left@issuer.example", archived=True)
    for n, owner in enumerate(["7", "8", None], start=2):
        account.deal(f"987000{n}", hubspot_owner_id=owner)
    assert [each.owner for each in hubspot(account).deals()] == [
        "sam@issuer.example",
        "left@issuer.example",
        "",
        "",
    ]


def test_pipelines_that_count(account: HubSpotAccount) -> None:
    """Deals of other pipelines are not listed; asked for by id they are there."""
    account.deal("9870002", pipeline="partners")
    crm = hubspot(account, pipelines="default")
    assert [each.id for each in crm.deals()] == [DEAL]
    assert crm.deal("9870002")


def test_value_of_line_items(account: HubSpotAccount) -> None:
    """The value of a deal may be the net of its line items, of those only that a field says count; of one currency."""
    account.line_item("770002", DEAL, amount="0.30", recurringbillingfrequency="monthly")
    account.line_item("770003", DEAL, amount="0.15", recurringbillingfrequency="monthly")
    account.line_item("770004", DEAL, amount=None, recurringbillingfrequency="monthly")
    found = hubspot(account, value="line items").deal(DEAL)
    assert found and found.value == Decimal("12500.45")
    monthly = {"line_item.counts": "line_item.recurringbillingfrequency=monthly"}
    found = hubspot(account, monthly, value="line items").deal(DEAL)
    assert found and found.value == Decimal("0.45")
    account.deal("9870002", None)
    found = hubspot(account, value="line items").deal("9870002")
    assert found and found.value == 0
    del account.objects["line_items"]["770003"]  # deleted, and its association not yet
    found = hubspot(account, monthly, value="line items").deal(DEAL)
    assert found and found.value == Decimal("0.30")
    account.line_item("770005", DEAL, hs_line_item_currency_code="USD")
    with pytest.raises(SourceFaulty, match=f"line item 770005 of deal {DEAL} is in USD, its deal in EUR"):
        hubspot(account, value="line items").deal(DEAL)


def told(number: str = "B-1", status: str = "issued", *deals: str) -> Told:
    return Told(
        "shop/fee", number, status, "14875.00", "EUR", f"https://billow.test/{number}", deals or (DEAL,)
    )


def test_written_back(account: HubSpotAccount) -> None:
    """Number, status and link stand in the deal, all invoices in a list; told twice, nothing is written."""
    account.define("deals", *SHOWN)
    crm = hubspot(account, {f"deal.{each}": f"deal.{each}" for each in SHOWN})
    for number, status in (("B-1", "issued"), ("B-2", "issued"), ("B-1", "paid"), ("B-1", "paid")):
        crm.write_back(told(number, status))
    now = account.objects["deals"][DEAL]
    assert [now[each] for each in SHOWN] == [
        "B-2",
        "issued",
        "https://billow.test/B-2",
        "B-2 | issued | 14875.00 EUR | https://billow.test/B-2\nB-1 | paid | 14875.00 EUR | https://billow.test/B-1",
    ]
    assert [each.method for each in account.server.asked].count("PATCH") == 3
    assert now["amount"] == "12500.00"


def test_nothing_to_write_back_to(account: HubSpotAccount) -> None:
    """Without mapped fields, without a number, or for a deal that is gone, nothing is written; a missing property is
    named."""
    hubspot(account).write_back(told())
    account.define("deals", "invoice")
    crm = hubspot(account, {"deal.invoice_number": "deal.invoice"})
    crm.write_back(told(""))
    assert account.server.asked == []
    crm.write_back(told("B-1", "issued", "404", DEAL))
    assert account.objects["deals"][DEAL]["invoice"] == "B-1"
    with pytest.raises(SourceFaulty, match=f"deal {DEAL} has no field 'deal.bill_no'"):
        hubspot(account, {"deal.invoice_number": "deal.bill_no"}).write_back(told())


def test_samples(account: HubSpotAccount) -> None:
    """A live check shows every field with a value, and what is wrong: absent, of another type, not to be written to."""
    account.company("550009", country=None)  # an incomplete one does not stand for all
    account.define("deals", "invoice")
    account.define("deals", "calculated", fixed=True)
    account.define("deals", "count", type="number", fieldType="number")
    found = {
        each.ours: each
        for each in hubspot(
            account,
            {
                "client.vat_id": "company.vat_no",
                "deal.value": "deal.dealname",
                "deal.invoice_number": "deal.invoice",
                "deal.invoice_status": "deal.calculated",
                "deal.invoice_link": "deal.count",
                "deal.invoices": "deal.none",
            },
        ).samples()
    }
    assert (found["client.country"].value, found["client.country"].problem) == ("DE", "")
    assert found["contact.email"].value == "ap@acme.example"
    problems = {name: each.problem for name, each in found.items() if each.problem}
    assert set(problems) == {
        "client.vat_id",
        "deal.value",
        "deal.invoice_status",
        "deal.invoice_link",
        "deal.invoices",
    }
    assert "company 550001 has no field 'company.vat_no'" in problems["client.vat_id"]
    assert f"deal {DEAL}: field 'deal.dealname' is 'Network refresh', not a number" in problems["deal.value"]
    assert "nobody write" in problems["deal.invoice_status"]
    assert "of type number" in problems["deal.invoice_link"]
    assert "no such property" in problems["deal.invoices"]
    assert found["deal.invoice_number"].value == "string (textarea)"


def test_scope_missing(account: HubSpotAccount) -> None:
    """A token without the scope for an object is told so, at the fields of that object."""
    account.server.next_answers = [
        Answer(403, {"status": "error", "category": "MISSING_SCOPES", "message": "no"})
    ]
    found = {each.ours: each.problem for each in hubspot(account).samples()}
    assert "HTTP 403; the token may not do that; give it the scope" in found["client.name"]


def test_partial_answers_are_refused(account: HubSpotAccount) -> None:
    """A batch that lacks something for another reason than that it is gone is no answer."""
    error = {"category": "MISSING_SCOPES", "status": "error", "message": "not for contacts", "context": {}}
    account.batch_errors = [error | {"errors": [], "links": {}}]
    with pytest.raises(SourceFaulty, match="contacts of companies cannot be read in full: not for contacts"):
        hubspot(account).client(ACME)


@pytest.mark.parametrize(
    ("answers", "error", "said"),
    [
        ([HTML], SourceFaulty, "text/html where JSON was expected"),
        ([Answer(200, {"results": "none"})], SourceFaulty, "no list 'results'"),
        ([Answer(200, [])], SourceFaulty, "no list 'results'"),
        ([Answer(502, {}, {"Retry-After": "0"})] * 4, SourceUnavailable, "HTTP 502"),
        (
            [Answer(200, {"results": [], "paging": {"next": {"after": "x"}}})] * 2,
            SourceFaulty,
            "without an end",
        ),
    ],
)
def test_wrong_answers(
    account: HubSpotAccount, answers: list[Answer], error: type[Exception], said: str
) -> None:
    """What is not HubSpot's answer is an error that says so, and whether waiting may help."""
    account.server.next_answers = list(answers)
    with pytest.raises(error, match=said) as caught:
        hubspot(account).deals()
    assert "HubSpot" in str(caught.value) and TOKEN not in str(caught.value)


def test_too_many_requests(account: HubSpotAccount) -> None:
    """What is refused for a moment is asked again, as HubSpot says when."""
    account.server.next_answers = [limited(), limited()]
    assert [each.id for each in hubspot(account).deals()] == [DEAL]


def test_wrong_token(account: HubSpotAccount) -> None:
    """A token HubSpot does not know is named without being shown."""
    with pytest.raises(
        SourceFaulty, match=r"HTTP 401; it does not know the credentials; renew the token"
    ) as caught:
        hubspot(account, token="pat-wrong").client(ACME)
    assert "pat-wrong" not in str(caught.value)


def test_unused_names(account: HubSpotAccount) -> None:
    """The example is whole: every object of it is read by somebody."""
    hubspot(account, value="line items").deals()
    hubspot(account).clients()
    said = b" ".join(each.body + str(each.query).encode() for each in account.server.asked)
    assert all(each.encode() in said for each in (CONTACT, ITEM, ACME, DEAL)) and OWNER in {
        each["id"] for each in account.owners
    }
