"""Links by which a client looks at its invoice: made anew, or revoked."""

from __future__ import annotations

from collections.abc import Callable

from activities.ledger import portal_link_commands
from starter.web.orders import Order


def _renew(order: Order) -> str:
    number, ended = portal_link_commands.renew(order.ledger, order["invoice"], **order.said)
    return f"There is a new link to {number}" + (
        "; those handed out before lead nowhere any more." if ended else "."
    )


def _revoke(order: Order) -> str:
    number, ended = portal_link_commands.revoke(order.ledger, order["invoice"], **order.said)
    if not ended:
        return f"No link leads to {number}."
    return f"{'A link' if ended == 1 else f'{ended} links'} to {number} revoked; the client sees it by none of them."


COMMANDS: dict[str, Callable[[Order], str]] = {"renew-link": _renew, "revoke-link": _revoke}
