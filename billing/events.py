"""Events that make something due, in the one shape every source is brought to: CloudEvents 1.0."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from billing.parties import Identifier, Strict

_PRINTABLE = r"^[^\x00-\x1f\x7f]+$"


class EventType(StrEnum):
    """What happened."""

    DEAL_WON = "billow.deal.won"
    MILESTONE_SIGNED_OFF = "billow.milestone.signed_off"
    PROJECT_COMPLETED = "billow.project.completed"
    BLOCK_USED_UP = "billow.block.used_up"
    CONTRACT_SIGNED = "billow.contract.signed"


Reference = Annotated[str, Field(min_length=1, max_length=200)]


class EventData(Strict):
    """What it happened to: an agreement by its id, or those of a deal, a contract or a project.

    Where several are given, all of them must fit.
    """

    agreement: Identifier | None = None
    deal: Reference | None = Field(default=None, description="id of the deal in the CRM")
    contract: Reference | None = Field(default=None, description="id of the signed contract")
    project: Reference | None = Field(default=None, description="id of the project in the PSA")
    client: Identifier | None = Field(default=None, description="whose agreement it must be")
    milestone: Identifier | None = None
    block: int | None = Field(default=None, ge=1, le=9999, description="the block that is used up, from 1")

    @property
    def names(self) -> dict[str, str]:
        """What tells the agreements it is about from others."""
        given = {
            "agreement": self.agreement,
            "deal": self.deal,
            "contract": self.contract,
            "project": self.project,
            "client": self.client,
        }
        return {kind: value for kind, value in given.items() if value is not None}


class BillingEvent(BaseModel):
    """A CloudEvent about an agreement; attributes we do not know are left alone."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    specversion: Literal["1.0"]
    id: str = Field(min_length=1, max_length=200, pattern=_PRINTABLE, description="unique with the source")
    source: str = Field(
        min_length=1, max_length=200, pattern=_PRINTABLE, description="who says so, such as /psa or urn:psa"
    )
    type: EventType
    time: AwareDatetime | None = None
    data: EventData

    @model_validator(mode="after")
    def _names_its_subject(self) -> BillingEvent:
        if not self.data.names.keys() - {"client"}:
            raise ValueError(
                "an event says what it is about; write data.agreement, deal, contract or project"
            )
        if self.type is EventType.MILESTONE_SIGNED_OFF and self.data.milestone is None:
            raise ValueError(f"an event {self.type} says which milestone; write data.milestone: its id")
        if self.type is EventType.BLOCK_USED_UP and self.data.block is None:
            raise ValueError(f"an event {self.type} says which block; write data.block: its number, from 1")
        return self

    def says_the_same(self, other: BillingEvent) -> bool:
        """Whether the other is this event, sent once more: only its time may have been written anew."""
        return (self.type, self.data) == (other.type, other.data)

    def happened(self, received: datetime) -> datetime:
        """When it happened; where the event does not say, when it was received."""
        return self.time or received


VENDOR = "/integrations/"
"""How the source of an event begins that a connected system told, which tells whatever happens in it."""

_OF_THE_WHOLE = frozenset({EventType.DEAL_WON, EventType.CONTRACT_SIGNED, EventType.PROJECT_COMPLETED})


def comes_anyway(event: BillingEvent) -> bool:
    """Whether such an event comes for every deal, contract or project, or every milestone of a connected system, be an
    agreement of it billed by that or not."""
    everything = event.type in _OF_THE_WHOLE or event.source.startswith(VENDOR)
    return everything and event.data.agreement is None
