"""What a person may do about an open exception."""

from __future__ import annotations

from activities.ledger.company_exceptions import EVENT, INTEGRATION
from activities.ledger.exceptions import Resolution
from billing.exceptions import ACCEPTABLE, OVERRIDE_HELPS, Finding, ReasonCode


def resolutions_of(finding: Finding, *, issued: bool) -> tuple[str, ...]:
    """Of an exception of an invoice, issued or not: overriding a fact or voiding it is for drafts only."""
    accept = (Resolution.ACCEPT,) if finding.code in ACCEPTABLE else ()
    override = (Resolution.OVERRIDE,) if not issued and finding.code in OVERRIDE_HELPS else ()
    if finding.code is ReasonCode.PAID_BACK:  # nothing is to be looked at again
        return accept
    return (Resolution.RETRY, *accept, *override, *(() if issued else (Resolution.VOID,)))


def resolutions_without_invoice(subject: str) -> tuple[str, ...]:
    """Billow looks again at an event or a system when it is asked to; at everything else by itself, in each run."""
    if subject.startswith((EVENT, INTEGRATION)):
        return (Resolution.RETRY, Resolution.ACCEPT)
    return (Resolution.ACCEPT,)
