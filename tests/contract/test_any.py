"""What every adapter promises, whatever its port."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from typing import Any

import pytest

from activities.providers.provider import Told
from activities.providers.registry import providers
from billing.connections import Direction, Port
from billing.errors import SourceUnavailable
from billing.periods import Period
from tests.contract.systems import ALL, Subject, System

NOW = datetime(2026, 12, 1, 9, tzinfo=UTC)
NOVEMBER = Period(start=date(2026, 11, 1), end=date(2026, 11, 30))


def readings(subject: Subject, system: System) -> list[Callable[[], Any]]:
    """Everything that can be asked of it."""
    it, ids = system.adapter, system.ids
    if subject.port is Port.CRM:
        return [it.clients, it.deals, lambda: it.client(ids["client"]), lambda: it.deal(ids["deal"])]
    if subject.port is Port.CONTRACTS:
        return [it.contracts, lambda: it.contract(ids["contract"])]
    project = ids["project"]
    return [
        it.projects,
        lambda: it.project(project),
        lambda: it.milestones(project),
        lambda: it.time_entries(project, NOVEMBER),
    ]


def test_every_provider_is_here() -> None:
    """Whatever is installed for one of these ports keeps its promises."""
    of_ports = {each.port for each in ALL}
    installed = {name for name, each in providers().items() if each.ports & of_ports}
    assert installed == {each.provider for each in ALL if each.provider}


def test_again(subject: Subject, system: System) -> None:
    """Read again, it says the same."""
    for read in readings(subject, system):
        assert read() == read()


def test_many_at_once(subject: Subject, system: System) -> None:
    """Many threads read the same at once."""
    reads = readings(subject, system)
    alone = [read() for read in reads]
    with ThreadPoolExecutor(8) as pool:
        together = [pool.submit(read) for _ in range(4) for read in reads]
        assert [each.result() for each in together] == alone * 4


def test_unavailable(subject: Subject, system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    """A system that is not there is unavailable, named so that a person knows which; nothing is read as empty."""
    monkeypatch.setattr("activities.providers.http.time.sleep", lambda _: None)  # between tries
    system.stop()
    name = providers()[subject.provider].title.split()[0] if subject.provider else ".yaml"
    for read in readings(subject, system)[:2]:
        with pytest.raises(SourceUnavailable) as caught:
            read()
        assert name in str(caught.value)


def test_wrong_type(subject: Subject, system: System) -> None:
    """A field of another type than agreed is named, with its record; it is never read as something else."""
    words = system.spoil()
    reads = readings(subject, system)
    with pytest.raises(SourceUnavailable) as caught:
        reads[-1]()
    assert all(each in str(caught.value) for each in words), caught.value


def test_declared(subject: Subject) -> None:
    """A vendor is found under its name, serves the port, and says what it needs and where it answers."""
    if not subject.provider:
        pytest.skip("files need no vendor")
    provider = providers()[subject.provider]
    assert provider.name == subject.provider and subject.port in provider.ports and provider.title
    assert provider.secrets and provider.settings.model_config.get("extra") == "forbid"
    assert len({each.ours for each in provider.fields}) == len(provider.fields)
    if provider.webhook:
        assert provider.webhook.media_types and provider.webhook_secret


def test_samples(subject: Subject, system: System) -> None:
    """A live check shows each of its fields once; what must be there has a value, or says what is wrong."""
    if not subject.provider:
        pytest.skip("files are checked by `billow check`")
    provider = providers()[subject.provider]
    samples = system.adapter.samples()
    assert [each.ours for each in samples] == [each.ours for each in provider.fields]
    required = {each.ours for each in provider.fields if each.required and each.direction is Direction.IN}
    for each in samples:
        assert not each.problem, each
        kind = each.ours.partition(".")[0]
        if each.ours in required and (kind != "milestone" or "milestone" in system.ids):
            assert each.theirs and each.value, each


def test_written_back_once(subject: Subject, system: System) -> None:
    """What is billed is written back; told again, nothing is written any more."""
    if "bills" not in system.ids or system.server is None:
        pytest.skip("nothing is written back to it here")
    told = Told("k", "B-1", "issued", "100.00", "EUR", "https://billow.test/1", (system.ids["bills"],))

    def writes() -> int:
        assert system.server
        return sum(each.method in ("PUT", "PATCH", "DELETE") for each in system.server.asked)

    system.adapter.write_back(told)
    once = writes()
    system.adapter.write_back(told)
    assert (once, writes()) == (1, 1)


def test_polled(subject: Subject, system: System) -> None:
    """Where it is polled: the first look tells nothing, and the same cursor says the same again."""
    if not hasattr(system.adapter, "changes"):
        pytest.skip("it sends webhooks, or is read when needed")
    first = system.adapter.changes(None, NOW)
    assert first.events == () and first.cursor
    assert system.adapter.changes(first.cursor, NOW) == system.adapter.changes(first.cursor, NOW)


def test_secrets_stay_secret(subject: Subject, system: System) -> None:
    """Nobody reads a secret out of the representation of an adapter."""
    from tests.activities.crm.hubspot_account import TOKEN
    from tests.activities.esign.dropbox_sign_account import KEY
    from tests.activities.psa.jira_site import TOKEN as JIRA

    shown = " ".join(map(repr, [system.adapter, *vars(system.adapter).values()]))
    assert not any(each in shown for each in (TOKEN, KEY, JIRA, "redmine-key", "xero-secret"))
