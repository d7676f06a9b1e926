"""Services of an issuer in India: CGST and SGST within a state, IGST between states, exports zero-rated."""

from __future__ import annotations

import re
from decimal import Decimal

from billing.taxes.categories import TaxCategory
from billing.taxes.facts import LIABILITIES, Registration, Scheme, ServiceKind, TaxFacts
from billing.taxes.notes import NoteCode
from billing.taxes.outcome import Outcome, TaxComponent, TaxUnknown, charged, per_cent, untaxed
from billing.taxes.rates import RateTable

LONGEST_NUMBER = 16
"""Characters an invoice number may have: rule 46(b) CGST Rules 2017."""

STATES = {
    "JK": "01", "HP": "02", "PB": "03", "CH": "04", "UK": "05", "UT": "05", "HR": "06", "DL": "07",
    "RJ": "08", "UP": "09", "BR": "10", "SK": "11", "AR": "12", "NL": "13", "MN": "14", "MZ": "15",
    "TR": "16", "ML": "17", "AS": "18", "WB": "19", "JH": "20", "OR": "21", "OD": "21", "CT": "22",
    "CG": "22", "MP": "23", "GJ": "24", "DH": "26", "MH": "27", "KA": "29", "GA": "30", "LD": "31",
    "KL": "32", "TN": "33", "PY": "34", "AN": "35", "TG": "36", "TS": "36", "AP": "37", "LA": "38",
}  # fmt: skip
"""ISO 3166-2 letters of states and union territories and the codes a GSTIN begins with."""

CODES = frozenset(STATES.values()) | {"97"}
"""97 is Other Territory."""

UNION_TERRITORIES = frozenset({"04", "26", "31", "35", "38", "97"})
"""Codes of territories without a legislature: they charge UTGST in place of SGST (UTGST Act 2017)."""

SAC = {
    ServiceKind.CONSULTING: "998313",
    ServiceKind.SUPPORT: "998313",
    ServiceKind.DEVELOPMENT: "998314",
    ServiceKind.HOSTING: "998315",
    ServiceKind.DATA_PROCESSING: "998315",
    ServiceKind.SAAS: "998315",
    ServiceKind.LICENCE: "997331",
    ServiceKind.TRAINING: "999293",
    ServiceKind.HARDWARE: "998713",
}
"""Services Accounting Codes: annexure to Notification 11/2017-Central Tax (Rate)."""

_NUMBER = re.compile(r"[A-Za-z0-9/-]{1,16}")


def number_is_allowed(number: str) -> bool:
    """Whether a document may bear this number: up to 16 letters, digits, `-` and `/` (rule 46(b) CGST Rules 2017)."""
    return _NUMBER.fullmatch(number) is not None


def state_of(text: str) -> str:
    """The state code of a GSTIN, of a two-digit code or of ISO letters; empty if it is none."""
    begins = text.strip().upper()[:2]
    code = STATES.get(text.strip().upper(), begins)
    return code if code in CODES else ""


def decide(facts: TaxFacts, rates: RateTable) -> Outcome:
    """By the place of supply: a registered recipient's state, else its address (s. 12(2), (5) IGST Act 2017)."""
    registered = _registered(facts)
    if isinstance(registered, TaxUnknown):
        return registered
    if registered and registered.scheme is not Scheme.STANDARD:
        return _not_charged(registered)
    own = registered.number if registered and registered.number else facts.issuer_vat_id
    home = state_of(own) if own[:1].isdigit() else ""
    if not home:
        return TaxUnknown(
            reason="the issuer has no GSTIN, so its state is unknown",
            next_step="add it to its registrations, or say there that it is a small business",
            field="registrations",
        )
    if stop := _not_by_rule(facts):
        return stop
    if facts.client_country != "IN" or facts.client_in_special_zone:
        return _zero_rated(facts)
    there = _place_of_supply(facts)
    if isinstance(there, TaxUnknown):
        return there
    return _charge(facts, rates, own, home, there)


def _registered(facts: TaxFacts) -> Registration | TaxUnknown | None:
    """The registration of the state that supplies: an issuer has a GSTIN in each state it supplies from (s. 25(1))."""
    held = [
        each
        for each in facts.registrations
        if each.country == "IN" and each.scheme in LIABILITIES and each.holds(facts.tax_point)
    ]
    supplies_from = state_of(facts.issuer_region)
    if supplies_from and len(held) > 1:
        held = [each for each in held if state_of(each.number) == supplies_from]
    if len({(each.number, each.scheme) for each in held}) > 1:
        return TaxUnknown(
            reason="the issuer has several registrations in India",
            next_step="write the state that supplies as `region` of the issuer's address (MH, or 27)",
            field="registrations",
        )
    return held[0] if held else None


