"""What must fit in the tax records of a company: registrations, its own rates and rules, packaged data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

from billing.complaints import CompanyRecords, Complaint, reference, taken_already, text
from billing.parties import Issuer
from billing.registrations import LIABILITIES, Registration, Scheme
from billing.taxes import decision, rates
from billing.taxes.rates import TaxRate, published
from billing.taxes.tax_ids import wrong_by_form

RATES, RULES = "tax/rates", "tax/rules"
"""The kinds of the two optional files, as they stand in key paths."""

_OF_THE_COUNTRY = frozenset({"", "VAT", "GST", "HST"})


def check_tax(records: CompanyRecords) -> Iterator[Complaint]:
    """Everything about tax that does not fit."""
    for position, issuer in sorted(records.issuers.read.items()):
        yield from _registrations(("issuers", position), issuer)
    yield from _rates(records)
    yield from _rules(records)
    for problem in decision.problems():
        yield Complaint((RATES,), f"the tax data that come with Billow are wrong: {problem}; report it")


def review(day: date, own: Iterable[TaxRate] = ()) -> Iterator[Complaint]:
    """One warning for all packaged rates that somebody should have looked up again by a day, one for the company's."""
    packaged = list(decision.due_for_review(day))
    if packaged:
        yield Complaint(
            ("tax",),
            f"{_count(packaged)} that come with Billow were to be looked up again by {day}; update Billow, or look "
            f"up those you bill by; the oldest: {packaged[0]}",
            warning=True,
        )
    if mine := list(rates.due_for_review(day, own)):
        yield Complaint(
            (RATES, 0),
            f"{_count(mine)} of your own were to be looked up again by {day}: {mine[0]}",
            warning=True,
        )


def _count(rows: list[str]) -> str:
    return f"{len(rows)} tax rate{'' if len(rows) == 1 else 's'}"


def _registrations(at: tuple[str | int, ...], issuer: Issuer) -> Iterator[Complaint]:
    """Schemes that contradict each other: an issuer is taxed in a place in one way at a time."""
    found = [(n, each) for n, each in enumerate(issuer.registrations)]
    for n, each in found:
        if each.since and each.until and each.until < each.since:
            yield Complaint(
                (*at, "registrations", n, "until"), f"ends {each.until}, before it begins on {each.since}"
            )
        if (problem := _wrong_number(each)) is not None:
            yield Complaint((*at, "registrations", n, "number"), problem, warning=True)
        for _, other in found[:n]:
            if _contradict(each, other):
                place = "-".join(filter(None, (each.country, each.region)))
                yield Complaint(
                    (*at, "registrations", n),
                    f"in {place} the issuer would be registered as {other.scheme} and as {each.scheme} at a time; "
                    "give one of the two its last day (`until`)",
                )
                break


def _wrong_number(each: Registration) -> str | None:
    """By its check digits; taxes of states and provinces have numbers of their own, and so has the one-stop shop."""
    known = each.scheme is Scheme.STANDARD and each.tax in _OF_THE_COUNTRY and each.country != "US"
    problem = wrong_by_form(each.number, each.country) if known and each.number else None
    return f"{problem}; copy it from the certificate" if problem else None


def _contradict(one: Registration, other: Registration) -> bool:
    same = (one.country, one.region, one.tax) == (other.country, other.region, other.tax)
    begin = max(one.since or date.min, other.since or date.min)
    meet = begin <= min(one.until or date.max, other.until or date.max)
    return same and meet and {one.scheme, other.scheme} <= LIABILITIES


def _rates(records: CompanyRecords) -> Iterator[Complaint]:
    """Rates of which two hold on one day, or none between two, with the packaged ones: told at the place's last row."""
    rows = sorted(records.tax_rates.read.items())
    last = {each.place: position for position, each in rows}
    for place, position in last.items():
        together = [each for _, each in rows if each.place == place]
        together += [each for each in published().rates if each.place == place]
        for problem in rates.problems(together):
            yield Complaint(
                (RATES, position), f"{problem}; correct its days, or write a rule in tax/rules.yaml"
            )


def _rules(records: CompanyRecords) -> Iterator[Complaint]:
    ids = records.tax_rules.ids
    for position, each in enumerate(ids):
        if each is not None and each in ids[:position]:
            yield Complaint((RULES, position, "id"), taken_already(each))
    for position, row in enumerate(records.tax_rules.written):
        when = row.get("when")
        said = when if isinstance(when, dict) else {}
        at = (RULES, position, "when")
        yield from reference((*at, "issuer"), text(said.get("issuer")), "issuer", records.issuers.ids)
        yield from reference((*at, "client"), text(said.get("client")), "client", records.clients.ids)
