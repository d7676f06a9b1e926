"""Connections to the systems a company uses, as `integrations.yaml` names them; secrets are named, never written."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from billing.parties import Identifier, Strict


class Port(StrEnum):
    """What a connection is used for."""

    CRM = "crm"
    PSA = "psa"
    CONTRACTS = "contracts"
    CHAT = "chat"
    RETURNED_MAIL = "returned mail"
    PAYMENTS = "payments"


class Direction(StrEnum):
    """Which way a field goes: from the vendor into Billow, or back."""

    IN = "in"
    OUT = "out"


EnvironmentName = Annotated[
    str, Field(pattern=r"^[A-Z][A-Z0-9_]{0,99}$", description="name of an environment variable")
]


class FieldMapping(Strict):
    """One field of ours and the vendor's field that feeds it, or is fed by it."""

    ours: str = Field(min_length=1, description="a field of Billow, e.g. client.vat_id")
    theirs: str = Field(
        min_length=1, max_length=200, description="the vendor's name of it, e.g. company.vat_number"
    )
    direction: Direction = Direction.IN


class Connection(Strict):
    """One system: where it answers, which environment variables hold its secrets, which fields feed which."""

    id: Identifier
    provider: Identifier = Field(
        description="hubspot, jira, redmine, xero-projects, dropbox-sign, slack, imap, stripe …"
    )
    port: Port
    base_url: str = Field(default="", description="where it answers, if not at the vendor's usual address")
    secrets: dict[str, EnvironmentName] = Field(
        default_factory=dict, description="by secret of the provider, the environment variable that holds it"
    )
    settings: dict[str, str] = Field(default_factory=dict, description="what else the provider wants to know")
    fields: tuple[FieldMapping, ...] = Field(
        default=(), description="where the usual fields are not the right ones"
    )
    poll_minutes: int = Field(default=5, ge=1, le=1440, description="how often it is asked for what is new")
