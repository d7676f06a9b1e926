"""The PDF of an invoice: Jinja2 for the page, WeasyPrint for PDF/A-3b.

A process renders one document at a time: Pango's font maps do not stand threads, so `render_invoice` takes
a lock. To render faster, run more worker processes.
"""

from __future__ import annotations

import gc
import hashlib
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC
from decimal import Decimal
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Any

import weasyprint
import yaml
from jinja2 import FileSystemLoader, StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup
from segno import helpers
from weasyprint.text.ffi import pango
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import URLFetcher, URLFetcherResponse

from activities.documents import fonts
from activities.documents.colour import readable_on_white
from activities.documents.errors import RenderingFailed
from activities.documents.hybrid import write_pdf
from activities.documents.terms_words import terms_in_words
from activities.documents.typography import LANGUAGES, Typography, in_fours, typography
from billing.allowances import Adjustment
from billing.document import InvoiceDocument
from billing.draft import Draft, TaxBreakdown
from billing.early_payment import offer
from billing.money import Money
from billing.taxes.notes import note_in

TEMPLATE = Path(__file__).parent / "templates" / "invoice"

_lock = threading.Lock()
_log = logging.getLogger(__name__)
_weasyprint_log = logging.getLogger("weasyprint")


class _OwnAssets(URLFetcher):  # type: ignore[misc]  # WeasyPrint has no types
    """Serves `asset:<file>` from the template's folder and refuses everything else."""

    def fetch(self, url: str, headers: Any = None) -> URLFetcherResponse:  # noqa: ARG002
        scheme, _, name = url.partition(":")
        path = (TEMPLATE / name).resolve()
        if scheme != "asset" or not path.is_relative_to(TEMPLATE) or not path.is_file():
            raise ValueError(f"{url!r} is not an asset of the template; invoices load nothing else")
        return URLFetcherResponse(url, path.read_bytes())


class _Press:
    """What is costly to make and serves every document of a process: fonts, style sheet, template, words."""

    def __init__(self) -> None:
        fonts.configure()
        self.fetcher = _OwnAssets()
        self.fonts = FontConfiguration()
        self.style = weasyprint.CSS(
            string=(TEMPLATE / "invoice.css").read_text("utf-8"),
            font_config=self.fonts,
            url_fetcher=self.fetcher,
        )
        environment = ImmutableSandboxedEnvironment(
            loader=FileSystemLoader(TEMPLATE), autoescape=True, undefined=StrictUndefined, trim_blocks=True
        )
        self.template = environment.get_template("invoice.html")
        self.words = {
            language: yaml.safe_load((TEMPLATE / f"words.{language}.yaml").read_text("utf-8"))
            for language in LANGUAGES
        }


@lru_cache(maxsize=1)
def _press() -> _Press:
    return _Press()


def render_invoice(document: InvoiceDocument) -> bytes:
    """The invoice as PDF/A-3b in the draft's language (English where there is no translation).

    The same document gives the same bytes with the same `renderer_versions()`. `RenderingFailed` if a
    character has no glyph in any installed font (check with `unprintable` before a number is taken).
    """
    with _lock:
        press = _press()
        try:
            html = press.template.render(_context(document, press.words))
        except TemplateError as error:
            raise RenderingFailed(f"the invoice template cannot write {document.number}: {error}") from error
    return typeset(html, document.number)


def typeset(html: str, name: str) -> bytes:
    """A page as PDF/A-3b in the look of invoices: their style sheet, fonts and assets; `name` is for messages."""
    with _lock, _warnings() as warnings:
        press = _press()
        page = weasyprint.HTML(string=html, url_fetcher=press.fetcher)
        pdf = write_pdf(page.render(stylesheets=[press.style], font_config=press.fonts))
    if missing := [warning for warning in warnings if ".notdef" in warning]:
        raise RenderingFailed(
            f"{name} holds characters no installed font has ({'; '.join(missing)}); "
            "install a font that has them (Debian: fonts-noto-core, fonts-noto-cjk, fonts-symbola)"
        )
    return pdf


