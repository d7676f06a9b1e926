"""What every command needs: settings, ledger, company, clock. Each is made when it is first asked for."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from billing.errors import NotAllowed
from workers.settings import NotConfigured, Settings

if TYPE_CHECKING:
    from sqlalchemy import URL

    from activities.documents.store import DocumentStore
    from activities.ledger.database import Ledger
    from billing.company import Company

_SETTINGS, _LEDGER = "billow.settings", "billow.ledger"

OURSELVES = "cli"
"""Who counts as having done what nobody put their name to."""


def now() -> datetime:
    """The instant (UTC); the only clock of the command line."""
    return datetime.now(UTC)


def settings() -> Settings:
    """The settings of this process. Raises `NotConfigured`."""
    meta = click.get_current_context().meta
    if _SETTINGS not in meta:
        meta[_SETTINGS] = Settings.from_environment()
    found: Settings = meta[_SETTINGS]
    return found


def ledger() -> Ledger:
    """The ledger of the settings, closed when the command ends. Raises `NotConfigured`."""
    current = click.get_current_context()
    if _LEDGER not in current.meta:
        from activities.ledger.database import Ledger

        _database_url()
        made = Ledger(settings().database_url.get_secret_value())
        current.meta[_LEDGER] = made
        current.find_root().call_on_close(made.close)
    found: Ledger = current.meta[_LEDGER]
    return found


def documents() -> DocumentStore:
    """The document store of the settings. Raises `NotConfigured`."""
    from workers.document_store import document_store

    return document_store(settings())


def database_place() -> str:
    """Where the database is, without its password: `127.0.0.1:5432/billow`."""
    url = _database_url()
    host = url.host or url.query.get("host") or "localhost"
    return f"{host}:{url.port or 5432}/{url.database or ''}".rstrip("/")


def company() -> Company:
    """The company that runs. `NotFound` if none was applied yet."""
    from activities.ledger import company_records

    with ledger().transaction() as tx:
        return company_records.current(tx).company


def person(who: str | None) -> str:
    """The id of the person named with `--as`, or `OURSELVES`. `NotAllowed` if nobody here has it."""
    if who is None:
        return OURSELVES
    known = company().people_by_id
    if who not in known:
        from activities.company.problems import did_you_mean

        hint = did_you_mean(who, list(known)) or f"; there are: {', '.join(list(known)[:12])}"
        raise NotAllowed(f"{who!r} is not a person of this company{hint}")
    return who


def issuer_zone(issuer_id: str | None) -> ZoneInfo:
    """The time zone in which days and hours of an invoice are told and taken: its issuer's, else the first issuer's."""
    ours = company()
    return ZoneInfo((ours.issuer(issuer_id or "") or ours.issuers[0]).zone)


def _database_url() -> URL:
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    form = "write postgresql+psycopg://user:password@host/database"
    try:
        url = make_url(settings().database_url.get_secret_value())
    except (ArgumentError, ValueError) as error:
        raise NotConfigured(f"BILLOW_DATABASE_URL is not the address of a database: {form}.") from error
    if url.drivername != "postgresql+psycopg":
        raise NotConfigured(f"BILLOW_DATABASE_URL begins with {url.drivername!r}; {form}.")
    return url
