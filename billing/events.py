"""Events that make something due, in the one shape every source is brought to: CloudEvents 1.0."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from billing.parties import Identifier, Strict


class EventType(StrEnum):
    """What happened."""

    DEAL_WON = "billow.deal.won"
    MILESTONE_SIGNED_OFF = "billow.milestone.signed_off"
    PROJECT_COMPLETED = "billow.project.completed"
    BLOCK_USED_UP = "billow.block.used_up"
    CONTRACT_SIGNED = "billow.contract.signed"


class EventData(Strict):
    """What it happened to."""

    agreement: Identifier
    milestone: Identifier | None = None
    block: int | None = Field(default=None, ge=1, description="number of the block that is used up, from 1")


class BillingEvent(BaseModel):
    """A CloudEvent about an agreement; attributes we do not know are left alone."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    specversion: Literal["1.0"]
    id: str = Field(min_length=1, max_length=200, description="unique with the source")
    source: str = Field(min_length=1, max_length=200, description="who says so, such as /psa or urn:psa")
    type: EventType
    time: AwareDatetime | None = None
    data: EventData

    @model_validator(mode="after")
    def _names_its_subject(self) -> BillingEvent:
        if self.type is EventType.MILESTONE_SIGNED_OFF and self.data.milestone is None:
            raise ValueError(f"an event {self.type} says which milestone; write data.milestone: its id")
        if self.type is EventType.BLOCK_USED_UP and self.data.block is None:
            raise ValueError(f"an event {self.type} says which block; write data.block: its number, from 1")
        return self

    def happened(self, received: datetime) -> datetime:
        """When it happened; where the event does not say, when it was received."""
        return self.time or received