def proof(document: InvoiceDocument) -> None:
    """Writes the page without setting it: finds what the template cannot do with this document, in milliseconds.

    `RenderingFailed` says what. Takes the place of rendering before a number is taken.
    """
    with _lock:
        press = _press()
        try:
            press.template.render(_context(document, press.words))
        except (TemplateError, LookupError, TypeError, ValueError) as error:
            raise RenderingFailed(f"the invoice template cannot write this document: {error}") from error


def warm_up() -> None:
    """Loads fonts, style sheet and templates, then takes what lives now out of the garbage collector's sight.

    A rendering process calls it once, after its imports: the collector else costs a quarter of each document.
    """
    with _lock:
        _press()
    fonts.coverage()
    gc.collect()
    gc.freeze()


@lru_cache(maxsize=1)
def renderer_versions() -> dict[str, str]:
    """What the bytes of a PDF depend on besides the document: programs, template, fonts."""
    template = hashlib.sha256()
    for path in sorted(TEMPLATE.iterdir()):
        template.update(path.name.encode() + b"\0" + path.read_bytes())
    packages = ("weasyprint", "pydyf", "fonttools", "segno", "babel")
    return {
        **{package: metadata.version(package) for package in packages},
        "pango": _dotted(pango.pango_version()),
        "template": template.hexdigest()[:16],
        "fonts": fonts.installed_digest()[:16],
    }


def _dotted(version: int) -> str:
    """50012 → 1.50.12, as Pango encodes it (10000 a major version)."""
    return f"{version // 10000}.{version // 100 % 100}.{version % 100}"


def _context(document: InvoiceDocument, all_words: dict[str, dict[str, Any]]) -> dict[str, Any]:
    draft = document.draft
    issuer, buyer = draft.issuer, draft.buyer
    writes = typography(draft.language, buyer.address.country)
    words = all_words[writes.language]
    return {
        "document": document,
        "draft": draft,
        "issuer": issuer,
        "buyer": buyer,
        "account": issuer.bank_account,
        "type": writes,
        "words": words,
        "stamp": document.issued_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "ink": readable_on_white(issuer.accent),
        "meta": _meta(document, writes, words),
        "instalments": [
            (writes.money(Money.of(part.amount, draft.currency)), writes.day(part.due_date))
            for part in document.instalments
        ],
        "taxes": [(*_tax_label(each, draft.currency, writes, words), each.tax) for each in draft.taxes],
        "home_tax": _home_tax(draft, writes, words),
        "early": _early_payment(document, writes, words),
        "adjustments": [*_adjustments(draft, writes, words)],
        "remark": "" if draft.note in {each.note for each in draft.taxes} else draft.note,
        "tax_notes": _tax_notes(draft.taxes, writes.language),
        "own_vat_label": _by_country(words["vat_id"], issuer.address.country),
        "issuer_lines": writes.address(issuer.address, from_country=buyer.address.country),
        "buyer_lines": writes.address(buyer.address, from_country=issuer.address.country),
        "iban": in_fours(issuer.bank_account.iban),
        "reference": in_fours(document.payment_reference),
        "qr": payment_code(document),
    }


def _meta(document: InvoiceDocument, writes: Typography, words: dict[str, Any]) -> list[tuple[str, str]]:
    draft = document.draft
    client_vat_label = f"{words['client_vat_id']} {_by_country(words['vat_id'], draft.buyer.address.country)}"
    rows = [
        (words["invoice_number"], document.number),
        (words["issue_date"], writes.day(document.issue_date)),
        (words["supply"], writes.period(draft.supply) if draft.supply else ""),
        (words["due_date"], writes.day(document.due_date)),
        (words["terms"], terms_in_words(draft.terms, words)),
        (client_vat_label, draft.buyer.vat_id),
        (words["order_reference"], draft.order_reference),
        (words["contract_reference"], draft.contract_reference),
        (words["preceding"], draft.preceding),
    ]
    return [(label, value) for label, value in rows if value]


