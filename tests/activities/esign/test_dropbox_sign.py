"""Dropbox Sign: what everybody has signed becomes a contract, as its own client reads it, or is refused by name."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from dropbox_sign.api.signature_request_api import SignatureRequestApi
from dropbox_sign.api_client import ApiClient
from dropbox_sign.configuration import Configuration

from activities.esign.dropbox_sign import DropboxSign
from billing.connections import Connection
from billing.errors import SourceFaulty, SourceUnavailable
from billing.sources import SignedContract
from tests.activities.esign.dropbox_sign_account import (
    EXAMPLE,
    FIELDS,
    KEY,
    SIGNED_AT,
    DropboxSignAccount,
    signature,
)
from tests.activities.psa.counterpart import HTML, Answer, limited
from tests.activities.vendor_description import check_described, described

OTHER = "a" * 40


@pytest.fixture
def account() -> Iterator[DropboxSignAccount]:
    account = DropboxSignAccount().example()
    with account.server:
        yield account
    assert account.server.refused == []


def dropbox(
    there: DropboxSignAccount, fields: dict[str, str] | None = None, key: str = KEY, **settings: str
) -> DropboxSign:
    mapped = [{"ours": f"contract.{ours}", "theirs": theirs} for ours, theirs in (fields or {}).items()]
    record = {"id": "ds", "provider": "dropbox-sign", "port": "contracts", "base_url": there.server.url}
    return DropboxSign(
        Connection.model_validate(record | {"fields": mapped, "settings": settings}), {"api_key": key}
    )


def test_published_example(account: DropboxSignAccount) -> None:
    """The request of Dropbox Sign's own example, with the fields of a contract."""
    assert dropbox(account).contract(EXAMPLE) == SignedContract(
        id=EXAMPLE,
        client="550001",
        value=Decimal("9200.00"),
        currency="EUR",
        signed_on=date(2012, 9, 1),
        start=date(2012, 10, 1),
    )


def test_as_the_official_client_reads_it(account: DropboxSignAccount) -> None:
    """The server is one the official client understands, and both read the same out of it."""
    account.request(OTHER, {**FIELDS, "value": "0.10"})
    configuration = Configuration(username=KEY, host=account.server.url)
    with ApiClient(configuration) as client:
        api = SignatureRequestApi(client)
        listed = api.signature_request_list(page=1, page_size=100).signature_requests
        one = api.signature_request_get(EXAMPLE).signature_request
    ours = {each.id: each for each in dropbox(account).contracts()}
    assert {each.signature_request_id for each in listed} == set(ours) == {EXAMPLE, OTHER}
    said = {each["name"]: each["value"] for each in one.to_dict()["custom_fields"]}
    mine = ours[EXAMPLE]
    assert (str(mine.value), mine.client, mine.currency) == (said["value"], said["client"], said["currency"])
    assert one.is_complete


def test_by_the_vendors_description(account: DropboxSignAccount, tmp_path: Path) -> None:
    """Every request of ours is one that Dropbox Sign's description allows."""
    with described("dropbox-sign.yaml", tmp_path) as url:
        source = dropbox(account, account="all")
        assert source.contracts() and source.contract(EXAMPLE)
        known = check_described(url, account.server.asked)
    assert known == {f"GET /signature_request/{EXAMPLE}", "GET /signature_request/list"}


@pytest.mark.parametrize("counts", [True, False])
def test_every_page(account: DropboxSignAccount, counts: bool) -> None:
    """All requests are read, however many pages they fill and whether their number is told or not, sorted by id."""
    account.counts = counts
    ids = [f"{n:040x}" for n in range(250)]
    for id_ in ids:
        account.request(id_)
    assert [each.id for each in dropbox(account).contracts()] == [*ids, EXAMPLE]


@pytest.mark.parametrize("counts", [True, False])
def test_nothing_there(counts: bool) -> None:
    """An empty account has no contracts, and its samples are without values and problems."""
    empty = DropboxSignAccount()
    empty.counts = counts
    with empty.server:
        source = dropbox(empty)
        assert (source.contracts(), source.contract(EXAMPLE)) == ((), None)
        assert {(each.value, each.problem) for each in source.samples()} == {("", "")}


