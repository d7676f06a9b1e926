"""How long a client may be given to pay, between businesses, where a statute says so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from billing.complaints import CompanyRecords, Complaint, KeyPath
from billing.parties import EU_MEMBERS
from billing.payment_terms import PaymentTerms


@dataclass(frozen=True)
class StatutoryMaximum:
    """The most days between invoice and due date, the article that says so, and whether a contract may say more.

    `after_end_of_month` is allowed besides: so many days after the end of the month of issue.
    """

    days: int
    source: str
    strict: bool = False
    after_end_of_month: int | None = None

    def exceeded_by(self, terms: PaymentTerms) -> bool:
        """Whether the terms may make an invoice due later. Schedules of instalments are not meant (Art. 5 of the
        Directive leaves them to what was agreed), nor is the wait for a business day."""
        plus = terms.end_of_month_plus
        if terms.instalments or (
            plus is not None and self.after_end_of_month is not None and plus <= self.after_end_of_month
        ):
            return False
        return terms.longest() > self.days


IN_THE_EU = StatutoryMaximum(60, "Art. 3(5) Directive 2011/7/EU")

BY_COUNTRY = {
    "BE": StatutoryMaximum(60, "Art. 4 of the Act of 2 August 2002 on late payment", strict=True),
    "DE": StatutoryMaximum(60, "§ 271a(1) BGB"),
    "ES": StatutoryMaximum(60, "Art. 4(3) Ley 3/2004", strict=True),
    "FR": StatutoryMaximum(60, "Art. L441-10(I) Code de commerce", strict=True, after_end_of_month=45),
    "GB": StatutoryMaximum(60, "s. 4(2E) Late Payment of Commercial Debts (Interest) Act 1998"),
}
"""Where the country's own statute is known; FR: 60 days, or 45 and the end of a month if expressly agreed."""


def statutory_maximum(country: str) -> StatutoryMaximum | None:
    """What the statute of a country (ISO 3166-1) allows between businesses; None where none is known."""
    return BY_COUNTRY.get(country, IN_THE_EU if country in EU_MEMBERS else None)


def check_terms(records: CompanyRecords) -> Iterator[Complaint]:
    """Warns of terms of clients and agreements that the statute where the client is does not let stand as they are.

    Where the client is, is told by its calendar of public holidays: the address stands in the CRM.
    """
    countries = {client.id: client.calendar[:2] for client in records.clients.read.values()}
    for position, client in sorted(records.clients.read.items()):
        yield from _too_long(("clients", position, "terms"), client.terms, client.calendar[:2])
    for position, agreement in sorted(records.agreements.read.items()):
        if agreement.terms and agreement.client in countries:
            at = ("agreements", position, "terms")
            yield from _too_long(at, agreement.terms, countries[agreement.client])


def _too_long(at: KeyPath, terms: PaymentTerms, country: str) -> Iterator[Complaint]:
    most = statutory_maximum(country)
    if most is None or not most.exceeded_by(terms):
        return
    besides = f" or end of month + {most.after_end_of_month}" if most.after_end_of_month else ""
    if most.strict:
        advice = f"write at most {most.days} days{besides}"
    else:
        advice = (
            f"write at most {most.days} days, or make sure that the contract says so in words and that it is "
            "not grossly unfair"
        )
    yield Complaint(
        at,
        f"{terms} can be up to {terms.longest()} days; in {country} businesses have at most {most.days} days{besides} "
        f"to pay ({most.source}): {advice}",
        warning=True,
    )
