"""What was sold or signed and nobody made an agreement of: it would never be billed."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from billing.exceptions import ReasonCode
from billing.leakage.expected import Expectations
from billing.leakage.leak import SUBJECT, Leak
from billing.money import Money, rounded
from billing.sources import CrmDeal, SignedContract


def without_agreement(expected: Expectations) -> Iterator[Leak]:
    """Won deals and signed contracts no agreement names. A deal and the contract it became are one leak."""
    agreements = expected.facts.company.agreements
    deals_named = {each.deal for each in agreements}
    papers_named = {each.contract for each in agreements}
    papers_named |= {order.document for each in agreements for order in each.change_orders}
    papers = [
        each
        for each in expected.facts.contracts
        if each.id not in papers_named
        and expected.looked_for(max(each.signed_on, each.start or each.signed_on))
    ]
    for deal in expected.facts.deals:
        # without the day it was won, nobody can tell that it is too early
        if not deal.won or deal.id in deals_named or (deal.won_on and not expected.looked_for(deal.won_on)):
            continue
        paper = next((each for each in papers if _same_sale(deal, each)), None)
        if paper is not None:
            papers.remove(paper)
        won = f"was won on {deal.won_on.isoformat()}" if deal.won_on else "is won"
        signed = f" and signed as {paper.id}" if paper else ""
        yield Leak(
            code=ReasonCode.DEAL_WITHOUT_AGREEMENT,
            subject=f"{SUBJECT}deal/{deal.id}",
            message=f"deal {deal.id} of {_whom(expected, deal.client)} {won}{signed}, and no agreement "
            f"names it; write one with `deal: {deal.id}`",
            since=deal.won_on or expected.today,
            client=expected.client_of(deal.client),
            at_stake=_value(deal.value, deal.currency),
        )
    for paper in papers:
        yield Leak(
            code=ReasonCode.CONTRACT_WITHOUT_AGREEMENT,
            subject=f"{SUBJECT}contract/{paper.id}",
            message=f"contract {paper.id} of {_whom(expected, paper.client)} was signed on "
            f"{paper.signed_on.isoformat()}, and no agreement names it; write one with `contract: {paper.id}`",
            since=paper.signed_on,
            client=expected.client_of(paper.client),
            at_stake=_value(paper.value, paper.currency),
        )


def _same_sale(deal: CrmDeal, paper: SignedContract) -> bool:
    return (deal.client, deal.value, deal.currency) == (paper.client, paper.value, paper.currency)


def _whom(expected: Expectations, crm: str) -> str:
    known = expected.client_of(crm)
    return f"client {known!r}" if known else f"company {crm} (no client of the company folder)"


def _value(value: Decimal, currency: str) -> Money | None:
    try:
        return Money.of(rounded(value, currency), currency)
    except ValueError:
        return None
