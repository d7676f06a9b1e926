"""What goes in and out of workflows and activities. New fields need a default: old histories are read for months."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, computed_field


class Message(BaseModel):
    """Base of all payloads: frozen, and keys of a later version are left alone."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Step(StrEnum):
    """The steps of an invoice's life, in the order of business."""

    ASSEMBLE = "assemble"
    APPROVE = "approve"
    ISSUE = "issue"
    RENDER = "render"
    DELIVER = "deliver"
    COLLECT = "collect"


class InvoiceRef(Message):
    """Which invoice a workflow is for: its billing key; the ledger knows the rest."""

    billing_key: str


class HeardClaim(Message):
    """A signal as it came: its name and its content, as text, not yet believed."""

    id: str
    signal: str
    content: str


class StepInput(Message):
    """An invoice, the instant the step counts as taken, and what was heard since the last step."""

    billing_key: str
    as_of: datetime
    heard: tuple[HeardClaim, ...] = ()


class Failure(Message):
    """A step that did not work however often it was tried."""

    billing_key: str
    as_of: datetime
    step: Step
    error: str
    heard: tuple[HeardClaim, ...] = ()


class Plan(Message):
    """What comes next, decided in the ledger: which step, when, and what people are told meanwhile.

    `at` is None when the step can be taken at once, and `step` None when the invoice needs nothing more.
    """

    step: Step | None
    at: datetime | None = None
    name: str = ""
    state: str = ""
    waits_for: str = ""
    owner: str = ""
    then: str = ""
    due: str = ""
    number: str = ""

    @property
    def open(self) -> bool:
        return self.step is not None


class BillingRunInput(Message):
    """Asks for a billing run, over all agreements, those named or those of clients named.

    Without `as_of` it is the workflow's own time.
    """

    as_of: datetime | None = None
    requested_by: str = ""
    agreements: tuple[str, ...] = ()
    clients: tuple[str, ...] = ()


class BillingRunOrder(Message):
    """A billing run by its name; everything in it is decided as of one instant."""

    run: str
    as_of: datetime
    requested_by: str = ""
    agreements: tuple[str, ...] = ()
    clients: tuple[str, ...] = ()


class BillingRunProgress(Message):
    """How far a billing run is: agreements there are and looked at, invoices asked for and held."""

    agreements: int = 0
    looked_at: int = 0
    triggered: int = 0
    caught_up: int = 0
    held: int = 0
    waits_for: str = ""
    finished: bool = False

    @computed_field  # type: ignore[prop-decorator]
    @property
    def percent(self) -> int:
        """Of the agreements, how many have been looked at, rounded down; 100 only once it is finished."""
        if self.finished:
            return 100
        return min(100 * self.looked_at // self.agreements, 99) if self.agreements else 0


class ReconciliationInput(Message):
    """Asks for a reconciliation; without `as_of` it is the workflow's own time."""

    as_of: datetime | None = None


class ReconciliationOrder(Message):
    as_of: datetime


class ReconciliationResult(Message):
    """What a reconciliation found: leaks there are, of which nobody knew before."""

    leaks: int = 0
    new: int = 0
