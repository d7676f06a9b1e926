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
    await story.recorded(key, "exception-repaired", actions=15, kilobytes=20)


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
    assert (
        "CRM 8,500.00 EUR against contract 9,200.00 EUR, a difference of 700.00 EUR" in event.facts["message"]
    )
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


async def test_contact_set_by_hand(story: Story) -> None:
    """A contact set by hand with a reason sends this one invoice there; whoever set it cannot approve it."""
    story.company.crm = [crm_client("C-1", "Acme GmbH", billing_contact=None)]
    story.begin()
    key = story.trigger("acme-care")
    await story.waits(key, "decision on: no-contact")
    commands.resolve(
        story.effects.ledger,
        exception(story, key, "no-contact"),
        Resolution.OVERRIDE,
        by="otto",
        channel=Channel.CLI,
        reason="on the phone",
        overrides={"contact.email": "hand@client.example"},
        at=now(),
    )
    await story.waits(key, "payment")
    assert len(story.mails("hand@client.example")) == 1
    assert "otto" in story.row(key).took_part


async def test_look_alike_is_held(story: Story) -> None:
    """A second invoice over the same amount for the same time is held and names the first; accepted, both go out."""
    story.company.agreements = [
        retainer("acme-care", "acme", "1000.00"),
        retainer("acme-twin", "acme", "1000.00"),
    ]
    story.begin()
    first = story.trigger("acme-care")
    number = (await story.waits(first, "payment")).number
    second = story.trigger("acme-twin")
    await story.waits(second, "look-alike")
    raised = next(each for each in story.trail(second) if each.event == "exception raised")
    assert str(number) in raised.facts["message"]
    commands.resolve(
        story.effects.ledger,
        exception(story, second, "look-alike"),
        Resolution.ACCEPT,
        by="pia",
        channel=Channel.CLI,
        reason="two contracts",
        at=now(),
    )
    await story.waits(second, "payment")


async def test_bounced_mail_is_sent_again(story: Story) -> None:
    """A mail that came back is an exception; with the address corrected, retrying mails a copy to the new one."""
    story.begin()
    key = story.trigger("acme-care")
    await story.waits(key, "payment")
    sent = story.mails("ap@client.example")[0]
    for _ in range(2):
        commands.bounced(
            story.effects.ledger,
            sent.message_id,
            reason="5.1.1 no such user",
            by="imap",
            channel="imap",
            at=now(),
        )
    await story.waits(key, "decision on: bounced")
    story.company.crm = [
        crm_client("C-1", "Acme GmbH", billing_contact={"name": "New", "email": "new@client.example"})
    ]
    story.company.write_sources()
    commands.resolve(
        story.effects.ledger,
        exception(story, key, "bounced"),
        Resolution.RETRY,
        by="pia",
        channel=Channel.CLI,
        at=now(),
    )
    await story.until(lambda: story.mails("new@client.example"), "the copy")
    await story.waits(key, "payment")
    assert len({mail.message_id for mail in story.mails()}) == len(story.mails())


async def test_sent_again_by_request(story: Story) -> None:
    """A person has the invoice mailed once more, elsewhere; two clicks in a minute are one mail."""
    story.begin()
    key = story.trigger("acme-care")
    await story.waits(key, "payment")
    at = now()
    for _ in range(2):
        commands.resend(
            story.effects.ledger, key, to="boss@elsewhere.example", by="pia", channel=Channel.CLI, at=at
        )
    await story.until(lambda: story.mails("boss@elsewhere.example"), "the copy")
    assert len(story.mails("boss@elsewhere.example")) == 1
    assert story.mails("boss@elsewhere.example")[0].attachments[0].name.endswith(".pdf")
