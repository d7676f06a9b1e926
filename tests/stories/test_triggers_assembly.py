"""Assembly on the real engine: empty periods, work that came late, change orders that are not signed."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from activities.ledger import commands, invoices, triggers
from activities.ledger.exceptions import Resolution
from benchmarks.actions import cost
from billing.agreements import Occasion
from billing.approval_policy import Channel
from billing.money import rounded
from billing.periods import Period, months_after
from tests.company import first_of_month, retainer
from tests.stories.story import Story, now

HEADER = "id,project,person,role,day,hours,approved,billable,note\n"


def last_month() -> Period:
    first = months_after(first_of_month(), -1)
    return Period(start=first, end=first_of_month() - timedelta(days=1))


def with_hours(story: Story, *hours: tuple[str, date, str], **changes: Any) -> None:
    """Time and materials since last month, and its hours: id, day, quantity."""
    record = retainer(
        "acme-time", "acme", "1", model="time and materials", project="P-1", rates={"senior": "120"}
    )
    del record["amount"]
    story.company.agreements = [{**record, "start": last_month().start, **changes}]
    story.company.projects = [{"id": "P-1", "name": "Project", "client": "C-1"}]
    story.company.time = HEADER + "".join(
        f"{key},P-1,Mira,senior,{day},{quantity},yes,yes,\n" for key, day, quantity in hours
    )


def bill(story: Story, period: Period, trigger: str = "time", item: str = "time") -> str:
    """A billing run asks for a period."""
    occasion = Occasion(agreement="acme-time", item=item, period=period)
    with story.effects.ledger.transaction() as tx:
        asked = triggers.by_occasion(tx, occasion, trigger, by="billing-run", channel="billing run", at=now())
        return asked.invoice.billing_key


async def test_an_empty_month_ends_by_itself_and_its_late_hours_are_found(story: Story) -> None:
    """A month without hours is waived by one step, nobody is told; hours entered for it hold the next invoice."""
    with_hours(story, skip_empty=True)
    story.begin()
    empty = bill(story, last_month())
    await story.happens(empty, "voided")
    plan = await story.ends(empty)
    assert (plan.open, plan.state) == (False, "voided draft, waived")
    assert story.events(empty) == ["triggered", "voided"]
    assert story.trail(empty)[-1].facts["reason"] == f"nothing to bill in {last_month()}"
    assert cost(await story.handle(empty).fetch_history()).actions <= 4
    assert not story.mails()

    today = now().date()
    with_hours(story, ("T-1", last_month().end, "3"), ("T-2", first_of_month(), "8"), skip_empty=True)
    story.company.write_sources()
    running = bill(story, Period(start=first_of_month(), end=today), trigger="manual")
    await story.waits(running, "decision on: leftovers")
    with story.effects.ledger.transaction() as tx:
        (found,) = invoices.open_exceptions(tx, invoices.find(tx, running))
    assert found.finding["message"].startswith("3 h of earlier periods that are billed already")
    commands.resolve(
        story.effects.ledger,
        found.id,
        Resolution.ACCEPT,
        by="pia",
        channel=Channel.CLI,
        reason="a gift",
        at=now(),
    )
    await story.waits(running, "payment of EUR 1,142.40")  # 8 × 120 = 960.00, and 19 %
    story.pay(running, "1142.40")
    await story.ends(running)


async def test_included_hours_ask_nobody(story: Story) -> None:
    """Three of five included hours: the overage of the month is waived, its hours are held, nobody is asked."""
    with_hours(story, ("T-1", last_month().end, "3"))
    story.company.agreements[0] |= {"model": "retainer", "amount": "500", "included_hours": "5"}
    story.begin()
    key = bill(story, last_month(), item="overage")
    await story.happens(key, "voided")
    assert (await story.ends(key)).state == "voided draft, waived"
    assert story.events(key)[-1] == "voided"
    assert not story.mails()


async def test_a_change_order_must_be_signed_before_it_is_billed(story: Story) -> None:
    """An order in force whose document is missing holds the invoice; filed, the new rate is billed from its day on."""
    period = last_month()
    middle = period.start + timedelta(days=14)
    order = {
        "id": "co-1",
        "effective": middle,
        "reason": "senior people only",
        "document": "K-2",
        "proposed_by": "pia",
        "approved_by": "noor",
        "approved_on": period.start,
        "rates": {"senior": "150"},
    }
    with_hours(story, ("T-1", middle - timedelta(days=1), "2"), ("T-2", middle, "2"), change_orders=[order])
    story.begin()
    key = bill(story, period)
    await story.waits(key, "decision on: not-signed")
    story.company.contracts = [
        {"id": "K-2", "client": "C-1", "value": "0", "currency": "EUR", "signed_on": period.start}
    ]
    story.company.write_sources()
    story.retry(key, "not-signed")
    row = await story.waits(key, "payment of EUR 642.60")  # 2 × 120 + 2 × 150 = 540.00, and 19 %
    lines = [(line["quantity"], line["unit_price"]) for line in (row.draft or {})["lines"]]
    assert lines == [("2", "120"), ("2", "150")]
    story.pay(key, "642.60")
    await story.ends(key)


async def test_an_agreement_that_ends_under_its_invoice(story: Story) -> None:
    """Ended on the 10th after the month was asked for: held, voided to be billed again, and then billed to the 10th."""
    story.company.agreements = [retainer("acme-care", "acme", "1000.00", start=last_month().start)]
    story.company.crm[0]["billing_contact"] = None
    story.begin()
    with story.effects.ledger.transaction() as tx:
        whole = Occasion(agreement="acme-care", item="fee", period=last_month())
        key = triggers.by_occasion(
            tx, whole, "time", by="billing-run", channel="billing run", at=now()
        ).invoice.billing_key
    await story.waits(key, "decision on: no-contact")
    story.company.crm[0]["billing_contact"] = {"name": "Kim Vogel", "email": "ap@client.example"}
    tenth = last_month().start.replace(day=10)
    story.company.agreements[0]["end"] = tenth
    story.begin()
    story.retry(key, "no-contact")
    await story.waits(key, "decision on: rules-changed")
    commands.resolve(
        story.effects.ledger,
        story.exception(key, "rules-changed"),
        Resolution.VOID,
        by="pia",
        channel=Channel.CLI,
        reason="it ended",
        rebill=True,
        at=now(),
    )
    await story.ends(key)
    with story.effects.ledger.transaction() as tx:
        asked = triggers.by_agreement(tx, "acme-care", None, by="pia", channel="cli", at=now())
        again = asked.invoice
    assert (again.period_start, again.period_end) == (last_month().start, tenth)
    row = await story.waits(key, "payment of")
    assert row.net == rounded(Decimal(10_000) / last_month().days, "EUR")
