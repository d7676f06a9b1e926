"""Payment terms of an e-invoice in words (BT-20): what is to be paid until when, in the buyer's language."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from billing.document import InvoiceDocument
from billing.early_payment import Offer, offer

_HUNDREDTH = Decimal("0.01")


@dataclass(frozen=True)
class _Words:
    by: str
    part: str
    early: str
    credit: str


_WORDS = {
    "en": _Words(
        "Payable by {day}",
        "Instalment {n}: {amount} by {day}",
        "{percent} % discount if paid by {day}: {amount}",
        "The amount is credited: it is set off or paid back",
    ),
    "de": _Words(
        "Zahlbar bis {day}",
        "Rate {n}: {amount} bis {day}",
        "{percent} % Skonto bei Zahlung bis {day}: {amount}",
        "Der Betrag wird gutgeschrieben: er wird verrechnet oder erstattet",
    ),
    "fr": _Words(
        "Payable au plus tard le {day}",
        "Échéance {n} : {amount} au plus tard le {day}",
        "{percent} % d’escompte pour paiement au plus tard le {day} : {amount}",
        "Ce montant est à votre crédit : il est imputé ou remboursé",
    ),
    "es": _Words(
        "Pagadero hasta el {day}",
        "Plazo {n}: {amount} hasta el {day}",
        "{percent} % de descuento por pago hasta el {day}: {amount}",
        "Importe abonado: se compensa o se devuelve",
    ),
    "it": _Words(
        "Pagabile entro il {day}",
        "Rata {n}: {amount} entro il {day}",
        "Sconto del {percent} % per pagamento entro il {day}: {amount}",
        "Importo accreditato: viene compensato o rimborsato",
    ),
    "nl": _Words(
        "Te betalen uiterlijk {day}",
        "Termijn {n}: {amount} uiterlijk {day}",
        "{percent} % korting bij betaling uiterlijk {day}: {amount}",
        "Het bedrag wordt gecrediteerd: het wordt verrekend of terugbetaald",
    ),
    "pl": _Words(
        "Płatne do {day}",
        "Rata {n}: {amount} do {day}",
        "{percent} % skonta przy zapłacie do {day}: {amount}",
        "Kwota do rozliczenia lub zwrotu",
    ),
    "pt": _Words(
        "A pagar até {day}",
        "Prestação {n}: {amount} até {day}",
        "Desconto de {percent} % por pagamento até {day}: {amount}",
        "Montante creditado: é compensado ou reembolsado",
    ),
}
"""By language; days are written as in ISO 8601, amounts with a decimal point, for programs read them as well."""


def terms_of(document: InvoiceDocument, *, xrechnung: bool) -> str:
    """The terms, a line each, with real days and amounts; XRechnung has its own way to write a discount (BR-DE-18)."""
    lines = list(_lines(document))
    offered = offer(document.draft, document.issue_date)
    if not xrechnung or offered is None or document.draft.kind.is_credit:
        return "\n".join(lines)
    return "\n".join([*lines, _for_machines(document, offered)]) + "\n"


def _lines(document: InvoiceDocument) -> Iterator[str]:
    draft = document.draft
    words = _WORDS.get(draft.language, _WORDS["en"])
    if draft.kind.is_credit:
        yield words.credit
        return
    for n, part in enumerate(document.instalments, start=1):
        yield words.part.format(n=n, amount=f"{part.amount} {draft.currency}", day=part.due_date)
    if not document.instalments:
        yield words.by.format(day=document.due_date)
    if offered := offer(draft, document.issue_date):
        yield words.early.format(
            percent=f"{offered.percent.normalize():f}",
            day=offered.last_day,
            amount=f"{offered.payable} {draft.currency}",
        )


def _for_machines(document: InvoiceDocument, offered: Offer) -> str:
    """`#SKONTO#TAGE=10#PROZENT=2.00#`: as the XRechnung specification 3.0 wants it, closed by a line break."""
    days = (offered.last_day - document.issue_date).days
    percent = offered.percent.quantize(_HUNDREDTH, ROUND_HALF_UP)
    return f"#SKONTO#TAGE={days}#PROZENT={percent}#"
