"""The straight path: nobody needs to be asked, and the client pays in time."""

from tests.stories.story import Story


async def test_paid_before_due(story: Story) -> None:
    """An invoice below every tier is issued, mailed with its PDF and copies, paid, and settled; nobody is reminded."""
    story.begin()
    key = story.trigger("acme-care")
    row = await story.waits(key, "payment of EUR 1,190.00")
    assert row.number is not None and row.number.endswith("-00001")
    mail = story.mails("ap@client.example")[0]
    assert [attachment.name for attachment in mail.attachments] == [f"{row.number}.pdf"]
    assert set(mail.cc) == {"boss@client.example", "copies@issuer.example"}
    assert story.pay(key, "1190.00")
    plan = await story.ends(key)
    assert plan.state == "settled: paid"
    assert story.events(key) == [
        "triggered",
        "assembled",
        "issued",
        "rendered",
        "sent",
        "payment received",
        "settled",
    ]
    assert len(story.mails()) == 1
    await story.recorded(key, "paid-before-due", actions=9, kilobytes=12)
