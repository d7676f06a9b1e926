"""The page of all fields, written from what the providers say: `python -m tests.activities.providers.field_map_page`."""

# ruff: noqa: E501 (lines of a page)

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from activities.providers.provider import Mapped, Provider
from activities.providers.registry import default_variable, providers
from billing.connections import Connection, Direction

PAGE = Path(__file__).parents[3] / "docs/field-map.md"

_HEAD = """\
# Field map

Every field that goes between a vendor and Billow, with the vendor's usual name of it; the connection's `fields` in `integrations.yaml` names
another. `–` is not mapped unless you do. This page is written from the adapters, and a test keeps it so
(`python -m tests.activities.providers.field_map_page`). What each vendor's fields mean, and how their paths are written, is in
[integrations.md](integrations.md) and [time-tracking.md](time-tracking.md); `billow check --live` shows them with values of yours.
"""


def page() -> str:
    """The whole page."""
    return "\n".join([_HEAD, *(line for each in providers().values() for line in _section(each))])


def _section(provider: Provider) -> Iterator[str]:
    ports = ", ".join(sorted(f"`{each}`" for each in provider.ports))
    yield f"## {provider.title}\n"
    said = (f"`provider: {provider.name}`, port {ports}.", _address(provider), _secrets(provider))
    yield "\n".join(filter(None, said)) + "\n"
    if provider.fields:
        yield f"| ours | {provider.title} | |\n| --- | --- | --- |"
        yield from (_row(each) for each in provider.fields)
        yield ""
    if provider.settings.model_fields:
        yield f"Settings: {', '.join(f'`{each}`' for each in provider.settings.model_fields)}.\n"


def _address(provider: Provider) -> str:
    if provider.base_url:
        return f"It answers at {provider.base_url} unless `base_url` says otherwise."
    return ""


def _secrets(provider: Provider) -> str:
    any_port = min(provider.ports)
    connection = Connection(id=provider.name, provider=provider.name, port=any_port)
    names = [*provider.secrets, *provider.optional_secrets]
    if provider.webhook and provider.webhook_secret not in names:
        names.append(provider.webhook_secret)
    told = [f"`{each}` (`{default_variable(connection, each)}`)" for each in names]
    return f"Secrets, with their usual variables for a connection of that id: {', '.join(told)}."


def _row(field: Mapped) -> str:
    remarks = ["written back"] * (field.direction is Direction.OUT) + ["must be there"] * field.required
    return (
        f"| `{field.ours}` | {f'`{field.theirs}`' if field.theirs else '–'} | {', '.join(remarks)} |".replace(
            "|  |", "| |"
        )
    )


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
