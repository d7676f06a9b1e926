"""Look-alikes: two drafts of a client over the same amount for the same time."""

from __future__ import annotations

from billing.draft import Draft
from billing.exceptions import Finding, ReasonCode
from billing.money import rounded


def looks_like(draft: Draft, other: Draft) -> bool:
    """Whether both bill the same client the same net amount for overlapping times."""
    if (draft.client, draft.currency, draft.net) != (other.client, other.currency, other.net):
        return False
    if draft.supply is None or other.supply is None:
        return draft.title == other.title
    return draft.supply.start <= other.supply.end and other.supply.start <= draft.supply.end


def look_alike(draft: Draft, known_as: str) -> Finding:
    """What a person must decide about a draft that looks like the invoice known by that number or billing key."""
    amount = f"{rounded(draft.net, draft.currency):,} {draft.currency}"
    return Finding(
        code=ReasonCode.LOOK_ALIKE,
        message=f"{known_as} bills the same client {amount} net for the same time; void one of them, or accept both",
        field="net",
        left=amount,
        right=known_as,
    )
