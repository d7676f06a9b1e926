"""Whether `integrations.yaml` fits what the providers take; no system is asked, and no secret looked for."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from pydantic import ValidationError

from activities.company.problems import did_you_mean
from activities.providers.provider import Mapped, Provider
from activities.providers.registry import providers
from billing.complaints import CompanyRecords, Complaint, KeyPath, either, taken_already, text
from billing.connections import Connection, Direction, Port
from billing.errors import SourceFaulty

_ONE_EACH = frozenset({Port.CRM, Port.PSA, Port.CONTRACTS, Port.RETURNED_MAIL})
"""Ports one system serves: from two, nobody could tell which of them is right."""

_SOURCES = frozenset({Port.CRM, Port.PSA, Port.CONTRACTS})
_KIND = "integrations"


def check_connections(records: CompanyRecords) -> Iterator[Complaint]:
    """Everything that does not fit, by connection; one that could not be read is told elsewhere."""
    yield from _ids(records.connections.ids)
    served: dict[Port, str] = {}
    for position, connection in sorted(records.connections.read.items()):
        at = (_KIND, position)
        if connection.port in _ONE_EACH and connection.port in served:
            yield Complaint(
                (*at, "port"),
                f"{served[connection.port]!r} serves {connection.port} already, and of two systems nobody can tell "
                "which is right; keep one of them",
            )
        served.setdefault(connection.port, connection.id)
        provider = providers().get(connection.provider)
        if provider is None:
            known = list(providers())
            advice = did_you_mean(connection.provider, known) or f"; there are {', '.join(known) or 'none'}"
            yield Complaint((*at, "provider"), f"there is no provider {connection.provider!r}{advice}")
            continue
        found = list(_of(provider, connection, at))
        yield from found
        if not [each for each in found if not each.warning]:
            yield from _built(provider, connection, at)


def _ids(ids: tuple[str | None, ...]) -> Iterator[Complaint]:
    before: set[str] = set()
    for position, each in enumerate(ids):
        if each is not None and each in before:
            yield Complaint((_KIND, position, "id"), taken_already(each))
        before |= {each} if each else set()


def _of(provider: Provider, connection: Connection, at: KeyPath) -> Iterator[Complaint]:
    if connection.port not in provider.ports:
        serves = either(sorted(map(str, provider.ports)))
        yield Complaint((*at, "port"), f"{provider.title} is no {connection.port}; write {serves}")
    known = sorted({*provider.secrets, *provider.optional_secrets, *_webhook_secret(provider)})
    for name in connection.secrets:
        if name not in known:
            advice = did_you_mean(name, known) or f"; it takes {', '.join(known) or 'none'}"
            yield Complaint((*at, "secrets", name), f"{provider.title} knows no secret {name!r}{advice}")
    yield from _address(provider, connection, at)
    yield from _settings(provider, connection, at)
    yield from _fields(provider, connection, at)


def _webhook_secret(provider: Provider) -> tuple[str, ...]:
    return (provider.webhook_secret,) if provider.webhook else ()


def _address(provider: Provider, connection: Connection, at: KeyPath) -> Iterator[Complaint]:
    """Tokens go over the wire: encrypted, but on this machine; inside a network of one's own only with a warning."""
    address, here = connection.base_url, (*at, "base_url")
    if not address:
        return
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
    except ValueError:
        host, parts = "", urlsplit("")
    usual = urlsplit(provider.base_url).scheme
    if not host or (
        parts.scheme not in ("http", "https") and (connection.port in _SOURCES or usual == "https")
    ):
        yield Complaint(here, f"{address[:100]!r} is no address; write one such as https://example.com")
    elif parts.scheme == "http" and not _is_this_machine(host):
        inside = _is_inside(host)
        yield Complaint(
            here,
            f"{provider.title}'s token goes over http, which everybody on the way can read; write https"
            + (", where that server has it" if inside else ""),
            warning=inside,
        )
    elif parts.query or parts.fragment:
        yield Complaint(here, "what follows '?' or '#' is no part of a base address; leave it out")


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _is_inside(host: str) -> bool:
    """A name or address that is known only inside a network."""
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return "." not in host or host.endswith((".local", ".internal", ".lan", ".home.arpa"))


def _settings(provider: Provider, connection: Connection, at: KeyPath) -> Iterator[Complaint]:
    known = list(provider.settings.model_fields)
    try:
        provider.settings.model_validate(connection.settings)
    except ValidationError as error:
        for detail in error.errors():
            name = str(detail["loc"][0]) if detail["loc"] else ""
            here = (*at, "settings", name) if name in connection.settings else (*at, "settings")
            if detail["type"] == "extra_forbidden":
                advice = did_you_mean(name, known) or f"; it takes {', '.join(known) or 'none'}"
                yield Complaint(here, f"{provider.title} knows no setting {name!r}{advice}")
            elif detail["type"] == "missing":
                yield Complaint(at, f"{provider.title} needs the setting {name!r}; write it under settings")
            else:
                yield Complaint(here, _plainly(detail["msg"]))


def _plainly(message: str) -> str:
    return message.removeprefix("Value error, ").removeprefix("Input should be ").strip()


def _fields(provider: Provider, connection: Connection, at: KeyPath) -> Iterator[Complaint]:
    known = {each.ours: each for each in provider.fields}
    before: set[str] = set()
    for n, each in enumerate(connection.fields):
        here = (*at, "fields", n)
        if each.ours not in known:
            yield Complaint((*here, "ours"), _unknown(provider, each.ours, known))
        elif known[each.ours].direction is not each.direction:
            way = _WAYS[known[each.ours].direction]
            yield Complaint(
                (*here, "direction"),
                f"{each.ours} goes {way}; write direction: {known[each.ours].direction}, or leave the field out",
            )
        if each.ours in before:
            yield Complaint((*here, "ours"), f"{each.ours} is mapped twice; keep one of the two")
        before.add(each.ours)


_WAYS = {Direction.IN: "from the vendor into Billow only", Direction.OUT: "from Billow to the vendor only"}


def _unknown(provider: Provider, ours: str, known: Mapping[str, Mapped]) -> str:
    kind = ours.partition(".")[0]
    alike = [each for each in known if each.partition(".")[0] == kind] or list(known)
    advice = did_you_mean(ours, list(known)) or f"; there are {', '.join(alike) or 'none'}"
    return f"{provider.title} has no field {ours!r}{advice}"


def _built(provider: Provider, connection: Connection, at: KeyPath) -> Iterator[Complaint]:
    """What the adapter itself finds wrong, with secrets that open nothing: building one asks no system."""
    if connection.port not in _SOURCES:
        return
    try:
        provider.build(connection, dict.fromkeys((*provider.secrets, *provider.optional_secrets), "none"))
    except SourceFaulty as error:
        yield Complaint(at, str(error).removesuffix(" in integrations.yaml"))


def connected_ports(records: CompanyRecords) -> frozenset[str]:
    """The ports a live system serves, also where the rest of its record is wrong."""
    return frozenset(name for each in records.connections.written if (name := text(each.get("port"))))