def _tax_label(
    tax: TaxBreakdown, currency: str, writes: Typography, words: dict[str, Any]
) -> tuple[str, str]:
    """What the tax is called and what it is on; a tax that is no VAT by its own name and registration."""
    base = words["tax_base"].format(amount=writes.amount(tax.taxable, currency))
    if tax.name != "VAT":
        label = words["other_tax"].format(name=tax.name, rate=writes.rate(tax.rate))
        return (f"{label} ({tax.number})" if tax.number else label), base
    label = words["tax"].get(tax.category, words["tax"]["default"])
    return label.format(rate=writes.rate(tax.rate)), base


def _adjustments(
    draft: Draft, writes: Typography, words: dict[str, Any]
) -> Iterator[tuple[str, str, Decimal]]:
    """Allowances and charges of the whole document: what for, on what, and by how much the net changes."""
    signed: list[tuple[Adjustment, str, Decimal]] = [
        *((each, words["allowance"], -each.amount) for each in draft.allowances),
        *((each, words["charge"], each.amount) for each in draft.charges),
    ]
    for each, otherwise, amount in signed:
        base = each.base is not None and words["tax_base"].format(
            amount=writes.amount(each.base, draft.currency)
        )
        yield each.reason or otherwise, base or "", amount


def _tax_notes(taxes: tuple[TaxBreakdown, ...], language: str) -> list[str]:
    """The notes the law wants, each once: in the document's language where it has words for them, else as drafted."""
    return list(dict.fromkeys(note_in(language, each.note) for each in taxes if each.note))


def _home_tax(draft: Draft, writes: Typography, words: dict[str, Any]) -> str:
    """The tax in the currency of the country that receives it, and how it was converted (BT-111)."""
    home = draft.home_tax
    if home is None:
        return ""
    line: str = words["home_tax"].format(
        currency=home.currency,
        amount=writes.money(Money.of(home.amount, home.currency)),
        base=home.base,
        rate=writes.number(home.rate),
        other=draft.currency if home.base == home.currency else home.currency,
        source=home.source,
        day=writes.day(home.rate_date),
    )
    return line


def _early_payment(document: InvoiceDocument, writes: Typography, words: dict[str, Any]) -> str:
    """What paying early costs instead: the reduction agreed on beforehand (DE: § 14(4) no. 7 UStG)."""
    offered = offer(document.draft, document.issue_date)
    if offered is None:
        return ""
    currency = document.draft.currency
    line: str = words["early_payment"].format(
        day=writes.day(offered.last_day),
        percent=writes.rate(offered.percent),
        discount=writes.money(Money.of(offered.discount, currency)),
        payable=writes.money(Money.of(offered.payable, currency)),
    )
    return line


def _by_country(labels: dict[str, str], country: str) -> str:
    return labels.get(country, labels["default"])


def payment_code(document: InvoiceDocument) -> Markup | None:
    """The payment as EPC QR code (EPC069-12, version 2), as SVG; None where no euro transfer can pay it.

    Of an invoice in instalments, the first of them.
    """
    draft, account = document.draft, document.draft.issuer.bank_account
    amount = document.instalments[0].amount if document.instalments else draft.due
    if draft.currency != "EUR" or not Decimal("0.01") <= amount < 10**9:
        return None
    try:
        code = helpers.make_epc_qr(
            name=" ".join((account.holder or draft.issuer.name).split())[:70],
            iban="".join(account.iban.split()),
            bic="".join(account.bic.split()) or None,
            amount=amount,
            reference=document.payment_reference,
            encoding="utf-8",
        )
    except ValueError as error:
        _log.warning("%s is printed without a payment code: %s", document.number, error)
        return None
    return Markup(code.svg_inline(border=0, omitsize=True, svgclass=None, lineclass=None))  # noqa: S704  # segno's own


@contextmanager
def _warnings() -> Iterator[list[str]]:
    """What WeasyPrint complains about meanwhile."""
    messages: list[str] = []

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            messages.append(record.getMessage())

    collector = Collector(logging.WARNING)
    _weasyprint_log.addHandler(collector)
    try:
        yield messages
    finally:
        _weasyprint_log.removeHandler(collector)
