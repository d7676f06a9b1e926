"""What stands in for a payment provider in development: a page of our own web app, on which no money moves."""

from __future__ import annotations

from urllib.parse import quote

from activities.payments.provider import CheckoutPage, CheckoutReport, CheckoutStatus, Order, ProviderPayment
from billing.connections import Connection, Port
from billing.errors import Refused
from billing.money import Money

NAME = "stand-in-checkout"
PATH = "/stand-in-checkout/"

STAND_IN = Connection(id=NAME, provider=NAME, port=Port.PAYMENTS)
"""Under which name its pages are kept; it stands in no integrations.yaml, and is no provider of a company."""


class StandInCheckout:
    """The adapter. It keeps nothing: the ledger's row of the page is all there is."""

    source = f"/integrations/{NAME}"

    def __init__(self, base_url: str) -> None:
        self._base = base_url.rstrip("/")

    def can_take(self, amount: Money, issuer: str) -> bool:
        """Always."""
        return bool(amount.amount > 0 and issuer)

    def check_out(self, order: Order) -> CheckoutPage:
        """A page named after the order's key."""
        session = f"stand-in-{order.key.rpartition('/')[2][:32]}"
        url = f"{self._base}{PATH}{session}?back={quote(order.return_url, safe='')}"
        return CheckoutPage(session, url, order.expires_at)

    def checkout(self, session: str) -> CheckoutReport | None:
        """Open: whoever asks has it from the ledger."""
        return CheckoutReport(session, CheckoutStatus.OPEN)

    def close(self, session: str) -> CheckoutReport | None:
        """Ended."""
        return CheckoutReport(session, CheckoutStatus.EXPIRED)

    def payment(self, id_: str) -> ProviderPayment | None:  # noqa: ARG002  # the interface's
        """None: what was paid here is told as it is paid."""
        return None

    def refund(self, payment: str, amount: Money, *, item: int) -> str:  # noqa: ARG002  # the interface's
        """Never: no money came."""
        raise Refused(f"{amount} was paid on the stand-in page, where no money moves; refund {item} by hand")
