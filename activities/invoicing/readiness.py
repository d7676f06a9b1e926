"""Readiness: what clients and agreements lack before they can be billed, told by the rules that would stop invoices.

The systems are read as they are now, whether they are files or connected; one that cannot be read is told once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import TypeVar

from babel.numbers import get_territory_currencies

from activities.invoicing.sources import Systems
from activities.languages.built_in import LANGUAGES
from billing.agreements import Agreement, Milestones, TimeAndMaterials, Trigger
from billing.change_orders import agreement_on
from billing.company import Client, Company
from billing.connections import Port
from billing.due import all_milestones
from billing.einvoice.leitweg_id import is_leitweg_id
from billing.errors import SourceClosed, SourceFaulty, SourceUnavailable
from billing.exceptions import Finding, ReasonCode
from billing.parties import EU_MEMBERS, Address, Issuer
from billing.periods import Period
from billing.rates import missing_rate
from billing.sales import Question, Sale, Sold
from billing.source_checks import check_agreement, check_client
from billing.sources import CrmClient, Sources
from billing.taxes.outcome import TaxUnknown

Content = TypeVar("Content")

WORK_LOOKED_AT = timedelta(days=92)
"""How far back the roles of booked hours are looked at: whoever worked in a quarter will work again."""

_WITH_REGION = frozenset({"AU", "CA", "IN", "US"})
_WITHOUT_POSTCODE = frozenset({"AE", "BO", "HK", "IE", "PA", "QA"})
_WORDS = {
    ReasonCode.CLIENT_UNKNOWN: "CRM record",
    ReasonCode.CLIENT_INACTIVE: "active client",
    ReasonCode.NO_CONTACT: "billing contact",
    ReasonCode.VAT_ID_WRONG: "VAT id",
    ReasonCode.NOT_SIGNED: "contract",
}


@dataclass(frozen=True, order=True)
class Gap:
    """What a client, or one of its agreements, lacks; without what is `needed` an invoice stops."""

    client: str
    agreement: str
    what: str
    message: str
    needed: bool = True


@dataclass
class Readiness:
    """The gaps by client, how many clients and agreements were looked at, and which systems could not be read."""

    gaps: list[Gap] = field(default_factory=list)
    clients: int = 0
    agreements: int = 0
    unreadable: dict[Port, str] = field(default_factory=dict)

    @property
    def ready(self) -> bool:
        """Whether nothing that is needed is missing, as far as everything could be read."""
        return not self.unreadable and not any(each.needed for each in self.gaps)

    @property
    def clients_not_ready(self) -> int:
        return len({each.client for each in self.gaps if each.needed})


def look(
    company: Company,
    systems: Systems,
    today: date,
    languages: Mapping[str, Sequence[str]],
    step: Callable[[], None] = lambda: None,
) -> Readiness:
    """Looks at every client; `languages` are those an issuer has added, by issuer. Raises nothing systems say."""
    search = _Search(company, systems, today, languages)
    for client in sorted(company.clients, key=lambda each: each.id):
        search.found.gaps += sorted(search.client(client))
        search.found.clients += 1
        step()
    return search.found


@dataclass
class _Search:
    company: Company
    systems: Systems
    today: date
    languages: Mapping[str, Sequence[str]]
    found: Readiness = field(default_factory=Readiness)
    _listed: dict[str, CrmClient] | None = None

    def client(self, client: Client) -> Iterator[Gap]:
        issuer = self.company.issuer(client.issuer)
        agreements = [
            each for each in self.company.agreements if each.client == client.id and self._lives(each)
        ]
        record, problem = self._read(Port.CRM, lambda: self._crm(client.crm))
        if problem:
            yield Gap(client.id, "", "CRM record", problem)
        elif Port.CRM not in self.found.unreadable:
            yield from (_gap(client, "", each) for each in check_client(client, record))
        if record is not None and issuer is not None:
            yield from self._of_record(client, record, issuer, agreements)
        yield from self._settings(client, issuer)
        if not agreements:
            yield Gap(
                client.id, "", "agreement", "nothing is agreed with it yet; write an agreement", needed=False
            )
        for agreement in agreements:
            self.found.agreements += 1
            yield from self._agreement(client, agreement)

    def _lives(self, agreement: Agreement) -> bool:
        return agreement.end is None or agreement.end >= self.today

    def _crm(self, id_: str) -> CrmClient | None:
        """Read all at once, if all are as they should be; else one by one, to hear of each what it lacks."""
        if self._listed is None:
            try:
                self._listed = {each.id: each for each in self.systems.crm.clients()}
            except SourceClosed:
                raise
            except SourceFaulty:
                self._listed = {}
        return self._listed.get(id_) or self.systems.crm.client(id_)

    def _read(self, port: Port, read: Callable[[], Content]) -> tuple[Content | None, str]:
        """What a system says, or what is wrong with that one record; nothing of one that cannot be read at all."""
        if port in self.found.unreadable:
            return None, ""
        try:
            return read(), ""
        except SourceUnavailable as error:
            if isinstance(error, SourceFaulty) and not isinstance(error, SourceClosed):
                return None, str(error)
            self.found.unreadable[port] = str(error)
            return None, ""

    def _of_record(
        self, client: Client, record: CrmClient, issuer: Issuer, agreements: Sequence[Agreement]
    ) -> Iterator[Gap]:
        yield from (Gap(client.id, "", "address", each) for each in _address(record.address))
        yield from self._tax(client, record, issuer, agreements)
        if record.public_body:
            yield from _public_body(client, record)

    def _tax(
        self, client: Client, record: CrmClient, issuer: Issuer, agreements: Sequence[Agreement]
    ) -> Iterator[Gap]:
        """What the tax rules would stop at, for each agreement; the same for all of them is told once."""
        period = Period(start=self.today, end=self.today)
        told: dict[str, list[str]] = {}
        sales: Sequence[Sold] = agreements or [Question(client.id)]
        for sold in sales:
            outcome = Sale(issuer, record, sold, period, issued=self.today).tax(self.company.tax).outcome
            if isinstance(outcome, TaxUnknown):
                told.setdefault(outcome.why, []).append(getattr(sold, "id", ""))
        for why, of in told.items():
            what = "tax" if record.vat_id.strip() else "VAT id or tax facts"
            yield Gap(client.id, "" if len(of) == max(1, len(agreements)) else of[0], what, why)
        there = record.address.country
        if not told and record.business and there in EU_MEMBERS and not record.vat_id.strip():
            yield Gap(
                client.id,
                "",
                "VAT id",
                f"a business in {there} has one; enter it, for the client's own bookkeeping asks for it",
                needed=False,
            )

    def _settings(self, client: Client, issuer: Issuer | None) -> Iterator[Gap]:
        own = self.languages.get(client.issuer, ())
        if client.language not in LANGUAGES and client.language not in own:
            text = f"there are no words in {client.language!r}; add templates/languages/{client.language}.po"
            yield Gap(client.id, "", "language", text)
        policy = self.company.dunning_policy(client.dunning)
        if policy is None or not policy.levels:
            text = f"policy {client.dunning!r} has no levels, so nobody is reminded; write them, if they should be"
            yield Gap(client.id, "", "dunning policy", text, needed=policy is None)
        country = issuer.bank_account.iban[:2].upper() if issuer else ""
        used = get_territory_currencies(country, self.today, self.today) if country else []
        if used and client.currency not in used:
            text = f"the issuer's account is in {country} ({', '.join(used)}); see that it takes {client.currency}"
            yield Gap(client.id, "", "bank account", text, needed=False)

    def _agreement(self, client: Client, agreement: Agreement) -> Iterator[Gap]:
        deal, wrong_deal = self._named(Port.CRM, agreement.deal, lambda key: self.systems.crm.deal(key))
        contract, wrong_contract = self._named(
            Port.CONTRACTS, agreement.contract, lambda key: self.systems.contracts.contract(key)
        )
        project, wrong_project = self._named(
            Port.PSA, agreement.project, lambda key: self.systems.psa.project(key)
        )
        problems = {"deal": wrong_deal, "contract": wrong_contract, "project": wrong_project}
        for what, problem in problems.items():
            if problem:
                yield Gap(client.id, agreement.id, what, problem)
        facts = Sources(deal=deal, contract=contract, project=project)
        for each in check_agreement(agreement, client, facts, self._tolerance(agreement)):
            if not self._excused(agreement, each, problems):
                yield _gap(client, agreement.id, each)
        if agreement.contract is None:
            text = "no contract is named, so amounts are compared with none; name it, where one was signed"
            yield Gap(client.id, agreement.id, "contract", text, needed=False)
        if agreement.project and not wrong_project and Port.PSA not in self.found.unreadable:
            yield from self._work(client, agreement, agreement.project, known=project is not None)

    def _named(
        self, port: Port, key: str | None, read: Callable[[str], Content | None]
    ) -> tuple[Content | None, str]:
        return self._read(port, lambda: read(key)) if key else (None, "")

    def _tolerance(self, agreement: Agreement) -> Decimal:
        return self.company.source_checks.tolerance.get(agreement.currency, Decimal(0))

    def _excused(self, agreement: Agreement, finding: Finding, problems: Mapping[str, str]) -> bool:
        """What is not there because it comes with the event that bills, or could not be read."""
        awaited = {"deal": Trigger.DEAL_WON, "contract": Trigger.CONTRACT_SIGNED}
        port = {"deal": Port.CRM, "contract": Port.CONTRACTS}.get(finding.field)
        return (
            agreement.trigger is awaited.get(finding.field)
            or bool(problems.get(finding.field))
            or port in self.found.unreadable
        )

    def _work(self, client: Client, agreement: Agreement, project: str, *, known: bool) -> Iterator[Gap]:
        if not known:
            text = f"the PSA has no project {project!r}; add it there, or correct the agreement"
            yield Gap(client.id, agreement.id, "project", text)
            return
        if isinstance(agreement, Milestones):
            listed, problem = self._read(Port.PSA, lambda: self.systems.psa.milestones(project))
            there = {each.id for each in listed or ()}
            if problem:
                yield Gap(client.id, agreement.id, "milestone", problem)
            for each in all_milestones(agreement) if listed is not None else ():
                if each.id not in there:
                    text = f"project {project!r} has no milestone {each.id!r}; add it there, or correct the agreement"
                    yield Gap(client.id, agreement.id, "milestone", text)
        if isinstance(agreement, TimeAndMaterials):
            yield from self._rates(client, agreement, project)

    def _rates(self, client: Client, agreement: TimeAndMaterials, project: str) -> Iterator[Gap]:
        """Every role that has booked billable hours lately must have its price."""
        first = max(agreement.start, self.today - WORK_LOOKED_AT)
        if first > self.today:
            return
        entries, problem = self._read(
            Port.PSA, lambda: self.systems.psa.time_entries(project, Period(start=first, end=self.today))
        )
        if problem:
            yield Gap(client.id, agreement.id, "time entries", problem)
        missing: dict[str, str] = {}
        for each in entries or ():
            rates = agreement_on(agreement, each.day).rates
            if each.billable and (why := missing_rate(rates, each.role, each.day)):
                missing.setdefault(each.role, why)
        yield from (Gap(client.id, agreement.id, "rate", each) for each in missing.values())


def _address(address: Address) -> Iterator[str]:
    wanted = {
        "street": address.street,
        "city": address.city,
        "postcode": address.country in _WITHOUT_POSTCODE or address.postcode,
        "region (state or province)": address.country not in _WITH_REGION or address.region,
    }
    for name, there in wanted.items():
        if not (there.strip() if isinstance(there, str) else there):
            yield f"its address in the CRM has no {name}; enter it there"


def _public_body(client: Client, record: CrmClient) -> Iterator[Gap]:
    reference, address = client.buyer_reference.strip(), client.electronic_address
    if record.address.country == "DE" and not is_leitweg_id(reference):
        text = "a German authority takes no invoice without its Leitweg-ID; write it as buyer_reference of the client"
        yield Gap(client.id, "", "buyer reference", text)
    elif not reference and not address:
        text = "a public body takes e-invoices by its electronic address or reference; write electronic_address or "
        yield Gap(client.id, "", "electronic address", f"{text}buyer_reference of the client")


def _gap(client: Client, agreement: str, finding: Finding) -> Gap:
    return Gap(client.id, agreement, _WORDS.get(finding.code, finding.field), finding.message)
