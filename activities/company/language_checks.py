"""Whether documents and mails can be written in the languages of the clients."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from activities.languages.built_in import LANGUAGES
from billing.complaints import CompanyRecords, Complaint

if TYPE_CHECKING:
    from activities.documents.look import LookFiles


def check_languages(records: CompanyRecords, looks: Mapping[str, LookFiles]) -> Iterator[Complaint]:
    """A warning for each client whose language neither Billow has nor a catalogue of its issuer's look."""
    for position, client in records.clients.read.items():
        own = looks[client.issuer].languages if client.issuer in looks else {}
        if client.language not in LANGUAGES and client.language not in own:
            yield Complaint(
                ("clients", position, "language"),
                f"there are no words in {client.language!r}, so documents and mails are written in English; "
                f"there are {', '.join(sorted({*LANGUAGES, *own}))}, "
                f"or add templates/languages/{client.language}.po",
                warning=True,
            )
