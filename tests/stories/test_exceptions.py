"""What does not fit waits for a person."""

from activities.ledger import commands, invoices
from activities.ledger.exceptions import Resolution
from billing.approval_policy import Channel
from tests.company import crm_client, retainer
from tests.stories.story import Story, now


def exception(story: Story, key: str, code: str) -> int:
    """The id of the invoice's one open exception, which must have that code."""
    with story.effects.ledger.transaction() as tx:
        (found,) = invoices.open_exceptions(tx, invoices.find(tx, key))
        assert found.code == code, found.finding
        return found.id


async def test_exception_repaired(story: Story) -> None:
    """A client without a billing contact stops; somebody adds it in the CRM and retries; the invoice goes out."""
    story.company.crm = [crm_client("C-1", "Acme GmbH", billing_contact=None)]
    story.begin()
    key = story.trigger("acme-care")
    row = await story.waits(key, "decision on: no-contact")
    assert row.number is None and not story.mails("ap@client.example")
    await story.until(lambda: story.mails("pia@issuer.example"), "the notice to the owner")
    assert "no billing contact" in story.mails("pia@issuer.example")[0].text
    story.company.crm = [crm_client("C-1", "Acme GmbH")]
    story.company.write_sources()
    commands.resolve(
        story.effects.ledger,
        exception(story, key, "no-contact"),
        Resolution.RETRY,
        by="pia",
        channel=Channel.CLI,
        at=now(),
    )
    await story.waits(key, "payment of EUR 1,190.00")
    assert "exception repaired" in story.events(key)
    story.pay(key, "1190")
    await story.ends(key)
    await story.recorded(key, "exception-repaired", actions=13, kilobytes=20)


async def test_difference_accepted(story: Story) -> None:
    """CRM 8,500 against contract 9,200 names both and the difference; accepting it is a person's act with a reason."""
    story.company.deals = [{"id": "D-1", "client": "C-1", "value": "8500.00", "currency": "EUR"}]
    story.company.contracts = [
        {"id": "K-1", "client": "C-1", "value": "9200.00", "currency": "EUR", "signed_on": "2026-01-05"}
    ]
    story.company.agreements = [retainer("acme-care", "acme", "9200.00", deal="D-1", contract="K-1")]
    story.company.tiers = []
    story.begin()
    key = story.trigger("acme-care", by="noor")
    await story.waits(key, "decision on: sources-differ")
    (event,) = [each for each in story.trail(key) if each.event == "exception raised"]
    assert "CRM 8,500.00 EUR against contract 9,200.00 EUR, a difference of 700.00" in event.facts["message"]
    commands.resolve(
        story.effects.ledger,
        exception(story, key, "sources-differ"),
        Resolution.ACCEPT,
        by="pia",
        channel=Channel.WEB,
        reason="CRM not updated after signing",
        at=now(),
    )
    row = await story.waits(key, "payment of EUR 10,948.00")
    assert "pia" in row.took_part


async def test_undecided_exception_goes_up_the_line(story: Story) -> None:
    """An exception past its deadline gets a new owner and a new deadline, and both are told."""
    story.company.crm = [
        crm_client(
            "C-1", "Acme GmbH", vat_id="", address={"street": "1 rue", "city": "Lyon", "country": "FR"}
        )
    ]
    story.begin()
    key = story.trigger("acme-care")
    row = await story.waits(key, "decision on: tax-unknown")
    first = row.next_at
    await story.until_next(key)
    await story.until(lambda: "exception reminded" in story.events(key), "the reminder")
    await story.waits(key, "decision on: tax-unknown")
    await story.until_next(key)
    await story.until(lambda: "exception escalated" in story.events(key), "the escalation")
    await story.until(lambda: len(story.mails("noor@issuer.example")) == 1, "the notice to the superior")
    row = await story.waits(key, "decision on: tax-unknown")
    assert first is not None and row.next_at is not None and row.next_at > first


async def test_folder_edited_halfway(story: Story) -> None:
    """A half-saved client file stops with file and line; once it is whole, a retry goes on."""
    story.begin()
    path = story.company.folder / "data/crm/clients.yaml"
    whole = path.read_text()
    path.write_text(whole[: len(whole) // 2] + "\n  - [")
    key = story.trigger("acme-care")
    await story.waits(key, "decision on: source-unreadable")
    raised = next(each for each in story.trail(key) if each.event == "exception raised")
    assert "clients.yaml" in raised.facts["message"]
    path.write_text(whole)
    commands.resolve(
        story.effects.ledger,
        exception(story, key, "source-unreadable"),
        Resolution.RETRY,
        by="pia",
        channel=Channel.CLI,
        at=now(),
    )
    await story.waits(key, "payment of EUR 1,190.00")
