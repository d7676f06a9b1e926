"""Claims that came by signal: read with suspicion, handed to the ledger."""

from __future__ import annotations

import json
from typing import Any

from pydantic import ValidationError
from sqlalchemy.orm import Session

from activities.ledger import approvals
from activities.ledger.tables import InvoiceRow
from billing.approval_policy import Channel, Claim, Verdict
from billing.company import Company
from workflows.messages import Failure, HeardClaim, StepInput


def hear(tx: Session, row: InvoiceRow, step: StepInput | Failure, company: Company) -> None:
    """Has the ledger accept or refuse everything that was heard since the last step; each claim once."""
    for heard in step.heard:
        claim, problem = read(heard)
        approvals.hear(tx, row, heard.id, claim, problem, company, at=step.as_of)


def read(heard: HeardClaim) -> tuple[Claim | None, str]:
    """The claim in a signal, or what is wrong with it, in words for whoever sent it."""
    if heard.signal == "too many":
        return None, f"not kept: {storable(heard.content)[:80]}"
    try:
        verdict = Verdict(heard.signal)
    except ValueError:
        return None, f"there is no signal {storable(heard.signal)[:60]!r}; there are: approve, reject, wake"
    try:
        content: Any = json.loads(heard.content)
    except (ValueError, RecursionError):
        return None, "the content is not JSON, nested too deeply, or longer than 2,000 characters"
    if not isinstance(content, list) or len(content) != 1 or not isinstance(content[0], dict):
        return None, f'send one JSON object, such as {{"approver": "…"}}; got {storable(heard.content)[:120]}'
    given = content[0]
    try:
        claim = Claim(
            verdict=verdict,
            approver=given.get("approver", ""),
            channel=Channel.SIGNAL,
            comment=given.get("comment") or given.get("reason") or "",
            draft_digest=given.get("draft_digest"),
        )
    except ValidationError:
        return None, "approver, comment, reason and draft_digest must be text"
    return claim.model_copy(
        update={
            "approver": storable(claim.approver)[:100],
            "comment": storable(claim.comment),
            "draft_digest": storable(claim.draft_digest) if claim.draft_digest else None,
        }
    ), ""


def storable(text: str) -> str:
    """The text without what PostgreSQL cannot keep: NUL and lone surrogates."""
    return text.replace("\x00", "�").encode("utf-8", "replace").decode("utf-8")
