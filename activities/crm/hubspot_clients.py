"""HubSpot's companies as clients, with the contacts that have a role in billing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from activities.crm.hubspot_fields import HubSpotFields, named
from activities.crm.hubspot_objects import HubSpotObjects, Link
from activities.providers.paging import Record
from billing.errors import SourceFaulty
from billing.parties import Address, Contact
from billing.sources import CrmClient

_WITH_REGION = frozenset({"AU", "CA", "IN", "US"})
"""Where HubSpot's state is part of the postal address, or decides about tax; elsewhere HubSpot fills it in itself."""

_Person = tuple[Record, Link]


@dataclass(frozen=True)
class Clients:
    """The companies of one account."""

    fields: HubSpotFields
    objects: HubSpotObjects

    def every(self) -> tuple[CrmClient, ...]:
        """All that are listed, by id. `SourceFaulty` if one lacks what an invoice needs: none is left out silently."""
        records = [
            each
            for each in self.objects.every("companies", self.fields.wanted("company"))
            if self.fields.flag("client.listed", named("company", each), f"company {each['id']}")
        ]
        people = self._people([str(each["id"]) for each in records])
        found, faults = list[CrmClient](), list[str]()
        for each in sorted(records, key=lambda each: str(each["id"])):
            try:
                found.append(self._client(each, people[str(each["id"])]))
            except SourceFaulty as error:
                faults.append(str(error))
        if faults:
            raise SourceFaulty(
                f"{len(faults)} of {len(records)} companies are not complete (map client.listed to list clients only), "
                f"first: {faults[0]}"
            )
        return tuple(found)

    def one(self, id_: str) -> CrmClient | None:
        """The company with that id; None if there is none."""
        record = self.objects.one("companies", id_, self.fields.wanted("company"))
        return self._client(record, self._people([id_])[id_]) if record else None

    def _client(self, record: Record, people: Sequence[_Person]) -> CrmClient:
        id_, fields = str(record["id"]), self.fields
        said, of = named("company", record), f"company {id_}"
        name = fields.needed("client.name", said, of)
        contact, copies = self._recipients(name, said, of, people)
        return CrmClient(
            id=id_,
            name=name,
            address=self._address(said, of),
            vat_id=fields.text("client.vat_id", said, of),
            tax_number=fields.text("client.tax_number", said, of),
            business=fields.flag("client.business", said, of),
            public_body=fields.flag("client.public_body", said, of),
            special_zone=fields.flag("client.special_zone", said, of),
            exemption_certificate=fields.text("client.exemption_certificate", said, of),
            active=fields.flag("client.active", said, of),
            billing_contact=contact,
            copies_to=copies,
        )

    def _address(self, said: Record, of: str) -> Address:
        fields = self.fields
        country = fields.country("client.country", said, of)
        streets = (fields.needed("client.street", said, of), fields.text("client.street2", said, of))
        return Address(
            street=", ".join(filter(None, streets)),
            postcode=fields.text("client.postcode", said, of),
            city=fields.needed("client.city", said, of),
            region=fields.text("client.region", said, of) if country in _WITH_REGION else "",
            country=country,
        )

    def _recipients(
        self, name: str, company: Record, of: str, people: Sequence[_Person]
    ) -> tuple[Contact | None, tuple[str, ...]]:
        """Who is written to, and who gets copies: of several billing contacts the one longest in the CRM is written to,
        the others get copies."""
        fields = self.fields
        billed = list[Contact]()
        copied = re.split(r"[\s;,]+", fields.text("client.copies_to", company, of))
        if fields.text("client.billing_email", company, of):
            own = fields.text("client.billing_name", company, of)
            billed.append(Contact(name=own or name, email=fields.email("client.billing_email", company, of)))
        for record, link in people:
            said, who = named("contact", record), f"contact {record['id']} of {of}"
            if self._has(fields.settings.billing_label, "contact.billing", link, said, who):
                billed.append(self._contact(said, who))
            elif self._has(fields.settings.copies_label, "contact.copies", link, said, who):
                copied.append(self._contact(said, who).email)
        copied += [each.email for each in billed[1:]]
        written_to = billed[0] if billed else None
        once = dict.fromkeys(each for each in copied if each)
        return written_to, tuple(each for each in once if written_to is None or each != written_to.email)

    def _has(self, label: str, ours: str, link: Link, said: Record, who: str) -> bool:
        return label.casefold() in link.labels or self.fields.flag(ours, said, who)

    def _contact(self, said: Record, who: str) -> Contact:
        names = (self.fields.text(each, said, who) for each in ("contact.first_name", "contact.last_name"))
        email = self.fields.email("contact.email", said, who)
        return Contact(name=" ".join(filter(None, names)) or email, email=email)

    def _people(self, companies: Sequence[str]) -> dict[str, list[_Person]]:
        """The contacts of companies that may have a role, the one longest in the CRM first."""
        settings = self.fields.settings
        labels = {settings.billing_label.casefold(), settings.copies_label.casefold()}
        by_property = self.fields.property("contact.billing") or self.fields.property("contact.copies")
        links = {
            company: [each for each in found if by_property or labels & each.labels]
            for company, found in self.objects.linked("companies", companies, "contacts").items()
        }
        ids = [each.id for found in links.values() for each in found]
        contacts = self.objects.batch("contacts", ids, self.fields.wanted("contact"))
        return {
            company: [(contacts[each.id], each) for each in found if each.id in contacts]
            for company, found in links.items()
        }