def _not_by_rule(facts: TaxFacts) -> TaxUnknown | None:
    """What no rule here decides."""
    abroad = facts.client_country != "IN"
    if facts.client_is_public_body and not abroad:
        return TaxUnknown(
            reason="pure services to governments may be exempt (Notification 12/2017-Central Tax (Rate), no 3)",
            next_step="add a rule under tax/ for this client",
        )
    if facts.reduced_rate:
        return TaxUnknown(
            reason=f"no GST rate {facts.reduced_rate!r} of India is known",
            next_step="leave it out, or add a rule under tax/",
        )
    on_the_spot = facts.service in (ServiceKind.EVENT, ServiceKind.HARDWARE)
    if facts.service is ServiceKind.EVENT or (abroad and on_the_spot):
        return TaxUnknown(
            reason=f"{facts.service} is supplied where it is performed (s. 12(6), 13(3) and (5) IGST Act 2017)",
            next_step="add a rule under tax/",
        )
    if abroad and facts.service is ServiceKind.TRAINING and facts.performed_in in ("", "IN"):
        return TaxUnknown(
            reason="training in the recipient's presence is supplied where it is performed (s. 13(3)(b) IGST Act 2017)",
            next_step="say where it is performed (`performed_in`)",
            field="performed_in",
        )
    return None


def _place_of_supply(facts: TaxFacts) -> str | TaxUnknown:
    number = facts.client_vat_id.strip()
    by_number = state_of(number) if number[:1].isdigit() else ""
    by_address = state_of(facts.client_region)
    if by_number and by_address and by_number != by_address:
        return TaxUnknown(
            reason=f"the client's GSTIN is of state {by_number}, its address in state {by_address}",
            next_step="write the address that belongs to the registration, or the GSTIN of that state",
            field="region",
        )
    if facts.service is ServiceKind.TRAINING and not by_number:
        return TaxUnknown(
            reason="training of a recipient without a GSTIN is supplied in the state where it is performed "
            "(s. 12(5)(b) IGST Act 2017)",
            next_step="add its GSTIN, or a rule under tax/ that names the taxes of that state",
            field="performed_in",
        )
    return by_number or by_address or TaxUnknown(
        reason="the client has neither a GSTIN nor a state in its address",
        next_step="add one, the state as `region` (MH, or 27)",
        field="region",
    )  # fmt: skip


def _charge(facts: TaxFacts, rates: RateTable, own: str, home: str, there: str) -> Outcome:
    found = rates.find(facts.tax_point, "IN", tax="IGST")
    if found is None:
        return TaxUnknown(
            reason=f"no GST rate of India is known for {facts.tax_point}", next_step="add it under tax/"
        )
    half = found.rate * Decimal("0.5")
    local = "UTGST" if home in UNION_TERRITORIES else "SGST"
    inside = there == home
    parts = (("CGST", half), (local, half)) if inside else (("IGST", found.rate),)
    act = "s. 7 UTGST Act 2017" if local == "UTGST" else "SGST Act of the state"
    article = f"s. 8(2) IGST Act 2017, s. 9 CGST Act 2017, {act}" if inside else "s. 5, 7(3) IGST Act 2017"
    names = " and ".join(f"{name} {per_cent(rate)}" for name, rate in parts)
    sac = SAC.get(facts.service, "")
    return charged(
        f"from state {home} to state {there}, {names}, {article}" + (f", SAC {sac}" if sac else ""),
        tuple(
            TaxComponent(name=name, category=TaxCategory.STANDARD, rate=rate, number=own)
            for name, rate in parts
        ),
        article=article,
        jurisdiction=f"IN-{there}",
        sources=(found.source, article),
    )


def _not_charged(registered: Registration) -> Outcome:
    small = registered.scheme is Scheme.SMALL_BUSINESS
    article = registered.article or ("s. 22 CGST Act 2017" if small else "")
    if not article:
        return TaxUnknown(
            reason=f"the issuer's registration in IN says {registered.scheme}, but not by which law",
            next_step="write the `article` into it",
            field="registrations",
        )
    return untaxed(
        TaxCategory.EXEMPT,
        NoteCode.SMALL_BUSINESS if small else NoteCode.EXEMPT,
        f"{registered.scheme} in IN",
        article=article,
        home="IN",
        tax="GST",
        jurisdiction="IN",
    )


def _zero_rated(facts: TaxFacts) -> Outcome:
    """Exports and supplies to a special economic zone, without tax under a letter of undertaking."""
    zone = facts.client_country == "IN"
    undertaking = next(
        (
            each.undertaking
            for each in facts.registrations
            if each.country == "IN" and each.undertaking and each.holds(facts.tax_point)
        ),
        "",
    )
    what = "service to a special economic zone" if zone else f"export of a service to {facts.client_country}"
    if not undertaking:
        return TaxUnknown(
            reason=f"{what} is free of tax only under a letter of undertaking (s. 16(3) IGST Act 2017, rule 96A)",
            next_step="write its reference as `undertaking` into the registration, or add a rule that IGST is charged",
            field="registrations",
        )
    return untaxed(
        TaxCategory.ZERO_RATED,
        NoteCode.ZONE_UNDER_UNDERTAKING if zone else NoteCode.EXPORT_UNDER_UNDERTAKING,
        f"{what}, under letter of undertaking {undertaking}",
        article="s. 7(5)(b), s. 16(1)(b) IGST Act 2017" if zone else "s. 2(6), s. 16(1)(a) IGST Act 2017",
        home="IN",
        tax="IGST",
        number=undertaking,
        jurisdiction="IN",
    )
