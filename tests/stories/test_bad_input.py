"""Whatever is sent or written, nothing is wedged and nothing vanishes."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest
from temporalio.api.common.v1 import Payload, Payloads, WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.workflowservice.v1 import SignalWorkflowExecutionRequest

from activities.ledger import approvals, audit_trail, commands, invoices, number_series
from activities.ledger.exceptions import Resolution
from benchmarks.actions import cost
from billing.approval_policy import Channel
from billing.errors import NumberingError
from tests.company import crm_client, retainer
from tests.stories.story import Story, now

ACTIVITY_SCHEDULED = EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED
JSON = {"encoding": b"json/plain"}


def payload(data: bytes, **metadata: bytes) -> Payload:
    return Payload(metadata=metadata or JSON, data=data)


ODD_SIGNALS: dict[str, tuple[str, list[Payload]]] = {
    "no input, as one click in the UI sends it": ("approve", []),
    "null": ("approve", [payload(b"null")]),
    "a number": ("approve", [payload(b"42")]),
    "a list": ("reject", [payload(b'["otto"]')]),
    "an empty object": ("approve", [payload(b"{}")]),
    "surplus arguments": ("approve", [payload(b'{"approver":"otto"}'), payload(b'"more"'), payload(b"1")]),
    "broken JSON": ("approve", [payload(b'{"approver": ')]),
    "no JSON at all": ("approve", [payload(b"\xff\xfe\x00", encoding=b"binary/plain")]),
    "an encoding nobody knows": ("reject", [payload(b"\x01\x02", encoding=b"x/unheard-of")]),
    "wrong types": ("approve", [payload(b'{"approver": 7, "comment": ["a"]}')]),
    "an approver with NUL and a lone surrogate": (
        "approve",
        [payload(b'{"approver": "ot\\u0000to\\ud800"}')],
    ),
    "a comment of a megabyte": (
        "reject",
        [payload(b'{"approver":"otto","comment":"' + b"x" * 1_000_000 + b'"}')],
    ),
    "a name that is no signal of ours": ("pay_me", [payload(b'{"amount": 1}')]),
    "depth": ("approve", [payload(b"[" * 5000 + b"]" * 5000)]),
}


async def signal(story: Story, key: str, name: str, payloads: list[Payload]) -> None:
    await story.env.client.workflow_service.signal_workflow_execution(
        SignalWorkflowExecutionRequest(
            namespace=story.env.client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=story.handle(key).id),
            signal_name=name,
            input=Payloads(payloads=payloads),
        )
    )


def refusals(story: Story, key: str) -> list[str]:
    return [each.facts["because"] for each in story.trail(key) if each.event.endswith("refused")]


async def test_odd_signals_are_audited_and_wedge_nothing(story: Story) -> None:
    """Signals of every odd shape, while it waits for approval, are each audited as refused; then it is approved."""
    story.company.agreements = [retainer("acme-large", "acme", "10000.00")]
    story.begin()
    key = story.trigger("acme-large")
    await story.waits(key, "approval")
    for name, payloads in ODD_SIGNALS.values():
        await signal(story, key, name, payloads)
    await story.until(lambda: len(refusals(story, key)) == len(ODD_SIGNALS), "every odd signal audited")
    assert story.row(key).document_status == "awaiting approval"
    await story.handle(key).signal("approve", {"approver": "otto"})
    await story.waits(key, "payment of EUR 11,900.00")
    await signal(story, key, "wake", [payload(b"{broken"), payload(b"1")])
    await signal(story, key, "approve", [payload(b'{"approver": "otto"}')])
    await story.until(lambda: "nothing to decide" in refusals(story, key)[-1], "a late approval is refused")
    story.pay(key, "11900")
    assert (await story.ends(key)).state == "settled: paid"


def fuzzed(random: Random, count: int) -> list[tuple[str, list[Payload]]]:
    """Signals of random names, numbers of arguments, shapes and bytes."""

    def value(depth: int) -> Any:
        simple = [None, True, -1, 10**30, 0.5, "", "otto", "\x00", "\ud800", "€", "x" * 3000]
        if depth == 0:
            return random.choice(simple)
        deeper = [value(depth - 1) for _ in range(random.randint(0, 3))]
        keys = ["approver", "comment", "reason", "draft_digest", "", "x" * 50]
        return random.choice([value(0), deeper, {random.choice(keys): each for each in deeper}])

    def argument() -> Payload:
        if random.random() < 0.3:
            return payload(
                random.randbytes(random.randint(0, 40)), encoding=random.choice([b"json/plain", b"x", b""])
            )
        return payload(json.dumps(value(random.randint(0, 3))).encode())

    names = ["approve", "reject", "approve", "", "__x", "wake up", "Genehmigen €"]
    return [(random.choice(names), [argument() for _ in range(random.randint(0, 3))]) for _ in range(count)]


async def test_fuzzed_signals_to_a_sleeping_invoice(story: Story) -> None:
    """Eighty random signals to an invoice that sleeps until it is due: none wedges it, each is audited as refused."""
    story.begin()
    key = story.trigger("acme-care")
    await story.waits(key, "payment")
    signals = [each for each in fuzzed(Random(20261122), 80) if each[0]]
    for name, payloads in signals:
        await signal(story, key, name, payloads)
    await story.until(lambda: len(refusals(story, key)) == len(signals), "every signal audited")
    row = await story.waits(key, "payment of EUR 1,190.00")
    assert (row.document_status, row.payment_status) == ("issued", "unpaid")
    with story.effects.ledger.transaction() as tx:
        assert not audit_trail.verify(tx, row.id)
    story.pay(key, "1190")
    assert (await story.ends(key)).state == "settled: paid"


NAMES = {
    "html": "<script>alert('x')</script> & Söhne <b>GmbH</b>",
    "emoji": "Raketen 🚀 GmbH",
    "arabic": "شركة الاختبار المحدودة",
    "cjk": "株式会社テスト 测试有限公司",
    "jinja": "{{ 7*7 }} {% raw %} GmbH",
}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES.keys())
async def test_names_in_any_script(story: Story, name: str) -> None:
    """A client of any name gets its invoice, or somebody is asked to correct the name; it is never stuck."""
    story.company.crm = [crm_client("C-1", name)]
    story.begin()
    key = story.trigger("acme-care")
    await story.until(lambda: story.row(key).waits_for, "waiting for something")
    row = story.row(key)
    if "unprintable" in row.waits_for:
        assert any(each.event == "exception raised" for each in story.trail(key))
    else:
        await story.waits(key, "payment")
        assert len(story.mails("ap@client.example")) == 1


async def test_a_name_nobody_can_print(story: Story) -> None:
    """A control character in a name is an exception that names the character, before a number is taken."""
    story.company.crm = [crm_client("C-1", "Ding\x07 GmbH")]
    story.begin()
    key = story.trigger("acme-care")
    row = await story.waits(key, "decision on: ")
    assert row.number is None
    raised = next(each for each in story.trail(key) if each.event == "exception raised")
    assert "U+0007" in raised.facts["message"] or "control" in raised.facts["message"].lower(), raised.facts


async def test_ten_thousand_lines(story: Story) -> None:
    """Ten thousand people on one month are an exception in the inbox, not a document of three hundred pages."""
    rates: dict[str, Any] = {"developer": "100.00"}
    story.company.agreements = [
        retainer(
            "acme-time",
            "acme",
            "1",
            model="time and materials",
            project="P-1",
            rates=rates,
            timing="in advance",
        )
    ]
    del story.company.agreements[0]["amount"]
    day = story.company.agreements[0]["start"]
    story.company.projects = [{"id": "P-1", "name": "Project", "client": "C-1"}]
    story.company.time += "".join(
        f"t{n},P-1,Person {n},developer,{day},1.00,yes,yes,\n" for n in range(10_000)
    )
    story.begin()
    key = story.trigger("acme-time")
    await story.waits(key, "too-many-lines")
    raised = next(each for each in story.trail(key) if each.event == "exception raised")
    assert "10,000 lines" in raised.facts["message"]


async def test_a_step_that_gets_nowhere_is_handed_to_a_person(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A step that leaves the invoice as it was, over and over, becomes an exception after a few turns, not a loop."""
    monkeypatch.setattr(number_series, "issue", lambda *_args, **_kwargs: "")
    story.begin()
    key = story.trigger("acme-care")
    await story.waits(key, "decision on: step-failed")
    assert story.row(key).number is None
    assert cost(await story.handle(key).fetch_history()).actions < 15
    monkeypatch.undo()
    with story.effects.ledger.transaction() as tx:
        (found,) = invoices.open_exceptions(tx, invoices.find(tx, key))
    commands.resolve(
        story.effects.ledger, found.id, Resolution.RETRY, by="pia", channel=Channel.CLI, at=now()
    )
    await story.waits(key, "payment of EUR 1,190.00")


