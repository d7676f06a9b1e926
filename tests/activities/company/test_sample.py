"""The sample company and the smallest one: valid and alive on whatever day they are written."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from activities.company.folder import read_folder
from activities.company.opening_items import OPENING_ITEMS, read_opening_items
from activities.company.sample import write_sample, write_starter
from activities.company.single_files import read_event, read_one_off
from activities.crm.files import FilesCrm
from activities.invoicing.calendars import business_days
from activities.invoicing.fetching import fetch
from activities.invoicing.sources import Systems
from billing.agreements import Agreement
from billing.assembly import Assembly, assemble
from billing.blocks import BoughtBlock
from billing.company import Company
from billing.due import due
from billing.periods import Period
from billing.prepayments import Prepayment
from billing.request import BillingRequest

DAYS = [
    date(2026, 1, 31),
    date(2026, 3, 1),
    date(2026, 11, 22),
    date(2026, 12, 31),
    date(2027, 1, 1),
    date(2028, 2, 29),
    date(2028, 3, 31),
]


class NothingBilled:
    """A ledger in which there is no invoice yet."""

    def standing_on(self, source: str, items: Collection[str]) -> Mapping[str, str | None]:
        return {}

    def closed(self, agreement: str, item: str) -> tuple[Period, ...]:
        return ()

    def net(self, agreement: str, item: str | None = None, period: Period | None = None) -> Decimal:
        return Decimal(0)

    def quantity(self, agreement: str, item: str) -> Decimal:
        return Decimal(0)

    def blocks(self, agreement: Agreement, company: Company) -> Sequence[BoughtBlock]:
        return ()

    def prepayments(self, agreement: str, items: Collection[str]) -> tuple[Prepayment, ...]:
        return ()

    def line_reached(self, billing_key: str) -> bool:
        return False


def first_billing_run(folder: Path, company: Company, today: date) -> dict[str, Assembly]:
    """What a billing run on the day would assemble, by billing key."""
    systems = Systems.in_folder(folder, company.integrations)
    assembled = {}
    for agreement in company.agreements:
        client = company.client(agreement.client)
        assert client is not None
        for each in due(agreement, today, business_days(client, today)):
            request = BillingRequest(
                billing_key=each.occasion.billing_key,
                trigger="time",
                requested_by="billing-run",
                occasion=each.occasion,
            )
            facts = fetch(systems, company, request, today, NothingBilled())
            assembled[request.billing_key] = assemble(request, company, facts, today)
    return assembled


@pytest.mark.parametrize("today", DAYS, ids=str)
def test_the_sample_is_valid_and_bills_fourteen_invoices_at_first(tmp_path: Path, today: date) -> None:
    """On any day: fourteen first invoices, four of which stop for the reasons the comments promise."""
    write_sample(tmp_path, today)
    reading = read_folder(tmp_path)
    assert [each.message.partition(";")[0] for each in reading.problems] == ["not approved: changes nothing"]
    assert reading.company is not None
    assembled = first_billing_run(tmp_path, reading.company, today)
    assert len(assembled) == 14
    stopped = {
        key.split("/")[0]: [finding.code.value for finding in each.findings]
        for key, each in assembled.items()
        if each.findings
    }
    assert stopped == {
        "alsterkontor-operations": ["sources-differ"],
        "atelier-hosting": ["tax-unknown"],
        "thameside-analytics": ["no-contact"],
        "isarmedia-development": ["hours-unapproved"],
    }
    drafts = [each.draft for each in assembled.values() if each.draft and not each.findings]
    approved = [draft for draft in drafts if reading.company.approvals.required(draft.amount_due)]
    assert sorted(draft.client for draft in approved) == ["lonestar", "maplecare"]
    assert sorted(draft.client for draft in drafts if draft not in approved) == [
        "donauwerft",
        "donauwerft",
        "donauwerft",
        "grachtenlab",
        "lonestar",
        "quickstep",
        "rheinblick",
        "spreebogen",
    ]


@pytest.mark.parametrize("today", DAYS, ids=str)
def test_the_smallest_company_is_valid(tmp_path: Path, today: date) -> None:
    """What `billow init` writes checks clean and bills its one retainer without a finding."""
    write_starter(tmp_path, today)
    reading = read_folder(tmp_path)
    assert not reading.problems
    assert reading.company is not None
    (assembly,) = first_billing_run(tmp_path, reading.company, today).values()
    assert not assembly.findings
    assert assembly.draft is not None
    assert assembly.draft.gross == Decimal("1428.00")


def test_the_sample_has_every_kind_of_client_agreement_and_open_item(tmp_path: Path) -> None:
    """Two issuers, a dozen clients in ten countries, every billing model, open items of every age."""
    today = date(2026, 11, 22)
    write_sample(tmp_path, today)
    company = read_folder(tmp_path).company
    assert company is not None
    assert {issuer.address.country for issuer in company.issuers} == {"DE", "AT"}
    crm = FilesCrm(tmp_path / "data/crm")
    known = [crm.client(client.crm) for client in company.clients]
    countries = Counter(each.address.country for each in known if each)
    assert set(countries) == {"DE", "FR", "NL", "AT", "CH", "GB", "US", "CA", "IN"}
    assert {each.address.region for each in known if each and each.address.country in ("US", "CA")} == {
        "TX",
        "NY",
        "ON",
    }
    assert {agreement.model for agreement in company.agreements} == {
        "retainer",
        "time and materials",
        "expenses",
        "milestone",
        "fixed price",
        "prepaid block",
    }
    items = read_opening_items(tmp_path / OPENING_ITEMS).value
    assert items is not None
    assert {(today - item.due_date).days for item in items} == {-4, -5, 2, 5, 20, 50, 100}
    assert [bool(item.promised_for) for item in items].count(True) == 1
    assert [bool(item.disputed) for item in items].count(True) == 1
    assert [bool(item.paid) for item in items].count(True) == 1


def test_the_quick_client_is_collected_within_minutes(tmp_path: Path) -> None:
    """Its terms are two minutes; its dunning policy runs by the minute, around the clock, without a gap."""
    write_sample(tmp_path, date(2026, 11, 22))
    company = read_folder(tmp_path).company
    assert company is not None
    client = company.client("quickstep")
    assert client is not None
    policy = company.dunning_policy(client.dunning)
    assert policy is not None
    assert client.terms.net_minutes == 2
    assert policy.around_the_clock
    assert policy.gap.length == timedelta(0)
    assert [level.length for level in policy.levels] == [timedelta(minutes=n) for n in (1, 2, 3)]


def test_the_events_of_the_sample_are_valid(tmp_path: Path) -> None:
    """Each file in events/ can be triggered, and names an agreement that is there."""
    write_sample(tmp_path, date(2026, 11, 22))
    company = read_folder(tmp_path).company
    assert company is not None
    events = sorted((tmp_path / "events").glob("*.yaml"))
    read = [read_event(path) for path in events if path.name != "one-off.yaml"]
    assert not [problem for each in read for problem in each.problems]
    assert len({each.value.type for each in read if each.value}) == 4
    assert all(each.value and company.agreement(each.value.data.agreement or "") for each in read)
    one_off = read_one_off(tmp_path / "events/one-off.yaml")
    assert not one_off.problems
    assert one_off.value is not None
    assert company.client(one_off.value.client)


def test_a_new_folder_appears_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is full halfway leaves no half company behind, so that the next try begins anew."""
    write = Path.write_text

    def full(path: Path, text: str, encoding: str) -> int:
        if path.name == "issuers.yaml":
            raise OSError(28, "No space left on device", str(path))
        return write(path, text, encoding=encoding)

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OSError, match="No space left"):
        write_sample(tmp_path / "new" / "company", date(2026, 11, 22))
    assert not list((tmp_path / "new").iterdir())
    monkeypatch.undo()
    write_sample(tmp_path / "new" / "company", date(2026, 11, 22))
    assert read_folder(tmp_path / "new" / "company").company
