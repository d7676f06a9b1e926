"""The files of a company folder as JSON Schema (2020-12): for editors, which then complete and check what is written.

`billow check` knows more: what stands in other files, what law and calendars say. A schema knows keys and kinds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Union

from pydantic import Field, TypeAdapter

from activities.company.folder import MODELS, CompanyFile
from billing.approval_policy import ApprovalPolicy
from billing.company import Client
from billing.connections import Connection
from billing.discounts import Discount
from billing.dunning_policy import DunningPolicy
from billing.errors import NotFound
from billing.exchange_rates import ExchangeRate
from billing.looks import Look
from billing.parties import Issuer, Person
from billing.taxes.company_rules import TaxRule
from billing.taxes.rates import TaxRate

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_AGREEMENT: Any = Annotated[Union[tuple(MODELS.values())], Field(discriminator="model")]  # noqa: UP007  of a tuple

SHAPES: Mapping[str, tuple[str, Any]] = {
    "company.yaml": ("What is said once for the whole company.", CompanyFile),
    "people.yaml": ("Everybody who approves, decides or looks after clients.", tuple[Person, ...]),
    "issuers.yaml": ("The legal entities that sell.", tuple[Issuer, ...]),
    "clients.yaml": ("How each client is billed.", tuple[Client, ...]),
    "agreements.yaml": (
        "What was agreed, and how it is billed; also in agreements/.",
        tuple[_AGREEMENT, ...],
    ),
    "approvals.yaml": ("Who must agree before an invoice is issued.", ApprovalPolicy),
    "dunning.yaml": ("How clients are reminded.", tuple[DunningPolicy, ...]),
    "discounts.yaml": ("Discounts that agreements and clients name.", tuple[Discount, ...]),
    "tax/rates.yaml": ("Rates of tax that Billow does not know.", tuple[TaxRate, ...]),
    "tax/rules.yaml": ("Rules of tax that come before Billow's.", tuple[TaxRule, ...]),
    "tax/exchange_rates.yaml": (
        "Exchange rates, for the tax in the currency at home.",
        tuple[ExchangeRate, ...],
    ),
    "integrations.yaml": ("Systems that are connected.", tuple[Connection, ...]),
    "templates/looks.yaml": ("How the documents of an issuer look.", tuple[Look, ...]),
}
"""Each file of the folder: what it is for, and its shape."""


def schema_of(file: str) -> dict[str, Any]:
    """The schema of a file, named as in the folder; `NotFound` for one there is not."""
    if file not in SHAPES:
        raise NotFound(f"the company folder has no file {file[:80]!r}; it has: {', '.join(SHAPES)}")
    about, shape = SHAPES[file]
    made = TypeAdapter(shape).json_schema(mode="validation")
    described = {
        "$schema": DIALECT,
        "title": f"Billow: {file}",
        "description": about,
    }
    return described | {name: said for name, said in made.items() if name not in described}


def name_of(file: str) -> str:
    """What the file with the schema is called: `tax-rules.schema.json`."""
    return file.removesuffix(".yaml").replace("/", "-") + ".schema.json"
