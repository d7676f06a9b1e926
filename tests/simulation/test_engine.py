"""What the simulation says of the sample company is what the engine then does."""

import asyncio
from datetime import UTC, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import pytest

from activities.company.opening_items import read_opening_items
from activities.invoicing import billing_runs
from activities.ledger import invoices, opening_items
from activities.ledger.company_records import CompanyVersion
from activities.ledger.tables import InvoiceRow
from billing.approval_policy import Verdict
from billing.company import Company
from billing.exceptions import ReasonCode
from billing.simulation import outcome
from billing.simulation.loop import next_run
from billing.simulation.outcome import Assumptions, Simulated
from billing.status import DocumentStatus
from tests.simulation.sample import Sample, recorded, simulated
from tests.stories.story import Story

WORKING_TIME = timedelta(minutes=5)
"""What the engine may take for its own work, from the trigger on; the simulation takes none."""

NEVER_PAID = Assumptions(approve_after=timedelta(hours=30), pay_after=None)
"""Long enough for a reminder, an escalation, and the reminder after it."""


DRIVEN = (
    "spreebogen-support/",  # three reminders, escalation, hand-over
    "maplecare-platform/",  # a quarter in arrears, approved late; Toronto, a policy that ends with the escalation
    "lonestar-integration/",  # hours, approved late; Chicago
    "grachtenlab-cloud/",  # a quarter in advance; Amsterdam
    "donauwerft-service-desk/overage/",  # hours beyond the included ones; another issuer
    "quickstep-care/",  # by the minute, around the clock
    "limmat-portal/",  # by an event; Zurich
    "hudson-advisory/",  # a prepaid block; New York
)


@pytest.mark.timeout(600)
async def test_step_by_step(story: Story, sample: Sample) -> None:
    """Every act of the first billing run's invoices: act, instant, recipient and amount; of many, to the hand-over."""
    version = await _applied(story, sample)
    start = datetime.now(UTC).replace(second=0, microsecond=0)
    assert next_run(start, version.company.billing_runs.every_minutes) == start
    expected = simulated(story.effects.ledger, version, start, NEVER_PAID, days=150)
    keys = [each.billing_key for each in expected.steps if each.act in _FIRST and each.at == start]
    assert len(keys) >= 14
    for agreement in ("limmat-portal", "rheinblick-migration", "hudson-advisory"):
        story.trigger(agreement, by="billing-run", item="concept" if agreement == "limmat-portal" else None)
    billing_runs.run(story.effects.ledger, "first", start)
    for key in keys:
        await _settled_down(story, key)
    driven = [key for key in keys if key.startswith(DRIVEN)]
    assert len(driven) == len(DRIVEN)
    await asyncio.gather(*(_drive(story, key, expected.until) for key in driven))
    for key in keys:
        steps = [each for each in expected.steps if each.billing_key == key]
        if steps[0].act == outcome.HELD:
            _same_exception(story, key, steps[0])
        else:
            so_far = steps if key in driven else [each for each in steps if each.at == start]
            _same_acts(story, key, so_far, version.company)


_FIRST = (outcome.BILLED, outcome.HELD)


@pytest.mark.timeout(600)
async def test_open_items_go_on(story: Story, sample: Sample) -> None:
    """From the ledger as it stands, what is owed is collected on: late, reminded before, partly paid, promised."""
    version = await _applied(story, sample)
    ledger = story.effects.ledger
    items = read_opening_items(sample.folder / "data/opening_items.yaml").value
    assert items
    with ledger.transaction() as tx:
        for item in items:
            now = datetime.now(UTC)
            opening_items.import_opening_item(tx, item, version.company, version.version, by="lena", at=now)
    keys = {item.number: f"opening/{item.client}/{item.number.lower()}" for item in items}
    for key in keys.values():
        await _settled_down(story, key)
    start = datetime.now(UTC)
    expected = simulated(ledger, version, start, NEVER_PAID, days=120)
    before = {key: len(_recorded(story, key, version.company)) for key in keys.values()}
    await asyncio.gather(*(_drive(story, keys[number], expected.until) for number in OPEN_ITEMS))
    for number in OPEN_ITEMS:
        key = keys[number]
        steps = [each for each in expected.steps if each.billing_key == key]
        _same(key, steps, _recorded(story, key, version.company)[before[key] :])


