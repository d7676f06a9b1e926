"""The systems of a company folder, which need not be applied: those it connects to, its files, and the mail server."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from activities.crm.files import FilesCrm
from activities.delivery.smtp import SmtpTransport
from activities.esign.files import FilesContracts
from activities.providers.live_check import Probe
from activities.providers.provider import FieldSample, Provider
from activities.providers.registry import adapter, default_variable, provider_of
from activities.psa.files import FilesPsa
from billing.company import Company, Integrations
from billing.connections import Connection, Direction, Port
from billing.errors import SourceFaulty
from billing.periods import EVER

_SHOWN = 60


def probes(
    folder: Path,
    company: Company,
    web_url: str,
    mail: SmtpTransport | None = None,
    environment: Mapping[str, str] | None = None,
) -> list[Probe]:
    """Every system, those that are connected first."""
    variables = os.environ if environment is None else environment
    found = [_connected(each, web_url, variables) for each in company.connections]
    found += _files(folder, company.integrations, frozenset(each.port for each in company.connections))
    if mail is not None:
        found.append(
            Probe("mail", "Mail server", "mail", f"{mail.host}:{mail.port}", partial(_greeted, mail))
        )
    return found


def _connected(connection: Connection, web_url: str, environment: Mapping[str, str]) -> Probe:
    try:
        provider = provider_of(connection)
    except SourceFaulty as error:
        return Probe(connection.id, connection.provider, connection.port, "", partial(_refuse, error))
    return Probe(
        connection.id,
        provider.title,
        connection.port,
        connection.base_url or provider.base_url,
        partial(_samples, connection, provider, environment),
        _webhook(connection, provider, web_url, environment),
    )


def _refuse(error: SourceFaulty) -> Sequence[FieldSample]:
    raise error


def _samples(
    connection: Connection, provider: Provider, environment: Mapping[str, str]
) -> Sequence[FieldSample]:
    """Every field of the vendor, those that are written back included. All missing secrets are told at once."""
    missing = [
        variable
        for name in provider.secrets
        if not environment.get(variable := connection.secrets.get(name) or default_variable(connection, name))
    ]
    if missing:
        what = "the environment variable" if len(missing) == 1 else "the environment variables"
        raise SourceFaulty(f"{provider.title} has no credentials: set {what} {', '.join(missing)}")
    reader = adapter(connection, environment)
    if not hasattr(reader, "samples"):
        return (FieldSample(str(connection.port), "", "not tried out: nothing can be read from it"),)
    found = list(reader.samples())
    told = {each.ours for each in found}
    mapped = {each.ours: each.theirs for each in connection.fields}
    return [
        *found,
        *(
            FieldSample(each.ours, mapped.get(each.ours, each.theirs))
            for each in provider.fields
            if each.direction is Direction.OUT and each.ours not in told
        ),
    ]


def _webhook(connection: Connection, provider: Provider, web_url: str, environment: Mapping[str, str]) -> str:
    if provider.webhook is None:
        polled = connection.port in (Port.CRM, Port.PSA, Port.CONTRACTS)
        return f"none: it is asked every {connection.poll_minutes} min" if polled else ""
    variable = connection.secrets.get(provider.webhook_secret) or default_variable(
        connection, provider.webhook_secret
    )
    address = f"{web_url.rstrip('/')}/webhooks/{connection.id}"
    if not environment.get(variable):
        return f"off: set {variable}, then register {address} with {provider.title}"
    return f"on: {address}"


def _greeted(mail: SmtpTransport) -> Sequence[FieldSample]:
    return [FieldSample("mail", f"{mail.host}:{mail.port}", mail.greet()[:_SHOWN])]


def _files(folder: Path, paths: Integrations, connected: frozenset[Port]) -> Iterator[Probe]:
    readers: Mapping[Port, tuple[str, Callable[[Path], Sequence[FieldSample]]]] = {
        Port.CRM: (paths.crm, _of_crm),
        Port.PSA: (paths.psa, _of_psa),
        Port.CONTRACTS: (paths.contracts, _of_contracts),
    }
    for port, (path, read) in readers.items():
        if port not in connected:
            yield Probe(f"files-{port}", "Files", port, path, partial(read, folder / path))


def _of_crm(folder: Path) -> Sequence[FieldSample]:
    crm = FilesCrm(folder)
    return [*_shown("client", "clients.yaml", crm.clients()), *_shown("deal", "deals.yaml", crm.deals())]


def _of_psa(folder: Path) -> Sequence[FieldSample]:
    psa = FilesPsa(folder)
    projects, worked = psa.projects(), sorted(psa.projects_with_work())
    milestones = [each for project in projects for each in psa.milestones(project.id)]
    time = [each for project in worked[:1] for each in psa.time_entries(project, EVER)]
    spent = [each for project in worked for each in psa.expenses(project, EVER)]
    return [
        *_shown("project", "projects.yaml", projects),
        *_shown("milestone", "projects.yaml", milestones),
        *_shown("time_entry", "time.csv", time),
        *_shown("expense", "expenses.csv", spent),
    ]


def _of_contracts(folder: Path) -> Sequence[FieldSample]:
    return _shown("contract", "contracts.yaml", FilesContracts(folder).contracts())


def _shown(kind: str, file: str, records: Sequence[BaseModel]) -> list[FieldSample]:
    """The fields of the last record that are filled in; a file that holds none is no fault."""
    if not records:
        return [FieldSample(f"{kind}.id", file)]
    return [
        FieldSample(f"{kind}.{path}", f"{file}: {path}", str(value)[:_SHOWN])
        for path, value in _flat(records[-1].model_dump(mode="json"), "")
        if value not in (None, "", [], ())
    ]


def _flat(content: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(content, dict):
        for name, value in content.items():
            yield from _flat(value, f"{path}.{name}" if path else str(name))
    else:
        yield path, ", ".join(map(str, content)) if isinstance(content, list) else content
