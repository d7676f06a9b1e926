"""Dropbox Sign: signature requests as contracts, once everybody has signed.

What was agreed is read from the request's custom fields, from what signers filled in (`response_data`), or from its
metadata. A request without the field mapped to `contract.value` is no contract over fees. A contract is signed on the
day of its last signature. One that was declined, cancelled or only tested is not signed.

SOURCE: https://github.com/hellosign/hellosign-openapi, openapi.yaml (signature_request/{id}, signature_request/list);
https://developers.hellosign.com/api/reference/authentication/ (the key as user name; up to four keys at a time).
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from typing import Literal
from urllib.parse import quote
from zoneinfo import ZoneInfo

from pydantic import Field

from activities.esign.dropbox_sign_webhook import DropboxSignWebhook
from activities.providers.field_map import FieldMap, settings_of
from activities.providers.http import VendorHttp
from activities.providers.paging import Page, Record, by_token, count, counted, listed
from activities.providers.provider import FieldSample, Mapped, Provider
from billing.connections import Connection, Port
from billing.currencies import MINOR_UNITS
from billing.errors import SourceFaulty
from billing.parties import Strict, TimeZone
from billing.sources import SignedContract

TITLE = "Dropbox Sign"
USUAL = "https://api.hellosign.com/v3"

_AT_ONCE = 100
"""Requests a page; Dropbox Sign gives no more."""

_REQUESTS = f"{TITLE}'s signature requests"

FIELDS = (
    Mapped("contract.client", "custom_fields.client", required=True),
    Mapped("contract.value", "custom_fields.value", required=True),
    Mapped("contract.currency", "custom_fields.currency", required=True),
    Mapped("contract.start", "custom_fields.start"),
    Mapped("contract.end", "custom_fields.end"),
)


class Settings(Strict):
    """`zone` is where the instant of a signature becomes a day; `currency` that of contracts which name none;
    `decimal_mark` and `dates` say how amounts and days are written in the fields of a contract; `account` is the team
    member whose requests are read, `all` for the whole team; `tests` whether requests in test mode count."""

    zone: TimeZone = "UTC"
    currency: str = Field(default="", pattern=r"^([A-Z]{3})?$")
    decimal_mark: Literal[".", ","] = "."
    dates: str = Field(default="%Y-%m-%d", description="as strftime writes it, e.g. %d.%m.%Y")
    account: str = ""
    tests: bool = False


class DropboxSign:
    """One account, read with its API key; of several keys, separated by blanks, the first is used."""

    def __init__(self, connection: Connection, secrets: Mapping[str, str]) -> None:
        self.source = f"/integrations/{connection.id}"
        self._settings = settings_of(connection, Settings, TITLE)
        self._fields = FieldMap.of(TITLE, FIELDS, connection, ZoneInfo(self._settings.zone), complete=True)
        key = next(iter(secrets["api_key"].split()), "")
        user = base64.b64encode(f"{key}:".encode()).decode()
        self._http = VendorHttp(TITLE, connection.base_url or USUAL, {"Authorization": f"Basic {user}"})

    def contracts(self) -> tuple[SignedContract, ...]:
        """Every signed contract over fees, by id; values are net."""
        signed = [
            each for each in self._all() if self._counts(each) and self._fields.has("contract.value", each)
        ]
        return tuple(sorted(map(self._contract, signed), key=lambda each: each.id))

    def contract(self, contract_id: str) -> SignedContract | None:
        """The contract of that request, if everybody has signed it; its value is net. None if there is none.

        `SourceFaulty` names the field it lacks.
        """
        record = self._one(contract_id)
        return self._contract(record) if record and self._counts(record) else None

    def is_signed(self, contract_id: str) -> bool:
        """Whether everybody has signed, now; nothing else of the request is read."""
        record = self._one(contract_id)
        return record is not None and self._counts(record)

    def samples(self) -> Sequence[FieldSample]:
        """Every mapped field with its value in the newest contract over fees, signed or not; without one, in the newest
        request."""
        found = self._page(1)[0]
        record = next(
            (each for each in found if self._fields.has("contract.value", each)), next(iter(found), None)
        )
        return [self._sample(each, record) for each in FIELDS]

    def _one(self, id_: str) -> Record | None:
        path = f"/signature_request/{quote(id_, safe='')}"
        answer = self._http.json("GET", path, missing_ok=True) if id_.isalnum() else None
        if answer is None:
            return None
        record = answer.get("signature_request") if isinstance(answer, Mapping) else None
        if not isinstance(record, Mapping):
            raise SourceFaulty(f"{TITLE} answers {path} without a signature_request; check base_url")
        return _without_nothing(record)

    def _page(self, number: int) -> tuple[list[Record], Record]:
        """The requests of a page, the newest first, and what the answer says of the list."""
        account = {"account_id": self._settings.account} if self._settings.account else {}
        params = {"page": number, "page_size": _AT_ONCE, **account}
        answer = self._http.json("GET", "/signature_request/list", params=params)
        found = [_without_nothing(each) for each in listed(answer, "signature_requests", _REQUESTS)]
        info = answer.get("list_info")
        return found, info if isinstance(info, Mapping) else {}

    def _all(self) -> tuple[Record, ...]:
        def numbered(read: int) -> Page:
            found, info = self._page(read // _AT_ONCE + 1)
            return Page(found, count(info, "num_results", _REQUESTS))

        def following(token: str | None) -> tuple[Sequence[Record], str | None]:
            number = int(token or 1)
            found, info = self._page(number)
            return found, str(number + 1) if number < count(info, "num_pages", _REQUESTS) else None

        # how many there are may be left open: then only the number of pages is known
        if self._page(1)[1].get("num_results") is None:
            return by_token(_REQUESTS, following, _id)
        return counted(_REQUESTS, numbered, _id)

    def _counts(self, record: Record) -> bool:
        tested = bool(record.get("test_mode")) and not self._settings.tests
        return record.get("is_complete") is True and not record.get("is_declined") and not tested

    def _contract(self, record: Record) -> SignedContract:
        of = f"signature request {_id(record)}"
        client, value = self._text("contract.client", record, of), self._value(record, of)
        if not client or value is None:
            lacking = self._fields.names("contract.value" if client else "contract.client")
            raise SourceFaulty(
                f"{TITLE}: {of}: field {lacking!r} is empty; have the contract signed anew with it"
            )
        return SignedContract(
            id=_id(record),
            client=client,
            value=value,
            currency=self._currency("contract.currency", record, of),
            signed_on=self._signed_on(record, of),
            start=self._day("contract.start", record, of),
            end=self._day("contract.end", record, of),
        )

    def _text(self, ours: str, record: Record, of: str) -> str:
        return self._fields.text(ours, record, of)

    def _value(self, record: Record, of: str) -> Decimal | None:
        text = self._text("contract.value", record, of)
        if not text:
            return None
        mark = self._settings.decimal_mark
        thousands = r"[\s.'’]" if mark == "," else r"[\s,'’]"
        if not re.fullmatch(rf"-?(\d+|\d{{1,3}}({thousands}\d{{3}})+)({re.escape(mark)}\d+)?", text):
            raise SourceFaulty(
                f"{TITLE}: {of}: field {self._fields.names('contract.value')!r} is {text[:60]!r}, not an amount with "
                f"decimals after {mark!r}; correct the setting decimal_mark, or map contract.value to another field"
            )
        return Decimal(re.sub(thousands, "", text).replace(",", "."))

    def _currency(self, ours: str, record: Record, of: str) -> str:
        stated = self._settings.currency
        if not stated or self._fields.has(ours, record):
            stated = self._text(ours, record, of).upper() or stated
        if stated not in MINOR_UNITS:
            raise SourceFaulty(
                f"{TITLE}: {of}: field {self._fields.names(ours)!r} is {stated[:60]!r}, not a currency; write a code "
                "such as EUR in it, or name the currency of all contracts as setting `currency`"
            )
        return stated

    def _day(self, ours: str, record: Record, of: str) -> date | None:
        text = self._text(ours, record, of) if self._fields.has(ours, record) else ""
        try:
            return datetime.strptime(text, self._settings.dates).date() if text else None  # noqa: DTZ007  # a day
        except ValueError as error:
            raise SourceFaulty(
                f"{TITLE}: {of}: field {self._fields.names(ours)!r} is {text[:60]!r}, not a day as "
                f"{self._settings.dates}; correct the setting dates in integrations.yaml"
            ) from error

    def _signed_on(self, record: Record, of: str) -> date:
        at = [each.get("signed_at") for each in record.get("signatures") or ()]
        signed = [each for each in at if each is not None]
        if not signed or any(isinstance(each, bool) or not isinstance(each, int) for each in signed):
            raise SourceFaulty(f"{TITLE}: {of} is complete and its signatures do not say when (signed_at)")
        return datetime.fromtimestamp(max(signed), UTC).astimezone(ZoneInfo(self._settings.zone)).date()

    def _sample(self, mapped: Mapped, record: Record | None) -> FieldSample:
        if record is None:
            return FieldSample(mapped.ours, self._fields.names(mapped.ours))
        of = f"signature request {_id(record)}"
        readers: dict[str, Callable[[Record, str], object]] = {
            "contract.value": self._value,
            "contract.currency": partial(self._currency, "contract.currency"),
            "contract.start": partial(self._day, "contract.start"),
            "contract.end": partial(self._day, "contract.end"),
        }
        read = readers.get(mapped.ours, partial(self._text, mapped.ours))
        return self._fields.sample(mapped.ours, partial(read, record, of), needed=mapped.required)


def _id(record: Record) -> str:
    return str(record.get("signature_request_id"))


def _without_nothing(record: Record) -> Record:
    """A request without the lists that are null: it has no such fields."""
    return {name: value for name, value in record.items() if value is not None}


PROVIDER = Provider(
    name="dropbox-sign",
    title=TITLE,
    ports=frozenset({Port.CONTRACTS}),
    base_url=USUAL,
    settings=Settings,
    secrets=("api_key",),
    fields=FIELDS,
    build=DropboxSign,
    webhook=DropboxSignWebhook(),
    webhook_secret="api_key",  # noqa: S106  # the name of one
)
