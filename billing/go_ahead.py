"""Whether the calendar may bill an agreement now: the client is active, and what was agreed is signed."""

from __future__ import annotations

from billing.agreements import Agreement
from billing.company import Client
from billing.exceptions import Finding, ReasonCode
from billing.sources import CrmClient, SignedContract


def hindrance(
    agreement: Agreement, client: Client | None, crm: CrmClient | None, contract: SignedContract | None
) -> Finding | None:
    """What keeps the agreement from being billed by itself, None if nothing does.

    An agreement that names no contract needs none. Everything else that may be wrong is for the checks of the draft.
    """
    if client is None:
        return Finding(
            code=ReasonCode.CLIENT_UNKNOWN,
            message=f"the company has no client {agreement.client!r}; correct `client` of agreement {agreement.id!r}",
            field="client",
        )
    if crm is None:
        return Finding(
            code=ReasonCode.CLIENT_UNKNOWN,
            message=f"the CRM has no company {client.crm!r}; add it there or correct `crm` of client {client.id!r}",
            field="crm",
        )
    if not crm.active:
        return Finding(
            code=ReasonCode.CLIENT_INACTIVE,
            message=f"client {client.id!r} is not active in the CRM; activate it, or end agreement {agreement.id!r}",
            field="active",
        )
    if agreement.contract and contract is None:
        return Finding(
            code=ReasonCode.NOT_SIGNED,
            message=f"there is no signed contract {agreement.contract!r} for agreement {agreement.id!r}; "
            "have it signed and filed",
            field="contract",
        )
    return None
