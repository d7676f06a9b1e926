"""Every golden document by its name: what is drawn, and in which look."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from activities.documents.look import LookFiles
from activities.documents.pdf import render_invoice
from activities.languages.catalogue import LANGUAGES
from billing.document import InvoiceDocument
from billing.document_kind import DocumentKind
from billing.looks import Look, LookName
from billing.work_records import HoursAppendix
from tests.golden import awkward, invoices

LOOKS = {name: LookFiles(look=Look(id="berlin", based_on=name)) for name in LookName}

AWKWARD: dict[str, Callable[[], InvoiceDocument]] = {
    "long-names": awkward.long_names,
    "nine-rates": awkward.nine_rates,
    "reverse-charge": awkward.reverse_charge,
    "negative-lines": awkward.negative_lines,
    "nothing-due": awkward.nothing_due,
    "every-script": awkward.every_script,
    "70-lines": partial(awkward.lines, 70),
    "giant-line": awkward.giant_line,
    "hours-by-person": partial(invoices.of_hours, HoursAppendix.BY_PERSON),
    "hours-by-ticket": partial(invoices.of_hours, HoursAppendix.BY_TICKET, "de"),
    "swiss-de": partial(invoices.swiss, "de"),
    "swiss-fr": partial(invoices.swiss, "fr"),
    "swiss-it": partial(invoices.swiss, "it"),
    "swiss-eur": partial(invoices.swiss, "en", "EUR"),
}


def _named() -> dict[str, Callable[[], bytes]]:
    """Each kind in each language and look; awkward ones in each look."""
    found: dict[str, Callable[[], bytes]] = {}
    for look, files in LOOKS.items():
        for kind in DocumentKind:
            for language in LANGUAGES:
                name = f"{kind.value.replace(' ', '-')}.{language}.{look}"
                document = partial(invoices.of_kind, kind, language)
                found[name] = partial(_rendered, document, files)
        for name, document in AWKWARD.items():
            found[f"{name}.{look}"] = partial(_rendered, document, files)
    return found


def _rendered(document: Callable[[], InvoiceDocument], look: LookFiles) -> bytes:
    return render_invoice(document(), look)


DOCUMENTS = _named()
