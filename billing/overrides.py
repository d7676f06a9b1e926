"""Facts a person sets by hand for one invoice, with a reason, where the source cannot be corrected in time."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import TypeAdapter, ValidationError

from billing.errors import Refused
from billing.parties import Contact, EmailAddress
from billing.sources import Sources

OVERRIDABLE = {
    "contact.name": "the billing contact's name",
    "contact.email": "the billing contact's e-mail address",
    "vat_id": "the client's VAT id",
    "name": "the client's name",
}
"""What may be set by hand: facts about the client. Amounts, hours and rates are corrected where they come from."""

_email: TypeAdapter[str] = TypeAdapter(EmailAddress)


def check_override(field: str, value: str) -> None:
    """`Refused` if the field cannot be set by hand or the value is not one."""
    if field not in OVERRIDABLE:
        raise Refused(f"{field!r} cannot be set by hand; these can: {', '.join(OVERRIDABLE)}")
    if not value.strip():
        raise Refused(f"{field} needs a value")
    if field == "contact.email":
        try:
            _email.validate_python(value)
        except ValidationError as error:
            raise Refused(f"{value!r} is not an e-mail address") from error


def overridden(sources: Sources, overrides: Mapping[str, str]) -> Sources:
    """The sources with what was set by hand in place of what they say."""
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
