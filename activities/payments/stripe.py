"""Stripe: clients pay on its own page, by card or what else the account offers; refunds go the same way back.

Secrets: a restricted API key, and the signing secret of the webhook. Amounts are what is open when the client clicks.

SOURCE: https://docs.stripe.com/api (version of the library), https://docs.stripe.com/payments/checkout.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from activities.payments.stripe_webhook import StripeWebhook
from activities.providers.field_map import Names
from activities.providers.provider import Provider
from billing.connections import Connection, Port
from billing.parties import Strict

if TYPE_CHECKING:
    from activities.payments.stripe_account import StripeAccount

TITLE = "Stripe"
USUAL = "https://api.stripe.com"


class Settings(Strict):
    """`issuers` are those whose invoices are paid here, all if none is named; `others` says what becomes of payments on
    this account that are for no invoice: kept as unmatched payments, or ignored, where a shop uses it, too."""

    issuers: Names = Field(default=(), description="ids from issuers.yaml, separated by commas")
    others: Literal["keep", "ignore"] = "keep"


def build(connection: Connection, secrets: Mapping[str, str]) -> StripeAccount:
    """The adapter; the vendor's library is read now, which takes a moment no other command needs."""
    from activities.payments.stripe_account import StripeAccount

    return StripeAccount(connection, secrets)


PROVIDER = Provider(
    name="stripe",
    title=TITLE,
    ports=frozenset({Port.PAYMENTS}),
    base_url=USUAL,
    settings=Settings,
    secrets=("api_key",),
    fields=(),
    build=build,
    webhook=StripeWebhook(),
)
