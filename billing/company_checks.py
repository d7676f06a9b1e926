"""What must fit between the records of a company before it may bill."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

from billing.agreement_checks import check_agreements
from billing.complaints import CompanyRecords, Complaint, KeyPath, reference, taken_already, text
from billing.document_kind import DocumentKind, NumberSeries
from billing.einvoice_checks import check_einvoices
from billing.money import rounded
from billing.number_pattern import MAX_LENGTH, NumberPattern, meeting, pattern_of
from billing.policy_checks import check_approvals, check_dunning
from billing.role_checks import check_roles
from billing.statutory_terms import check_terms
from billing.tax_checks import check_tax
from billing.taxes.decision import covered
from billing.taxes.territories import settled

_REFERENCES = (
    ("people", "reports_to", "people", "person"),
    ("people", "delegate", "people", "person"),
    ("clients", "issuer", "issuers", "issuer"),
    ("clients", "dunning", "dunning", "dunning policy"),
    ("clients", "account_manager", "people", "person"),
    ("agreements", "client", "clients", "client"),
)
_NUMBER_AFTER_PREFIX = len("2026-00001")


def check_company(records: CompanyRecords) -> list[Complaint]:
    """Everything that does not fit between the records; empty for a company that can bill."""
    return [
        *_duplicates(records),
        *_references(records),
        *_people(records),
        *_issuers(records),
        *_numbers(records),
        *check_agreements(records),
        *check_dunning(records),
        *check_approvals(records),
        *check_roles(records),
        *_exceptions(records),
        *_discounts(records),
        *_exchange_rates(records),
        *check_terms(records),
        *_billing_runs(records),
        *_reconciliation(records),
        *_payments(records),
        *check_tax(records),
        *check_einvoices(records),
    ]


def _references(records: CompanyRecords) -> Iterator[Complaint]:
    """Every id that names another record, also in records that are wrong elsewhere."""
    for kind, key, other, noun in _REFERENCES:
        for position, row in enumerate(getattr(records, kind).written):
            yield from reference((kind, position, key), text(row.get(key)), noun, getattr(records, other).ids)


def _duplicates(records: CompanyRecords) -> Iterator[Complaint]:
    for kind in ("people", "issuers", "clients", "agreements", "dunning", "discounts"):
        before: set[str | None] = {None}
        for position, each in enumerate(getattr(records, kind).ids):
            if each is not None and each in before:
                yield Complaint((kind, position, "id"), taken_already(each))
            before.add(each)


def _people(records: CompanyRecords) -> Iterator[Complaint]:
    bosses = {person.id: person.reports_to for person in records.people.read.values()}
    for position, person in records.people.read.items():
        at = ("people", position)
        if person.delegate == person.id:
            yield Complaint((*at, "delegate"), "nobody stands in for themselves; name somebody else")
        circle = _circle(person.id, bosses)
        if circle:
            line = " → ".join(circle)
            yield Complaint(
                (*at, "reports_to"),
                f"goes round in a circle: {line}; leave reports_to out at the top of the line",
            )
        if person.away_until and not person.away_from:
            yield Complaint((*at, "away_until"), "says how long, but not since when; add away_from")
        if person.away_from and person.away_until and person.away_until < person.away_from:
            yield Complaint(
                (*at, "away_until"), f"lies before away_from ({person.away_from}); write a later day"
            )


def _circle(start: str, bosses: Mapping[str, str | None]) -> list[str]:
    """The circle of reports, told once: at the member whose id comes first."""
    line, current = [start], bosses.get(start)
    while current and current not in line:
        line.append(current)
        current = bosses.get(current)
    return [*line, start] if current == start and start == min(line) else []


def _issuers(records: CompanyRecords) -> Iterator[Complaint]:
    owners: dict[str, str] = {}
    for position, issuer in sorted(records.issuers.read.items()):
        prefix, country = issuer.number_prefix, issuer.address.country
        at = ("issuers", position)
        if prefix in owners:
            yield Complaint(
                (*at, "number_prefix"),
                f"{prefix!r} is the prefix of issuer {owners[prefix]!r} already: "
                "both would give the same numbers; write another",
            )
        owners.setdefault(prefix, issuer.id)
        if len(prefix) + _NUMBER_AFTER_PREFIX > MAX_LENGTH:
            longest = MAX_LENGTH - _NUMBER_AFTER_PREFIX
            yield Complaint(
                (*at, "number_prefix"),
                f"{prefix!r} makes numbers longer than {MAX_LENGTH} characters; write at most {longest}",
            )
        if settled(country)[0] not in covered():
            yield Complaint(
                (*at, "address", "country"),
                f"there are no tax rules for an issuer in {country} yet: "
                f"its invoices stop for a person; rules exist for {', '.join(sorted(covered()))}",
                warning=True,
            )


def _numbers(records: CompanyRecords) -> Iterator[Complaint]:
    """Patterns that a country's law or systems do not take, or that could give one number twice."""
    seen: dict[str, NumberPattern] = {}
    places: dict[str, KeyPath] = {}
    for position, issuer in sorted(records.issuers.read.items()):
        for series in NumberSeries:
            own = series in issuer.numbers
            path: KeyPath = (
                ("issuers", position, "numbers", series) if own else ("issuers", position, "number_prefix")
            )
            pattern = pattern_of(issuer, DocumentKind(series))
            name = f"{pattern.text} (issuer {issuer.id}, {series})"
            seen[name], places[name] = pattern, path
            if pattern.complaint and (own or series is NumberSeries.INVOICE):
                yield Complaint(
                    path,
                    f"{pattern.complaint}; write another pattern",
                    warning=pattern.limit.warning or not own,
                )
    for before, name in meeting(seen):
        if seen[before].text != seen[name].text or seen[before].own or seen[name].own:
            yield Complaint(places[name], f"{name} could give a number of {before} again; make them differ")


