"""What people read in the auditor's zip: index, explanation, and the program that verifies it."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from billing.money import written

if TYPE_CHECKING:
    from activities.archive.export import Entry, Exported, Scope
    from activities.ledger.number_audit import NumberAudit

VERIFIER = (Path(__file__).parent / "verify.py.txt").read_text(encoding="utf-8")
"""A program of its own, for Python alone, that needs nothing but the unpacked zip."""

_NAMED_AT_MOST = 200

_STYLE = """\
body { font: 15px/1.45 system-ui, sans-serif; color: #1a1f26; margin: 2rem auto; max-width: 78rem; padding: 0 1rem }
h1 { font-size: 1.5rem; margin: 0 } p.lead { color: #56606d; margin: .25rem 0 1.5rem }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 2rem }
th { text-align: left; font-size: .8rem; color: #56606d; border-bottom: 1px solid #9aa3ad }
th, td { padding: .35rem .8rem .35rem 0; vertical-align: top } td { border-bottom: 1px solid #e4e7eb }
.figure { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap } .nowrap { white-space: nowrap }
.missing { color: #a4262c } a { color: #1f4e79 } .small { font-size: .85rem }
"""
FOOT = "</tbody></table></body></html>\n"


def head(scope: Scope, found: Exported, numbers: NumberAudit) -> str:
    """The index up to its first invoice."""
    of = f"client {scope.client}, " if scope.client else ""
    series = "".join(
        f"<tr><td>{escape(each.document_type)}<td>{each.year}<td>{escape(each.first)}<td>{escape(each.last)}"
        f'<td class="figure">{each.count:,}</tr>\n'
        for each in numbers.series
    )
    verdict = "no gap, no double, in order of date."
    if numbers.problem_count:
        verdict = (
            f'<span class="missing">{plural(numbers.problem_count, "problem")}, see numbers.json.</span>'
        )
    missing = "".join(f"<li>{escape(each)}</li>\n" for each in found.missing[:_NAMED_AT_MOST])
    if len(found.missing) > _NAMED_AT_MOST:
        missing += f"<li>and {len(found.missing) - _NAMED_AT_MOST:,} more, see index.csv</li>\n"
    absent = f'<h2 class="missing">Missing</h2><ul class="missing">\n{missing}</ul>\n' if missing else ""
    columns = ("Number", "Issued", "Client", "Title", "Documents", "Status")
    heads = "".join(f"<th>{each}</th>" for each in columns) + '<th class="figure">Gross</th>'
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Invoices of {escape(scope.issuer)}</title>'
        f"<style>{_STYLE}</style></head><body>\n<h1>Invoices of {escape(scope.issuer)}</h1>\n"
        f'<p class="lead">{escape(of)}issued from {scope.since} to {scope.until}: '
        f"{plural(found.invoices, 'invoice')}, {plural(found.documents, 'document')}{_elsewhere(found)}</p>\n{absent}"
        f"<h2>Numbers</h2><p>All numbers of the issuer, whatever their day: {verdict}</p>\n"
        "<table><thead><tr><th>Series</th><th>Year</th><th>First</th><th>Last</th>"
        f'<th class="figure">Count</th></tr></thead><tbody>\n{series}</tbody></table>\n'
        '<h2>Invoices</h2><p class="small">The same, with more columns, is in <a href="index.csv">index.csv</a>; '
        'payments are in <a href="payments.csv">payments.csv</a>, those that matched no invoice in '
        '<a href="payments-without-invoice.csv">payments-without-invoice.csv</a>, what was given up in '
        '<a href="given-up.csv">given-up.csv</a>. How to verify all of it is told in '
        '<a href="README.txt">README.txt</a>.</p>\n'
        f"<table><thead><tr>{heads}</tr></thead><tbody>\n"
    )


def row(entry: Entry) -> str:
    """An invoice in the index."""
    invoice = entry.row
    links = " ".join(
        f'<a href="{escape(entry.folder)}/{escape(each)}">{escape(_short(each))}</a>' for each in entry.files
    )
    missing = f'<div class="missing small">{escape(entry.missing)}</div>' if entry.missing else ""
    currency = invoice.currency or ""
    gross = f"{currency} {written(invoice.gross, currency)}" if invoice.gross is not None else "–"
    return (
        f'<tr><td class="nowrap">{escape(invoice.number or "")}<td class="nowrap">{invoice.issue_date}'
        f"<td>{escape(invoice.client)}<td>{escape(invoice.title)}<td>{links}{missing}"
        f'<td>{escape(invoice.document_status)}, {escape(invoice.payment_status)}<td class="figure">{gross}</tr>\n'
    )


def _short(name: str) -> str:
    endings = {
        "-cii.xml": "CII",
        "-ubl.xml": "UBL",
        ".pdf": "PDF",
        "approved.json": "approved",
        "trail.jsonl": "trail",
    }
    return next((word for ending, word in endings.items() if name.endswith(ending)), name)


def numbers_document(numbers: NumberAudit) -> dict[str, Any]:
    """The audit of the numbers as data."""
    return {
        "holds": not numbers.problem_count,
        "invoices": numbers.invoices,
        "credit_notes": numbers.credit_notes,
        "opening_items": numbers.opening_items,
        "series": [
            {
                "document_type": each.document_type,
                "year": each.year,
                "first": each.first,
                "last": each.last,
                "count": each.count,
                "on_opening_items": each.on_opening_items,
            }
            for each in numbers.series
        ],
        "problem_count": numbers.problem_count,
        "problems": [
            {"kind": each.kind, "number": each.number, "reason": each.reason} for each in numbers.problems
        ],
    }


def _bank(scope: Scope) -> str:
    if scope.client is not None:
        return ""
    return "bank.csv       movements on the issuer's accounts in that time, and what became of each\n"


def readme(scope: Scope, found: Exported) -> str:
    """What is where, and how to verify it without Billow."""
    missing = (
        "Nothing is missing." if not found.missing else f"Missing: {plural(len(found.missing), 'thing')}:\n"
    )
    lines = "".join(f"  {each}\n" for each in found.missing[:_NAMED_AT_MOST])
    of = f", of client {scope.client}" if scope.client else ""
    return f"""\
Invoices of {scope.issuer}, issued from {scope.since} to {scope.until}{of}
{plural(found.invoices, "invoice")}, {plural(found.documents, "document")}{_elsewhere(found)}

index.html     to read in a browser; index.csv says the same and more (UTF-8, comma, amounts with a point)
invoices/N/    of each invoice: the PDF as it was sent, its XML (CII and UBL, EN 16931) where there is one,
               approved.json, the draft that was approved, trail.jsonl, everything that was done with it, and
               files named disputed-…, which the client sent with a dispute: made elsewhere, to be opened with care
letters/       statements and other documents of a client that are of no single invoice, where there are any
payments.csv   money received, and taken back, for these invoices
payments-without-invoice.csv
               money received in that time that matched no invoice, and what was decided about it
given-up.csv   write-offs, refunds and credit notes somebody had to agree to, and what became of them
{_bank(scope)}numbers.json   the audit of all numbers of the issuer: each series, and any gap or double
company/       the records in force when these invoices were triggered: issuer, clients, agreements, tax
SHA256SUMS     of every file: sha256sum -c SHA256SUMS
verify.py      checks the sums and the trails; needs Python 3.9 or later and nothing else: python3 verify.py

How a trail holds. Each line of trail.jsonl is an event; the last names position and hash of the newest. `hash` is the
SHA-256, in hexadecimal, over the event without `hash`, written as JSON with sorted keys, no blanks between and ASCII
only. `previous` is the hash of the event before, 64 zeros for the first; `position` counts from 1. An event that was
changed, moved, added or left out breaks the chain.

{missing}
{lines}"""


def _elsewhere(found: Exported) -> str:
    if not found.from_before:
        return ""
    has = "has its document" if found.from_before == 1 else "have their documents"
    return f"; {found.from_before:,} {has} in the system before Billow"


def plural(count: int, one: str) -> str:
    """`1 invoice`, `2,000 invoices`."""
    return f"{count:,} {one if count == 1 else one + 's'}"
