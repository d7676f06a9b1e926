"""The parties of an invoice: who sells, who buys, who is written to, who works for us."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, TypeAdapter, ValidationError, field_validator

from billing.document_kind import NumberSeries
from billing.money import Currency, Figure, smallest_unit
from billing.number_limits import NumberPatternText
from billing.record import CountryCode as CountryCode
from billing.record import Strict as Strict
from billing.registrations import Registration

EU_MEMBERS = frozenset(
    [
        "AT",
        "BE",
        "BG",
        "CY",
        "CZ",
        "DE",
        "DK",
        "EE",
        "ES",
        "FI",
        "FR",
        "GR",
        "HR",
        "HU",
        "IE",
        "IT",
        "LT",
        "LU",
        "LV",
        "MT",
        "NL",
        "PL",
        "PT",
        "RO",
        "SE",
        "SI",
        "SK",
    ]
)
"""Member states of the European Union (27), ISO 3166-1 alpha-2; VAT ids of GR begin with EL."""


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"{name!r} is not a time zone; write one such as Europe/Berlin") from error
    return name


TimeZone = Annotated[str, AfterValidator(_zone)]
"""An IANA time zone name."""

EmailAddress = Annotated[
    str, Field(pattern=r"^[^@\s<>,;\"]+@[^@\s<>,;\"]+\.[^@\s<>,;\"]+$", description="one e-mail address")
]
Identifier = Annotated[
    str,
    Field(
        pattern=r"^[a-z0-9][a-z0-9._-]*$", max_length=64, description="lower case, digits, '.', '_' and '-'"
    ),
]
ElectronicAddress = Annotated[
    str,
    Field(
        pattern=r"^([0-9]{4}|[A-Z]{2}):[^\s:][^\s]{0,99}$|^$",
        description="scheme of the Electronic Address Scheme list, a colon, and the id in it",
    ),
]
"""An electronic address (EN 16931, BT-34 and BT-49); empty where there is none."""

Language = Annotated[str, Field(pattern=r"^[a-z]{2}$", description="ISO 639-1, e.g. de or en")]


_email: TypeAdapter[str] = TypeAdapter(EmailAddress)


def is_address(text: str) -> bool:
    """Whether the text is one e-mail address."""
    try:
        _email.validate_python(text)
    except ValidationError:
        return False
    return True


class Address(Strict):
    """A postal address; `region` is the state or province where one is part of the address."""

    street: str
    postcode: str = ""
    city: str
    region: str = ""
    country: CountryCode


class Contact(Strict):
    """Somebody who is written to."""

    name: str
    email: EmailAddress


class BankAccount(Strict):
    """Where the client pays to."""

    iban: str
    bic: str = ""
    bank: str = ""
    holder: str = ""
    qr_iban: str = Field(default="", description="Switzerland: the QR-IBAN, for QR bills with a QR reference")


class Issuer(Strict):
    """Our legal entity that sells: the seller of EN 16931 (BG-4)."""

    id: Identifier
    name: str
    address: Address
    vat_id: str
    tax_number: str = ""
    registrations: tuple[Registration, ...] = Field(
        default=(),
        description="with tax authorities, as far as they are more than its vat_id in its own country",
    )
    registration: str = Field(default="", description="register court and number, printed in the footer")
    email: EmailAddress
    phone: str = ""
    website: str = ""
    electronic_address: ElectronicAddress = Field(
        default="",
        description="where e-invoices go: scheme (EAS) and id, e.g. 0204:991-01234-44 or 9930:DE123456789",
    )
    bank_account: BankAccount
    zone: TimeZone
    language: Language = "en"
    number_prefix: str = Field(
        pattern=r"^[A-Z0-9][A-Z0-9/-]{0,7}$", description="begins every number, e.g. BER-"
    )
    numbers: dict[NumberSeries, NumberPatternText] = Field(
        default_factory=dict,
        description="patterns of its own: {invoice: 'BER-{year}-{number:05}'}; the others follow number_prefix",
    )
    fiscal_year_starts: int = Field(
        default=1,
        ge=1,
        le=12,
        description="month; numbers begin again with the year that begins then, and show it",
    )
    accent: str = Field(
        default="#1f4e79", pattern=r"^#[0-9a-fA-F]{6}$", description="colour of its documents"
    )
    round_due_to: dict[Currency, Figure] = Field(
        default_factory=dict,
        description="by currency, the step amounts due are rounded to: {CHF: '0.05'}; else they are not",
    )

    @field_validator("round_due_to")
    @classmethod
    def _whole_steps(cls, steps: dict[str, Decimal]) -> dict[str, Decimal]:
        for currency, step in steps.items():
            if step <= 0 or step % smallest_unit(currency):
                raise ValueError(f"{step} is no step of whole {smallest_unit(currency)} {currency}")
        return steps


class Buyer(Strict):
    """The client as the document names it: the buyer of EN 16931 (BG-7)."""

    name: str
    address: Address
    vat_id: str = ""
    contact: Contact
    electronic_address: ElectronicAddress = Field(
        default="",
        description="where e-invoices go: scheme (EAS) and id, e.g. 0204:991-01234-44 or 9930:DE123456789",
    )


class Person(Strict):
    """Somebody on our side: approver, account manager, finance operator."""

    id: Identifier
    name: str
    email: EmailAddress
    roles: tuple[str, ...] = Field(
        default=(), description="titles, and one of viewer, operator, approver, admin; without one: viewer"
    )
    reports_to: Identifier | None = Field(
        default=None, description="who is asked when this person stays silent"
    )
    away_from: date | None = None
    away_until: date | None = None
    delegate: Identifier | None = None