@pytest.mark.parametrize(
    "changes",
    [
        {"is_complete": False},
        {"is_complete": False, "signatures": [signature("1", SIGNED_AT), signature("2", None)]},
        {"is_declined": True},
        {"is_complete": False, "is_declined": True},
        {"test_mode": True},
    ],
)
def test_not_signed(account: DropboxSignAccount, changes: dict[str, Any]) -> None:
    """What not everybody has signed, somebody has declined, or was only tested is no signed contract."""
    account.request(OTHER, **changes)
    source = dropbox(account)
    assert source.contract(OTHER) is None and not source.is_signed(OTHER)
    assert [each.id for each in source.contracts()] == [EXAMPLE]


def test_tests_count(account: DropboxSignAccount) -> None:
    """Where the setting says so, requests in test mode count."""
    account.request(OTHER, test_mode=True)
    assert dropbox(account, tests="yes").contract(OTHER)


@pytest.mark.parametrize("id_", ["", "none", "../account", f"{EXAMPLE}/x", "list?x=1"])
def test_unknown(account: DropboxSignAccount, id_: str) -> None:
    """What Dropbox Sign does not know is None."""
    assert dropbox(account).contract(id_) is None


def test_cancelled(account: DropboxSignAccount) -> None:
    """A request that was cancelled is gone for good (HTTP 410): there is no such contract."""
    account.gone.add(EXAMPLE)
    source = dropbox(account)
    assert source.contract(EXAMPLE) is None and source.contracts() == ()


@pytest.mark.parametrize(
    ("signed", "zone", "day"),
    [
        ([SIGNED_AT], "UTC", "2012-09-01"),
        ([SIGNED_AT, SIGNED_AT + 86400], "UTC", "2012-09-02"),
        ([SIGNED_AT + 86400, SIGNED_AT], "UTC", "2012-09-02"),
        ([1346536800], "Europe/Berlin", "2012-09-02"),
        ([1346536800], "UTC", "2012-09-01"),
        ([1346464800], "America/New_York", "2012-08-31"),
        ([SIGNED_AT, None], "UTC", "2012-09-01"),
    ],
)
def test_day_of_the_last_signature(
    account: DropboxSignAccount, signed: list[int | None], zone: str, day: str
) -> None:
    """A contract is signed on the day of its last signature, in the zone of the settings."""
    account.request(OTHER, signatures=[signature(str(n), at) for n, at in enumerate(signed)])
    found = dropbox(account, zone=zone).contract(OTHER)
    assert found and found.signed_on == date.fromisoformat(day)


def test_other_fields(account: DropboxSignAccount) -> None:
    """What was agreed may stand in fields signers filled in, or in metadata; amounts and days as they are written."""
    filled = {"Fee per month": "9.200,50", "From": "01.10.2012", "To": "30.09.2013"}
    response = [
        {"api_id": str(n), "name": name, "value": value, "type": "text"}
        for n, (name, value) in enumerate(filled.items())
    ]
    account.request(OTHER, None, response_data=response, metadata={"crm_company": "550002"})
    fields = {
        "client": "metadata.crm_company",
        "value": "response_data.Fee per month",
        "start": "response_data.From",
        "end": "response_data.To",
    }
    source = dropbox(account, fields, currency="EUR", decimal_mark=",", dates="%d.%m.%Y")
    assert source.contract(OTHER) == SignedContract(
        id=OTHER,
        client="550002",
        value=Decimal("9200.50"),
        currency="EUR",
        signed_on=date(2012, 9, 1),
        start=date(2012, 10, 1),
        end=date(2013, 9, 30),
    )
    assert [each.id for each in source.contracts()] == [OTHER]


