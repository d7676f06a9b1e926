"""A request to bill: what fired, for what, and by whom it was asked."""

from __future__ import annotations

from pydantic import model_validator

from billing.agreements import Occasion
from billing.one_off import OneOff
from billing.parties import Strict


class BillingRequest(Strict):
    """Either an occasion under an agreement, or a one-off a person wrote down; known by its billing key."""

    billing_key: str
    trigger: str
    requested_by: str
    reason: str = ""
    occasion: Occasion | None = None
    one_off: OneOff | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> BillingRequest:
        if (self.occasion is None) == (self.one_off is None):
            raise ValueError("a billing request has either an occasion or a one-off")
        return self