async def test_a_burst_of_signals_wedges_nothing(story: Story) -> None:
    """Three hundred big claims sent while no worker runs: as many as are kept are audited, the rest are counted."""
    story.company.agreements = [retainer("acme-large", "acme", "10000.00")]
    story.begin()
    key = story.trigger("acme-large")
    await story.waits(key, "approval")
    await story.stop_workers()
    comment = json.dumps({"approver": "stranger", "comment": "x" * 3000}).encode()
    for _ in range(300):
        await signal(story, key, "approve", [payload(comment)])
    await story.start_workers()
    await story.until(
        lambda: any("not kept" in each for each in refusals(story, key)), "the overflow is told"
    )
    await story.handle(key).signal("approve", {"approver": "otto"})
    await story.waits(key, "payment of EUR 11,900.00")
    history = await story.handle(key).fetch_history()
    largest = max(event.ByteSize() for event in history.events if event.event_type == ACTIVITY_SCHEDULED)
    assert largest < 16 * 1024


async def test_claims_of_a_failed_step_are_heard(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    """A claim that came while its step failed for good is audited all the same, with the failure."""
    story.company.agreements = [retainer("acme-large", "acme", "10000.00")]
    story.begin()
    key = story.trigger("acme-large")
    await story.waits(key, "approval")

    def broken(*_: object, **__: object) -> None:
        raise NumberingError("nothing can be decided today; try tomorrow")

    monkeypatch.setattr(approvals, "attend", broken)
    await story.handle(key).signal("approve", {"approver": "stranger"})
    await story.happens(key, "exception raised")
    assert ["stranger" in each for each in refusals(story, key)] == [True]
