"""Rules over an e-invoice that are pure: of Peppol BIS Billing 3, of XRechnung 3.0, and our own."""

from __future__ import annotations

from billing.einvoice.breach import Breach, RuleSet
from billing.einvoice.model import EInvoice, Profile
from billing.einvoice.rules import germany, identifiers, national, own, peppol
from billing.einvoice.rules.rule import broken

PEPPOL = (*peppol.RULES, *identifiers.RULES, *germany.PEPPOL, *national.RULES)


def rule_breaches(invoice: EInvoice) -> tuple[Breach, ...]:
    """What the invoice breaks: always of our own rules, and of those its profile and its buyer's address promise."""
    found = [*broken(own.RULES, RuleSet.OWN, invoice)]
    if invoice.profile is Profile.XRECHNUNG:
        found += broken(germany.XRECHNUNG, RuleSet.XRECHNUNG, invoice)
    elif invoice.for_peppol:
        found += broken(PEPPOL, RuleSet.PEPPOL, invoice)
    return tuple(found)
