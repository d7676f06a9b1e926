"""Adapters are found by the name of their provider, built with the secrets of the environment, and kept."""

from __future__ import annotations

from typing import Any

import pytest

from activities.providers.registry import adapter, providers
from billing.connections import Connection, Port
from billing.errors import SourceFaulty

SECRETS = {"BILLOW_PM_API_KEY": "key-1"}


def connection(**changes: Any) -> Connection:
    record = {"id": "pm", "provider": "redmine", "port": "psa", "base_url": "https://redmine.example"}
    return Connection.model_validate(record | changes)


def test_the_providers_of_time_tracking() -> None:
    """Those that are delivered with Billow are found."""
    found = {name: each for name, each in providers().items() if Port.PSA in each.ports}
    assert found.keys() >= {"jira", "redmine", "xero-projects"}
    assert all(each.name == name for name, each in found.items())


def test_one_adapter_a_connection() -> None:
    """The same connection with the same secrets has one adapter; a new secret or setting gets a new one."""
    first = adapter(connection(), SECRETS)
    assert adapter(connection(), dict(SECRETS)) is first
    assert adapter(connection(), {"BILLOW_PM_API_KEY": "key-2"}) is not first
    assert adapter(connection(settings={"zone": "Europe/Berlin"}), SECRETS) is not first


def test_a_secret_that_is_not_set() -> None:
    """The message names the variable."""
    with pytest.raises(SourceFaulty, match="set the environment variable BILLOW_PM_API_KEY"):
        adapter(connection(), {})
