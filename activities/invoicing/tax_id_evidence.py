"""Evidence for a client's VAT id before tax is left to the client: fresh from the ledger, else from VIES."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from activities.invoicing.effects import Effects
from activities.ledger import tax_id_checks
from activities.tax_ids.vies import Vies
from billing.assembly import client_of
from billing.company import Company
from billing.errors import SourceUnavailable
from billing.request import BillingRequest
from billing.sales import needs_evidence
from billing.sources import Sources
from billing.taxes.company_rules import AskVies, WhenDown

_log = logging.getLogger(__name__)


def with_evidence(
    effects: Effects, company: Company, request: BillingRequest, sources: Sources, at: datetime
) -> Sources:
    """The sources with what is known about the client's VAT id, where the company wants it and the sale needs it.

    An answer that says no is asked for again each time: a client may have put it right since. `SourceUnavailable` if
    VIES is down and the company wants the invoice held.
    """
    client = company.client(client_of(request, company) or "")
    issuer = company.issuer(client.issuer) if client else None
    record, settings = sources.client, company.tax
    if (
        settings.vies is not AskVies.ASK
        or issuer is None
        or record is None
        or not needs_evidence(issuer, record)
    ):
        return sources
    number = "".join(record.vat_id.split()).upper()
    with effects.ledger.transaction() as tx:
        known = tax_id_checks.newest(tx, number, at - timedelta(days=settings.fresh_days))
    if known is None or not known.valid:
        try:
            answer = (effects.vies or Vies()).check(number, issuer.vat_id, at)
        except SourceUnavailable as error:
            if settings.when_down is WhenDown.HOLD:
                raise
            _log.warning("VAT id %s goes unchecked, as tax.when_down says: %s", number, error)
            return sources
        with effects.ledger.transaction() as tx:
            tax_id_checks.keep(tx, answer, at)
        known = answer
    return sources.model_copy(update={"tax_id": known.model_copy(update={"number": record.vat_id})})
