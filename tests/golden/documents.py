"""Every golden document by its name: what is drawn, and in which look."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from activities.documents.invoice_values import values
from activities.documents.look import LookFiles
from activities.documents.pdf import render_invoice, typeset
from activities.documents.press import page
from activities.documents.sample_documents import BUYER, PAGES, Parties
from activities.languages.catalogue import LANGUAGES
from billing.document import InvoiceDocument
from billing.document_kind import DocumentKind
from billing.looks import Look, LookName
from billing.work_records import HoursAppendix
from tests.activities.documents.samples import ISSUER
from tests.golden import awkward, invoices

LOGO = b"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 262 60"><path d="M4 56 30 4l26 52H42L30 30 18 56z"
fill="#d98e04"/><text x="70" y="44" font-family="Noto Sans" font-weight="bold" font-size="38">Nordlicht</text></svg>"""


def own(name: LookName) -> LookFiles:
    """A look as a company makes it its own: light accent, logo, a line in the foot, terms."""
    return LookFiles(
        look=Look(
            id="berlin",
            based_on=name,
            accent="#f2b705",
            logo="logo.svg",
            footer={"en": "Nordlicht plants a tree for every invoice that is not printed."},
            terms={"en": "Our general terms of 1 January 2026 apply; they are at nordlicht.example/terms."},
        ),
        files={"logo.svg": LOGO},
    )


LOOKS = {name: LookFiles(look=Look(id="berlin", based_on=name)) for name in LookName}

LETTERS = [name for name in PAGES if name not in {kind.value.replace(" ", "-") for kind in DocumentKind}]
"""Documents that are no invoices: reminders, statements, receipts."""

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
    found: dict[str, Callable[[], bytes]] = {}
    for look, files in LOOKS.items():
        for name, awkward_one in AWKWARD.items():
            found[f"{name}.{look}"] = partial(_rendered, awkward_one, files)
        plain = partial(invoices.of_kind, DocumentKind.INVOICE, "en")
        found[f"own-look.{look}"] = partial(_rendered, plain, own(look))
    for at, kind in enumerate(DocumentKind):
        for language, look in _pairs(at):
            document = partial(invoices.of_kind, kind, language)
            found[f"{kind.value.replace(' ', '-')}.{language}.{look}"] = partial(
                _rendered, document, LOOKS[look]
            )
    for at, name in enumerate(LETTERS):
        for language, look in _pairs(at):
            found[f"{name}.{language}.{look}"] = partial(_letter, name, language, LOOKS[look])
    return found


def _pairs(start: int) -> Iterator[tuple[str, LookName]]:
    """English and German in every look, each other language in one, in turn."""
    looks = list(LookName)
    for at, language in enumerate(LANGUAGES):
        if language in ("en", "de"):
            yield from ((language, look) for look in looks)
        else:
            yield language, looks[(start + at) % len(looks)]


def written(name: str, language: str, look: LookFiles) -> str:
    """The page of a document, before it is set in type; `name` is that of a kind of invoice or of a letter."""
    if name in LETTERS:
        return PAGES[name](Parties(ISSUER, BUYER, language), look)
    document = invoices.of_kind(DocumentKind(name), language)
    return page("invoice.html", values(document, look), name, look)


def _rendered(document: Callable[[], InvoiceDocument], look: LookFiles) -> bytes:
    return render_invoice(document(), look)


def _letter(name: str, language: str, look: LookFiles) -> bytes:
    return typeset(PAGES[name](Parties(ISSUER, BUYER, language), look), name, look)


EINVOICES: dict[str, Callable[[], InvoiceDocument]] = {
    **{
        kind.value.replace(" ", "-"): partial(invoices.of_kind, kind, "de")
        for kind in DocumentKind
        if kind.type_code
    },
    **{
        name: AWKWARD[name]
        for name in ("nine-rates", "reverse-charge", "negative-lines", "nothing-due", "swiss-de")
    },
}
"""Documents whose XML is kept as well."""

DOCUMENTS = _named()
"""What draws each golden document, by its name: invoices of every kind, letters, and awkward ones."""