OPEN_ITEMS = (
    "R-1041",  # not due yet
    "R-1033",  # two days late, nobody has written yet; New York
    "R-1027",  # reminded twice; another issuer
    "R-1024",  # partly paid; Chicago
    "R-1019",  # promised
    "R-1006",  # every reminder of a patient policy is sent
)


async def _applied(story: Story, sample: Sample) -> CompanyVersion:
    """The sample, applied; never just before somebody's midnight, when one minute decides about a due date."""
    now = datetime.now(UTC)
    sample.write(now, every_minutes=1)
    version = sample.apply(story.effects.ledger, now)
    zones = {each.zone for each in version.company.clients} | {each.zone for each in version.company.issuers}
    for zone in zones:
        local = now.astimezone(ZoneInfo(zone))
        if (local + WORKING_TIME).date() != local.date():
            await asyncio.sleep(WORKING_TIME.total_seconds())
            return await _applied(story, sample)
    return version


async def _settled_down(story: Story, key: str) -> None:
    async def asleep() -> bool:
        return await story.is_asleep(key) and bool(story.row(key).waits_for or story.row(key).closed_at)

    end = asyncio.get_running_loop().time() + 60
    while not await asleep():
        assert asyncio.get_running_loop().time() < end, f"{key}: {story.events(key)}"
        await asyncio.sleep(0.02)


async def _drive(story: Story, key: str, until: datetime) -> None:
    """Lets time pass for the invoice until the instant, or until nothing more comes; approved 30 hours after asked."""
    while True:
        row, seen = story.row(key), len(story.events(key))
        if row.closed_at is not None or row.next_at is None:
            return
        if row.waits_for.startswith("decision on") or "plans nothing more" in row.waits_for:
            return
        answer_at = _answer_at(story, row)
        if answer_at is not None and answer_at <= row.next_at:
            await story.skip(key, answer_at - await story.now(key))
            story.decide(key, Verdict.APPROVE, "tomasz", at=await story.now(key))
        elif row.next_at >= until:
            return
        else:
            await story.skip(key, row.next_at - await story.now(key))
        await story.until(partial(_has_gone_on, story, key, seen), f"{key} goes on")
        await _settled_down(story, key)


def _has_gone_on(story: Story, key: str, seen: int) -> bool:
    return len(story.events(key)) > seen


def _answer_at(story: Story, row: InvoiceRow) -> datetime | None:
    if row.document_status != DocumentStatus.AWAITING_APPROVAL:
        return None
    asked = next(each for each in story.trail(row.billing_key) if each.event == "approval asked")
    return asked.at + timedelta(hours=30)


def _same_exception(story: Story, key: str, held: Simulated) -> None:
    """The same findings in the same order, and the first one's owner."""
    raised = [each.facts["code"] for each in story.trail(key) if each.event == "exception raised"]
    known = {str(code) for code in ReasonCode}
    said = [part.split(":")[0] for part in held.why.split("; ")]
    assert [code for code in said if code in known] == raised, f"{key}: {held.why}"
    with story.effects.ledger.transaction() as tx:
        owner = invoices.open_exceptions(tx, invoices.find(tx, key))[0].owner
    assert owner == held.who, key


def _same_acts(story: Story, key: str, steps: list[Simulated], company: Company) -> None:
    _same(key, steps, _recorded(story, key, company))


def _recorded(story: Story, key: str, company: Company) -> list[Simulated]:
    with story.effects.ledger.transaction() as tx:
        return recorded(tx, key, company)


def _same(key: str, steps: list[Simulated], real: list[Simulated]) -> None:
    said = [(each.act, each.who, each.amount) for each in steps]
    done = [(each.act, "" if each.act == outcome.BILLED else each.who, each.amount) for each in real]
    assert done == said, key
    for step, one in zip(steps, real, strict=True):
        assert timedelta(0) <= one.at - step.at <= WORKING_TIME, f"{key}: {step.act} {step.at} {one.at}"