def _exceptions(records: CompanyRecords) -> Iterator[Complaint]:
    if records.exceptions is None:
        return
    policy, known = records.exceptions, records.people.ids
    yield from reference(("exceptions", "default_owner"), policy.default_owner, "person", known)
    for reason, owner in policy.owners.items():
        yield from reference(("exceptions", "owners", reason.value), owner, "person", known)
    for client, owner in policy.client_owners.items():
        at = ("exceptions", "client_owners", client)
        yield from reference(at, client, "client", records.clients.ids)
        yield from reference(at, owner, "person", known)


def _discounts(records: CompanyRecords) -> Iterator[Complaint]:
    for position, discount in sorted(records.discounts.read.items()):
        at = ("discounts", position)
        for client in discount.clients:
            yield from reference((*at, "clients"), client, "client", records.clients.ids)
        for agreement in discount.agreements:
            yield from reference((*at, "agreements"), agreement, "agreement", records.agreements.ids)
        for field, amount in (("amount", discount.amount), ("at_most", discount.at_most)):
            currency = discount.currency
            if amount is not None and currency and amount != rounded(amount, currency):
                yield Complaint(
                    (*at, field), f"{amount} has more decimals than {currency} knows; write fewer"
                )


def _exchange_rates(records: CompanyRecords) -> Iterator[Complaint]:
    """One rate a day between two currencies: of two, nobody could say which is meant."""
    seen: set[tuple[frozenset[str], date]] = set()
    for position, each in sorted(records.exchange_rates.read.items()):
        pair = frozenset((each.base, each.quote))
        if (pair, each.since) in seen:
            yield Complaint(
                ("tax/exchange_rates", position),
                f"there is a rate between {each.base} and {each.quote} from {each.since} already; keep one",
            )
        seen.add((pair, each.since))


def _billing_runs(records: CompanyRecords) -> Iterator[Complaint]:
    if records.billing_runs is None or records.approvals is None:
        return
    who = records.billing_runs.requested_by
    for tier in records.approvals.tiers:
        if who in tier.approvers and len(set(tier.approvers)) - 1 < tier.quorum:
            yield Complaint(
                ("billing_runs", "requested_by"),
                f"{who!r} would trigger every billing run and, by four eyes, could not approve it; "
                f"too few are left in tier {tier.id!r}: write a name that is nobody's, such as billing-run",
            )


def _reconciliation(records: CompanyRecords) -> Iterator[Complaint]:
    if records.reconciliation is not None:
        yield from reference(
            ("reconciliation", "owner"), records.reconciliation.owner, "person", records.people.ids
        )


def _payments(records: CompanyRecords) -> Iterator[Complaint]:
    if records.payments is None:
        return
    for section in ("write_offs", "refunds", "credit_notes"):
        for place, who in enumerate(getattr(records.payments, section).approvers):
            yield from reference(("payments", section, "approvers", place), who, "person", records.people.ids)
    for account, issuer in records.payments.accounts.items():
        yield from reference(("payments", "accounts", account), issuer, "issuer", records.issuers.ids)