@pytest.mark.parametrize(
    ("text", "mark", "value"),
    [
        ("9200", ".", "9200"),
        ("12500.1", ".", "12500.1"),
        ("12,500.10", ".", "12500.10"),
        ("1,234,567.89", ".", "1234567.89"),
        ("12'500.10", ".", "12500.10"),
        ("12 500,10", ",", "12500.10"),
        ("12.500,10", ",", "12500.10"),
        ("12.500", ",", "12500"),
        ("0.10", ".", "0.10"),
    ],
)
def test_amounts(account: DropboxSignAccount, text: str, mark: str, value: str) -> None:
    """Amounts are exact; which sign begins the decimals is a setting, not a guess."""
    account.request(OTHER, {**FIELDS, "value": text})
    found = dropbox(account, decimal_mark=mark).contract(OTHER)
    assert found and (found.value, str(found.value)) == (Decimal(value), value)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        (
            {**FIELDS, "value": "12,50"},
            "field 'custom_fields.value' is '12,50', not an amount with decimals after",
        ),
        ({**FIELDS, "value": "12.500,10"}, "field 'custom_fields.value' is '12.500,10', not an amount"),
        ({**FIELDS, "value": "9200 EUR"}, "field 'custom_fields.value' is '9200 EUR', not an amount"),
        ({**FIELDS, "value": ""}, "field 'custom_fields.value' is empty"),
        ({**FIELDS, "client": ""}, "field 'custom_fields.client' is empty"),
        ({**FIELDS, "currency": "Euro"}, "field 'custom_fields.currency' is 'EURO', not a currency"),
        ({**FIELDS, "currency": ""}, "field 'custom_fields.currency' is '', not a currency"),
        (
            {**FIELDS, "start": "10/01/2012"},
            "field 'custom_fields.start' is '10/01/2012', not a day as %Y-%m-%d",
        ),
        ({"value": "1.00", "currency": "EUR"}, "has no field 'custom_fields.client'"),
    ],
)
def test_wrong_fields(account: DropboxSignAccount, fields: dict[str, Any], said: str) -> None:
    """A field that lacks or is of another type than agreed is named, with the request; others are read as before."""
    account.request(OTHER, fields)
    source = dropbox(account)
    with pytest.raises(SourceFaulty, match=f"signature request {OTHER}.*{said}"):
        source.contract(OTHER)
    with pytest.raises(SourceFaulty, match=OTHER):
        source.contracts()
    assert source.contract(EXAMPLE)


def test_no_contract_over_fees(account: DropboxSignAccount) -> None:
    """A request without the field of the value, such as one over secrecy, is not listed; named as a contract, it is
    refused by name."""
    account.request(OTHER, None)
    account.request("b" * 40, {"client": "550001"})
    source = dropbox(account)
    assert [each.id for each in source.contracts()] == [EXAMPLE]
    with pytest.raises(SourceFaulty, match="has no field 'custom_fields"):
        source.contract(OTHER)
    assert source.is_signed(OTHER)


def test_signed_without_a_time(account: DropboxSignAccount) -> None:
    """A complete request whose signatures do not say when is refused."""
    account.request(OTHER, signatures=[signature("1", None)])
    with pytest.raises(SourceFaulty, match="do not say when"):
        dropbox(account).contract(OTHER)


def test_samples(account: DropboxSignAccount) -> None:
    """A live check shows every field with its value in a contract over fees, and what is wrong."""
    account.request(OTHER, None)
    found = {each.ours: each for each in dropbox(account, {"end": "custom_fields.until"}).samples()}
    assert [found[f"contract.{each}"].value for each in ("client", "value", "currency", "start")] == [
        "550001",
        "9200.00",
        "EUR",
        "2012-10-01",
    ]
    account.requests.pop(EXAMPLE)
    problems = {each.ours: each.problem for each in dropbox(account).samples()}
    assert "has no field 'custom_fields.value'" in problems["contract.value"]


@pytest.mark.parametrize("keys", [KEY, f"{KEY} old", f" {KEY}\n"])
def test_several_keys(account: DropboxSignAccount, keys: str) -> None:
    """While keys rotate, the first one is used."""
    assert dropbox(account, key=keys).contract(EXAMPLE)


def test_wrong_key(account: DropboxSignAccount) -> None:
    """A key Dropbox Sign does not know is named without being shown."""
    with pytest.raises(SourceFaulty, match="HTTP 401; it does not know the credentials") as caught:
        dropbox(account, key="another").contract(EXAMPLE)
    assert "another" not in str(caught.value)


@pytest.mark.parametrize(
    ("answers", "error", "said"),
    [
        ([HTML], SourceFaulty, "text/html where JSON was expected"),
        ([Answer(200, {})], SourceFaulty, "without a signature_request"),
        ([Answer(200, [])], SourceFaulty, "without a signature_request"),
        ([Answer(503, {}, {"Retry-After": "0"})] * 4, SourceUnavailable, "HTTP 503"),
    ],
)
def test_wrong_answers(
    account: DropboxSignAccount, answers: list[Answer], error: type[Exception], said: str
) -> None:
    """What is not Dropbox Sign's answer is an error that says so, and whether waiting may help."""
    account.server.next_answers = list(answers)
    with pytest.raises(error, match=said) as caught:
        dropbox(account).contract(EXAMPLE)
    assert "Dropbox Sign" in str(caught.value) and KEY not in str(caught.value)


def test_too_many_requests(account: DropboxSignAccount) -> None:
    """What is refused for a moment is asked again, as Dropbox Sign says when."""
    account.server.next_answers = [limited(), limited()]
    assert dropbox(account).contract(EXAMPLE)
