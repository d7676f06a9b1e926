"""Facts a person sets by hand for one invoice, with a reason, where the source cannot be corrected in time."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

from pydantic import TypeAdapter, ValidationError

from billing.errors import Refused
from billing.parties import Contact, EmailAddress
from billing.sources import Sources
from billing.taxes.categories import NO_TAX, TaxCategory
from billing.taxes.outcome import TaxDecision

OVERRIDABLE = {
    "contact.name": "the billing contact's name",
    "contact.email": "the billing contact's e-mail address",
    "vat_id": "the client's VAT id",
    "name": "the client's name",
    "tax.category": "the tax category where no rule decides: S, Z, E, AE, G or O (EN 16931, BT-151)",
    "tax.rate": "its rate in per cent; 0 without tax",
    "tax.note": "why no tax is charged, as it stands on the document (BT-120)",
}
"""What may be set by hand: facts about the client, and the tax that no rule knows. Amounts, hours and rates are
corrected where they come from."""

_HIGHEST_RATE = Decimal(50)
"""Per cent; more is a slip of the hand."""

_email: TypeAdapter[str] = TypeAdapter(EmailAddress)


def check_override(field: str, value: str) -> None:
    """`Refused` if the field cannot be set by hand or the value is not one."""
    if field not in OVERRIDABLE:
        raise Refused(f"{field!r} cannot be set by hand; these can: {', '.join(OVERRIDABLE)}")
    if not value.strip():
        raise Refused(f"{field} needs a value")
    if field == "tax.category" and value not in set(TaxCategory):
        raise Refused(f"{value!r} is no tax category; write one of: {', '.join(TaxCategory)}")
    if field == "tax.rate":
        rate_of(value)
    if field == "contact.email":
        try:
            _email.validate_python(value)
        except ValidationError as error:
            raise Refused(f"{value!r} is not an e-mail address") from error


def check_together(overrides: Mapping[str, str]) -> None:
    """`Refused` if what is set about the tax is not whole: category and rate, and a note where none is charged."""
    if not any(field.startswith("tax.") for field in overrides):
        return
    category, rate = overrides.get("tax.category", ""), overrides.get("tax.rate", "")
    if not category or not rate:
        raise Refused("a tax set by hand needs tax.category and tax.rate")
    if (category in NO_TAX) != (rate_of(rate) == 0):
        raise Refused(f"category {category} and {rate} % do not go together: only S has a rate above 0")
    needs_note = category in NO_TAX and category != TaxCategory.ZERO_RATED
    if needs_note and not overrides.get("tax.note", "").strip():
        raise Refused("say in tax.note why no tax is charged: it stands on the document")


def rate_of(value: str) -> Decimal:
    """A rate in per cent; `Refused` for what is none."""
    try:
        rate = Decimal(value.strip().removesuffix("%").strip().replace(",", "."))
    except InvalidOperation as error:
        raise Refused(f"{value!r} is no rate; write per cent such as 19 or 8.1") from error
    if not rate.is_finite() or not 0 <= rate <= _HIGHEST_RATE:
        raise Refused(f"{value!r} is no rate; write per cent from 0 to {_HIGHEST_RATE}")
    return rate


def tax_by_hand(overrides: Mapping[str, str]) -> TaxDecision | None:
    """The tax a person has set, if one has."""
    if "tax.category" not in overrides or "tax.rate" not in overrides:
        return None
    category, rate = TaxCategory(overrides["tax.category"]), rate_of(overrides["tax.rate"])
    return TaxDecision(
        category=category,
        rate=rate,
        note=overrides.get("tax.note", ""),
        why=f"{category}: {rate.normalize():f} % set by hand, where no rule decides",
    )


def overridden(sources: Sources, overrides: Mapping[str, str]) -> Sources:
    """The sources with what was set by hand in place of what they say."""
    if (by_hand := tax_by_hand(overrides)) is not None:
        sources = sources.model_copy(update={"tax_by_hand": by_hand})
    if not overrides or sources.client is None:
        return sources
    client, contact = sources.client, sources.client.billing_contact
    email = overrides.get("contact.email") or (contact.email if contact else "")
    if email and (contact or "contact.email" in overrides):
        name = overrides.get("contact.name") or (
            contact.name if contact else overrides.get("name", client.name)
        )
        contact = Contact(name=name, email=email)
    changed = {
        "billing_contact": contact,
        "vat_id": overrides.get("vat_id", client.vat_id),
        "name": overrides.get("name", client.name),
    }
    return sources.model_copy(update={"client": client.model_copy(update=changed)})
