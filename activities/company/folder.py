"""The company folder: YAML under version control, read whole, every problem of every file named at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel

from activities.company.connection_checks import check_connections, connected_ports
from activities.company.language_checks import check_languages
from activities.company.opening_items import check_opening_items
from activities.company.problems import KeyPath, Problem, did_you_mean, errors
from activities.company.records import read_record
from activities.company.reference_checks import check_references
from activities.company.source_references import check_source_references
from activities.company.written_secrets import unrepeated, written_secrets
from activities.company.yaml_reader import Document, read_document
from billing.agreements import Expenses, FixedPrice, Milestones, PrepaidBlock, Retainer, TimeAndMaterials
from billing.approval_policy import ApprovalPolicy
from billing.company import (
    BillingRuns,
    Client,
    Company,
    Deliveries,
    Delivery,
    Integrations,
    Reconciliation,
    SourceChecks,
)
from billing.company_checks import check_company
from billing.complaints import CompanyRecords, Complaint, Records, either
from billing.connections import Connection
from billing.discounts import Discount
from billing.dunning_policy import DunningPolicy
from billing.exceptions import ExceptionPolicy
from billing.exchange_rates import ExchangeRate, ExchangeRates
from billing.looks import Look
from billing.parties import Issuer, Person, Strict
from billing.payment_policy import PaymentPolicy
from billing.policy_checks import review_reference_rates
from billing.tax_checks import RATES, RULES, review
from billing.taxes.company_rules import TaxRule, TaxRules, TaxSettings
from billing.taxes.rates import TaxRate

if TYPE_CHECKING:
    from activities.documents.look import LookFiles

Record = TypeVar("Record", bound=BaseModel)

MODELS: dict[str, type[BaseModel]] = {
    "retainer": Retainer,
    "time and materials": TimeAndMaterials,
    "expenses": Expenses,
    "milestone": Milestones,
    "fixed price": FixedPrice,
    "prepaid block": PrepaidBlock,
}
_BILLED = {
    "retainer": "every period",
    "time and materials": "every period, by approved hours",
    "expenses": "every period, by approved expenses",
    "milestone": "when a milestone is signed off",
    "fixed price": "when the project is completed",
    "prepaid block": "when it begins and when a block is used up",
}
_FILES = (
    "company.yaml",
    "people.yaml",
    "issuers.yaml",
    "clients.yaml",
    "agreements.yaml",
    "approvals.yaml",
    "dunning.yaml",
    "discounts.yaml",
    "tax/rates.yaml",
    "tax/rules.yaml",
    "tax/exchange_rates.yaml",
    "integrations.yaml",
)
_LOOKED_AT = ("*.y*ml", "agreements/*.yml", "tax/*.y*ml")
_OPTIONAL = (
    "discounts.yaml",
    "tax/rates.yaml",
    "tax/rules.yaml",
    "tax/exchange_rates.yaml",
    "integrations.yaml",
)
_LOOKS = "templates/looks"


@dataclass(frozen=True)
class Reading:
    """A company folder as read: the company, unless something is wrong with it, and all that is.

    `looks` are those of its issuers, by the issuer's id, as far as it has its own; `issuers` are those that could be
    read, whatever is wrong elsewhere.
    """

    company: Company | None
    problems: list[Problem]
    looks: Mapping[str, LookFiles] = field(default_factory=dict)
    issuers: tuple[Issuer, ...] = ()


class CompanyFile(Strict):
    """company.yaml: what is said once for the whole company."""

    name: str
    exceptions: ExceptionPolicy
    integrations: Integrations = Integrations()
    delivery: Delivery = Delivery()
    deliveries: Deliveries = Deliveries()
    billing_runs: BillingRuns = BillingRuns()
    source_checks: SourceChecks = SourceChecks()
    reconciliation: Reconciliation = Reconciliation()
    tax: TaxSettings = TaxSettings()
    payments: PaymentPolicy = PaymentPolicy()


def read_folder(path: Path, today: date | None = None, *, try_out: bool = True) -> Reading:
    """Reads and checks a company folder; with a day, also which rates were to be looked up again by then.

    Never raises for what stands in it. `try_out` writes documents with sample data where it has templates of its own.
    """
    if not path.is_dir():
        return Reading(
            None, [Problem(".", 1, "", f"there is no folder {path}; write one with: billow init {path}")]
        )
    return _FolderReader(path, today, try_out).reading()


@dataclass
class _FolderReader:
    folder: Path
    today: date | None = None
    try_out: bool = True
    problems: list[Problem] = field(default_factory=list)
    documents: dict[str, Document] = field(default_factory=dict)
    places: dict[KeyPath, tuple[Document, KeyPath]] = field(default_factory=dict)

    def reading(self) -> Reading:
        company_file = self._single("company", CompanyFile)
        records = CompanyRecords(
            people=self._list("people", Person),
            issuers=self._list("issuers", Issuer),
            clients=self._list("clients", Client),
            agreements=self._agreements(),
            dunning=self._list("dunning", DunningPolicy),
            approvals=self._single("approvals", ApprovalPolicy),
            exceptions=company_file.exceptions if company_file else None,
            billing_runs=company_file.billing_runs if company_file else None,
            reconciliation=company_file.reconciliation if company_file else None,
            payments=company_file.payments if company_file else None,
            discounts=self._list("discounts", Discount, optional=True),
            tax_rates=self._list(RATES, TaxRate, optional=True),
            tax_rules=self._list(RULES, TaxRule, optional=True),
            exchange_rates=self._list("tax/exchange_rates", ExchangeRate, optional=True),
            connections=self._list("integrations", Connection, optional=True),
        )
        complaints = [*check_company(records), *check_references(records), *check_connections(records)]
        if self.today is not None:
            complaints += review(self.today, records.tax_rates.read.values())
            complaints += review_reference_rates(records, self.today)
        self.problems += [self._placed(each) for each in complaints]
        self._integrations(company_file, records)
        written = self._list(_LOOKS, Look, optional=True)
        looks = self._looks(written, records)
        self.problems += [self._placed(each) for each in check_languages(records, looks)]
        self._strangers()
        for document in self.documents.values():
            self.problems += document.problems
        self.problems += check_opening_items(self.folder, records.clients)
        secrets = [each for document in self.documents.values() for each in written_secrets(document)]
        self.problems = unrepeated(self.problems, secrets)
        company = None if errors(self.problems) else _company(company_file, records)
        if company is not None and written.read:
            company = company.model_copy(update={"looks": tuple(written.read.values())})
        sellers = tuple(records.issuers.read.values())
        return Reading(company, sorted(set(self.problems)), looks, sellers)

    def _document(self, file: str) -> Document:
        document = self.documents.get(file) or read_document(self.folder / file, file)
        return self.documents.setdefault(file, document)

    def _single(self, kind: str, model: type[Record]) -> Record | None:
        file = f"{kind}.yaml"
        if not self._is_there(file):
            return None
        document = self._document(file)
        for part in model.model_fields:
            self.places[(part if kind == "company" else kind,)] = (
                document,
                (part,) if kind == "company" else (),
            )
        if document.problems and document.data is None:
            return None
        return read_record(model, {} if document.empty else document.data, document)

    def _is_there(self, file: str) -> bool:
        if (self.folder / file).is_file():
            return True
        self.problems.append(
            Problem(
                file,
                1,
                "",
                "the file is missing; write it (billow init shows one, with what belongs into it)",
            )
        )
        return False

    def _list(self, kind: str, model: type[Record], *, optional: bool = False) -> Records[Record]:
        file = f"{kind}.yaml"
        if (optional and not (self.folder / file).is_file()) or not self._is_there(file):
            return Records()
        items = self._items(self._document(file))
        if not items and not self._document(file).problems:
            self._document(file).problems.append(
                Problem(
                    file, 1, "", "the list is empty; name at least one, on a line that begins with '- id: '"
                )
            )
        read: dict[int, Record] = {}
        for position, item in enumerate(items):
            self.places[(kind, position)] = (self._document(file), (position,))
            record = read_record(model, item, self._document(file), (position,))
            if record is not None:
                read[position] = record
        return Records(read, [_row(item) for item in items])

    def _items(self, document: Document) -> list[Any]:
        """The items of a list file; a file that is no list is a problem."""
        if document.data is None:
            return []
        if isinstance(document.data, list):
            return document.data
        document.problems.append(
            Problem(
                document.file,
                1,
                "",
                "the file must be one list: begin each record with '- id: ', with no key above",
            )
        )
        return []

    def _agreements(self) -> Records[Any]:
        """agreements.yaml and every YAML file in agreements/, as one list."""
        files = [file for file in ("agreements.yaml",) if (self.folder / file).is_file()]
        files += sorted(
            each.relative_to(self.folder).as_posix() for each in self.folder.glob("agreements/*.yaml")
        )
        read: dict[int, Any] = {}
        written: list[dict[str, Any]] = []
        for file in files:
            document = self._document(file)
            for position, item in enumerate(self._items(document)):
                self.places[("agreements", len(written))] = (document, (position,))
                agreement = _agreement(item, document, position)
                if agreement is not None:
                    read[len(written)] = agreement
                written.append(_row(item))
        return Records(read, written)

    def _placed(self, complaint: Complaint) -> Problem:
        """The complaint with the file and line of its key path."""
        for depth in range(len(complaint.path), 0, -1):
            if complaint.path[:depth] in self.places:
                document, at = self.places[complaint.path[:depth]]
                path = (*at, *complaint.path[depth:])
                return document.problem(path, complaint.message, warning=complaint.warning)
        return Problem("company.yaml", 1, "", complaint.message, complaint.warning)

    def _integrations(self, company_file: CompanyFile | None, records: CompanyRecords) -> None:
        """Every folder of client, project and contract data must be there, and have what the records name."""
        if company_file is None:
            return
        connected = connected_ports(records)  # what they have, `billow check --readiness` looks up
        there = []
        for name, folder in company_file.integrations:
            if name in connected:
                continue
            if (self.folder / folder).is_dir():
                there.append(name)
                continue
            message = f"there is no folder {folder!r} in the company folder; create it, or correct the path"
            self.problems.append(self._document("company.yaml").problem(("integrations", name), message))
        if len(there) + len(connected & {"crm", "psa", "contracts"}) == len(tuple(company_file.integrations)):
            for complaint in check_source_references(self.folder, company_file.integrations, records, there):
                self.problems.append(self._placed(complaint))

    def _looks(self, written: Records[Look], records: CompanyRecords) -> Mapping[str, LookFiles]:
        """The looks of the issuers with their files; what checks those is loaded only where there are any."""
        if not (self.folder / "templates").is_dir():
            return {}
        from activities.company.looks.folder import read_looks

        issuers = [each for each in records.issuers.ids if each]
        found = read_looks(self.folder, written, self.documents.get(f"{_LOOKS}.yaml"), issuers)
        self.problems += found.problems
        if self.try_out and any(look.blocks for look in found.looks.values()) and not errors(found.problems):
            self.problems += self._tried_out(found.looks, records)
        return found.looks

    @staticmethod
    def _tried_out(looks: Mapping[str, LookFiles], records: CompanyRecords) -> list[Problem]:
        """What fails when every document is written with sample data."""
        from activities.documents.trial import try_looks

        sellers = {each.id: each for each in records.issuers.read.values()}
        return [Problem(each.file, each.line, "", each.message) for each in try_looks(looks, sellers)]

    def _strangers(self) -> None:
        """Files that look as if they belonged to the company, but are not read."""
        for stranger in sorted(each for files in _LOOKED_AT for each in self.folder.glob(files)):
            file = stranger.relative_to(self.folder).as_posix()
            if file in _FILES:
                continue
            known = [each for each in _FILES if each not in self.documents and each not in _OPTIONAL]
            meant = did_you_mean(file, known or list(_FILES))
            meant = meant or f"; read are {either([*_FILES, 'agreements/*.yaml'])}"
            self.problems.append(Problem(file, 1, "", f"this file is not read{meant}", warning=True))


def _company(said: CompanyFile | None, records: CompanyRecords) -> Company | None:
    if said is None or records.approvals is None:
        return None
    return Company(
        name=said.name,
        people=tuple(records.people.read.values()),
        issuers=tuple(records.issuers.read.values()),
        clients=tuple(records.clients.read.values()),
        agreements=tuple(records.agreements.read.values()),
        approvals=records.approvals,
        exceptions=said.exceptions,
        dunning=tuple(records.dunning.read.values()),
        delivery=said.delivery,
        integrations=said.integrations,
        deliveries=said.deliveries,
        billing_runs=said.billing_runs,
        source_checks=said.source_checks,
        reconciliation=said.reconciliation,
        payments=said.payments,
        tax=TaxRules(
            **dict(said.tax),
            rates=tuple(records.tax_rates.read.values()),
            rules=tuple(records.tax_rules.read.values()),
        ),
        discounts=tuple(records.discounts.read.values()),
        exchange_rates=ExchangeRates(rates=tuple(records.exchange_rates.read.values())),
        connections=tuple(records.connections.read.values()),
    )


def _row(item: Any) -> dict[str, Any]:
    return item if isinstance(item, dict) else {}


def _agreement(item: Any, document: Document, position: int) -> BaseModel | None:
    """An agreement by its billing model; a key of another model is told as such."""
    path = (position,)
    model = item.get("model") if isinstance(item, dict) else None
    known = list(MODELS)
    if not isinstance(item, dict):
        return read_record(Retainer, item, document, path)
    if model is None:
        document.problems.append(document.problem(path, f"'model' is missing; write model: {either(known)}"))
        return None
    if not isinstance(model, str) or model not in MODELS:
        suggestion = did_you_mean(str(model), known) or f"; write {either(known)}"
        document.problems.append(
            document.problem((*path, "model"), f"{model!r} is no billing model{suggestion}")
        )
        return None
    return read_record(MODELS[model], item, document, path, foreign_keys=_foreign_keys(model))


def _foreign_keys(model: str) -> dict[str, str]:
    own = MODELS[model].model_fields
    foreign: dict[str, list[str]] = {}
    for other, cls in MODELS.items():
        for key in cls.model_fields:
            if key not in own:
                foreign.setdefault(key, []).append(other)
    return {
        key: f"it belongs to {either(others)}; a {model} agreement is billed {_BILLED[model]}"
        for key, others in foreign.items()
    }
