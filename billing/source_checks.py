"""Source checks: what the CRM, the PSA and the signed contract say must fit before a number is taken."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from billing.agreements import (
    Agreement,
    Expenses,
    FixedPrice,
    Milestones,
    PrepaidBlock,
    Retainer,
    TimeAndMaterials,
)
from billing.company import Client
from billing.due import OVERAGE, all_milestones
from billing.exceptions import Finding, ReasonCode
from billing.findings import Told, differs, not_signed, values_differ, wrong
from billing.money import total
from billing.parties import is_address
from billing.sources import CrmClient, Sources
from billing.taxes.tax_ids import wrong_by_form

MAX_LINES = 1500
"""Lines one document may have (about 50 pages): beyond it nobody reads and the renderer takes minutes."""


def agreed_value(agreement: Agreement, item: str = "") -> Decimal | None:
    """The net value to be found in deal and contract, or of one milestone; None where only rates were agreed."""
    if item == OVERAGE:
        return None
    match agreement:
        case Milestones() if item:
            return next((each.amount for each in all_milestones(agreement) if each.id == item), None)
        case Retainer() | FixedPrice():
            return agreement.amount
        case Milestones():
            return total(each.amount for each in agreement.milestones)
        case PrepaidBlock():
            return agreement.price
        case TimeAndMaterials() | Expenses():
            return None


def check_client(client: Client, crm: CrmClient | None) -> Iterator[Finding]:
    """The client must be known, active and reachable; its VAT id, if it has one, must be able to be one."""
    if crm is None:
        yield Finding(
            code=ReasonCode.CLIENT_UNKNOWN,
            message=f"the CRM has no company {client.crm!r}; add it there or correct `crm` of client {client.id!r}",
            field="crm",
        )
        return
    if not crm.active:
        yield Finding(
            code=ReasonCode.CLIENT_INACTIVE,
            message=f"client {client.id!r} is not active in the CRM; activate it or void this draft",
            field="active",
        )
    if crm.billing_contact is None:
        yield Finding(
            code=ReasonCode.NO_CONTACT,
            message=f"client {client.id!r} has no billing contact in the CRM; add a name and an e-mail address",
            field="billing_contact",
        )
    problem = wrong_by_form(crm.vat_id, crm.address.country) if crm.vat_id.strip() else ""
    if problem:
        yield Finding(
            code=ReasonCode.VAT_ID_WRONG,
            message=f"client {client.id!r}: {problem}; correct it in the CRM, or set `vat_id` by hand",
            field="vat_id",
            left=f"CRM {crm.vat_id}",
        )
    for address in crm.copies_to:
        if not is_address(address):
            yield Finding(
                code=ReasonCode.NO_CONTACT,
                message=f"{address!r} is not an e-mail address, so client {client.id!r} gets no copy there; "
                "correct `copies_to` in the CRM",
                field="copies_to",
                left=f"CRM {address}",
            )


def check_agreement(
    agreement: Agreement, client: Client, sources: Sources, tolerance: Decimal = Decimal(0)
) -> Iterator[Finding]:
    """Agreement, deal, contract and project must be of one client, currency and value; the contract signed.

    Values of one currency may differ by the tolerance.
    """
    if agreement.contract is not None and sources.contract is None:
        yield not_signed(
            f"there is no signed contract {agreement.contract!r} for agreement {agreement.id!r}", "contract"
        )
    if sources.project and sources.project.client != client.crm:
        yield differs("client", f"PSA {sources.project.client}", f"agreement {client.crm}")
    records = [("CRM", sources.deal), ("contract", sources.contract)]
    for system, record in records:
        if record is None:
            continue
        if record.client != client.crm:
            yield differs("client", f"{system} {record.client}", f"agreement {client.crm}")
        if record.currency != agreement.currency:
            yield differs("currency", f"{system} {record.currency}", f"agreement {agreement.currency}")
    agreed = agreed_value(agreement)
    if agreed is not None:
        values = [Told(system, record.value, record.currency) for system, record in records if record]
        values.append(Told("agreement", agreed, agreement.currency))
        reference = next((each for each in values if each.system == "contract"), values[-1])
        yield from (values_differ(each, reference) for each in values if each.is_apart(reference, tolerance))
    if agreement.deal and sources.deal is None:
        yield wrong("deal", f"the CRM has no deal {agreement.deal!r}")
    elif sources.deal and not sources.deal.won:
        yield wrong(
            "deal", f"deal {sources.deal.id!r} is not won in the CRM; win it there, or accept", "CRM open"
        )
