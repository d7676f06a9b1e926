"""docs/integrations.md: its tables name every field, its connections are good, its example is a vendor that works."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from activities.providers import registry
from billing.connections import Connection, Port
from billing.errors import SourceFaulty
from tests.activities.psa.counterpart import Answer, Asked, Counterpart, only
from tests.contract import test_any, test_crm
from tests.contract.systems import Subject, System

PAGE = Path(__file__).parents[2] / "docs" / "integrations.md"
SUBJECT = Subject("pipes", Port.CRM, lambda _: pytest.fail("it is started below"))


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```$", PAGE.read_text(), re.DOTALL | re.MULTILINE)


def connections() -> list[dict[str, Any]]:
    """Every connection on the page, in its order."""
    found = [yaml.safe_load(each) for each in blocks("yaml")]
    return [each for block in found if isinstance(block, list) for each in block]


@pytest.mark.parametrize("provider", ["hubspot", "dropbox-sign"])
def test_fields(provider: str) -> None:
    """The table of a vendor names each of its fields and the usual one of the vendor's, in that order."""
    known = registry.providers()[provider]
    section = PAGE.read_text().partition(f"\n## {known.title}\n")[2].partition("\n## ")[0]
    found = re.findall(r"^\| `(\w+\.\w+)` \| (?:`([\w.]+)`|–) \|", section, re.MULTILINE)
    assert found == [(each.ours, each.theirs) for each in known.fields]
    for name in (*known.secrets, known.webhook_secret, *known.settings.model_fields):
        assert f"`{name}`" in section, name


def test_connections() -> None:
    """Each connection on the page is one that its provider takes."""
    own = [each for each in connections() if each["provider"] != "pipes"]
    assert {each["provider"] for each in own} == {"hubspot", "dropbox-sign", "slack", "stripe", "imap"}
    for each in own:
        connection = Connection.model_validate(each)
        secrets = registry.provider_of(connection).secrets
        values = {registry.default_variable(connection, name): "https://x.example" for name in secrets}
        assert registry.adapter(connection, values)


@pytest.fixture
def pipes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[System]:
    """The example, installed as a package beside Billow, and a server that answers as Pipes would."""
    (source,) = blocks("python")
    (entry,) = blocks("toml")
    (tmp_path / "billow_pipes.py").write_text(source)
    installed = tmp_path / "billow_pipes-1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: billow-pipes\nVersion: 1.0\n")
    group, pair = entry.strip().replace('[project.entry-points."', "[").replace('"]', "]").splitlines()
    (installed / "entry_points.txt").write_text(f"{group}\n{pair.replace(chr(34), '')}\n")
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    registry.providers.cache_clear()
    address = {"line": "Weg 1", "city": "Berlin", "country": "Germany"}
    records: dict[str, list[dict[str, Any]]] = {
        "companies": [
            {
                "id": id_,
                "name": id_,
                "address": address,
                "custom": {"vat_number": "DE136695976"},
                "invoices_to": "ap@c.example",
            }
            for id_ in ("c2", "c1")
        ],
        "deals": [
            {"id": "d2", "company": "c1", "value": 0.1, "currency": "EUR", "won_at": None},
            {
                "id": "d1",
                "company": "c1",
                "value": "12500.10",
                "currency": "EUR",
                "won_at": "2026-02-01T12:00:00Z",
            },
        ],
    }

    def answer(asked: Asked) -> Answer:
        if asked.headers.get("authorization") != "Bearer pipes-token":
            return Answer(401, {})
        match asked.path.strip("/").split("/"):
            case [kind]:
                only(asked, "after")
                start = int(asked.one("after", "0"))
                more = {"next": str(start + 1)} if start + 1 < len(records[kind]) else {}
                return Answer(200, {kind: records[kind][start : start + 1]} | more)
            case [kind, id_]:
                found = [each for each in records[kind] if each["id"] == id_]
                return Answer(200, found[0]) if found else Answer(404, {})
        raise AssertionError(asked.path)

    def spoil() -> tuple[str, str]:
        records["deals"][1]["value"] = "a lot"
        return "deal d1", "value"

    with Counterpart(answer) as server:
        (record,) = [each for each in connections() if each["provider"] == "pipes"]
        adapter = registry.adapter(
            Connection.model_validate(record | {"base_url": server.url}), {"PIPES_TOKEN": "pipes-token"}
        )
        yield System(adapter, {"client": "c1", "deal": "d1", "open": "d2"}, server.stop, spoil, server)
    registry.providers.cache_clear()
    assert server.refused == []


def test_the_example_keeps_the_promises_of_a_crm(pipes: System) -> None:
    """The example does what every CRM promises."""
    test_crm.test_listed_by_id(pipes)
    test_crm.test_unknown(pipes)
    test_crm.test_exact(pipes)
    test_crm.test_belongs_to_its_client(pipes)
    assert pipes.adapter.client("c1").vat_id == "DE136695976"


def test_the_example_is_a_vendor(pipes: System) -> None:
    """The example is found by its entry point, shows its fields, and reads the same again and at once."""
    test_any.test_declared(SUBJECT)
    test_any.test_samples(SUBJECT, pipes)
    test_any.test_again(SUBJECT, pipes)
    test_any.test_many_at_once(SUBJECT, pipes)


def test_the_example_names_what_is_wrong(pipes: System, monkeypatch: pytest.MonkeyPatch) -> None:
    """The example names record and field, a secret that is not set, and a system that is not there."""
    record = connections()[-1]
    with pytest.raises(
        SourceFaulty, match=r"Pipes \(pipes\) has no token: set the environment variable PIPES_TOKEN"
    ):
        registry.adapter(Connection.model_validate(record), {})
    test_any.test_wrong_type(SUBJECT, pipes)
    test_any.test_unavailable(SUBJECT, pipes, monkeypatch)
