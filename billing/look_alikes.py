"""Look-alikes: two drafts of a client over the same amount for the same time."""

from __future__ import annotations

from billing.draft import Draft
from billing.exceptions import Finding, ReasonCode
from billing.money import rounded


def looks_like(draft: Draft, other: Draft) -> bool:
    """Whether both bill the same client the same net amount for overlapping times, and may be the same thing.

    Two items of one agreement cannot be: the ledger keeps them apart. Two agreements can, if they share a title or a
    contract, as one that was entered twice does; a client with two sites at one price is no mistake every month. What
    a person wrote down can be anything.
    """
    if (draft.client, draft.currency, draft.net) != (other.client, other.currency, other.net):
        return False
    if draft.agreement and other.agreement:
        same_contract = draft.contract_reference and draft.contract_reference == other.contract_reference
        same_title = _plain(draft.title) == _plain(other.title)
        if draft.agreement == other.agreement or not (same_contract or same_title):
            return False
    if draft.supply is None or other.supply is None:
        return _plain(draft.title) == _plain(other.title)
    return draft.supply.start <= other.supply.end and other.supply.start <= draft.supply.end


def _plain(title: str) -> str:
    return " ".join(title.casefold().split())


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
