"""Which providers there are: found through the entry points `billow.providers` of whatever is installed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import lru_cache
from importlib.metadata import entry_points
from typing import Any

from activities.providers.provider import Provider
from billing.connections import Connection
from billing.errors import SourceClosed, SourceFaulty

GROUP = "billow.providers"


@lru_cache(maxsize=1)
def providers() -> Mapping[str, Provider]:
    """Every provider by its name."""
    return {each.name: each.load() for each in sorted(entry_points(group=GROUP), key=lambda each: each.name)}


def provider_of(connection: Connection) -> Provider:
    """The provider of a connection. `SourceFaulty` if none of that name is installed."""
    found = providers().get(connection.provider)
    if found is None:
        raise SourceFaulty(
            f"there is no provider {connection.provider!r} for connection {connection.id!r}; "
            f"there are {', '.join(providers()) or 'none'}"
        )
    return found


def secrets_of(connection: Connection, environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """The secrets of a connection from the environment. `SourceFaulty` names the variable that is not set."""
    values = os.environ if environment is None else environment
    provider = provider_of(connection)
    found = {}
    for name in (*provider.secrets, *provider.optional_secrets):
        variable = connection.secrets.get(name) or default_variable(connection, name)
        if value := values.get(variable, ""):
            found[name] = value
        elif name in provider.secrets:
            raise SourceClosed(
                f"{provider.title} ({connection.id}) has no {name}: set the environment variable {variable}"
            )
    return found


def default_variable(connection: Connection, secret: str) -> str:
    """The environment variable of a secret where `integrations.yaml` names none: BILLOW_<CONNECTION>_<SECRET>."""
    return "BILLOW_" + "".join(c if c.isalnum() else "_" for c in f"{connection.id}_{secret}").upper()


def adapter(connection: Connection, environment: Mapping[str, str] | None = None) -> Any:
    """The adapter of a connection. `SourceFaulty` if it cannot be built.

    The same one as before while connection and secrets are the same: what it keeps for the seconds of a run, such as an
    access token, serves all who ask. Adapters are safe between threads.
    """
    secrets = secrets_of(connection, environment)
    return _built(connection.model_dump_json(), tuple(sorted(secrets.items())))


def webhook_variable(connection: Connection, provider: Provider) -> str:
    """The environment variable with the secrets its deliveries are signed by: one, or several with blanks between."""
    return connection.secrets.get(provider.webhook_secret) or default_variable(
        connection, provider.webhook_secret
    )


@lru_cache(maxsize=32)
def _built(connection: str, secrets: tuple[tuple[str, str], ...]) -> Any:
    found = Connection.model_validate_json(connection)
    return provider_of(found).build(found, dict(secrets))
