"""The company as it runs: versions of the folder, applied one after the other and never changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from activities.documents.look import LookFiles
from activities.ledger import looks as stored_looks
from activities.ledger.database import Ledger
from activities.ledger.tables import CompanyVersionRow
from billing.company import Company
from billing.errors import NotFound


@dataclass(frozen=True)
class Change:
    """One record that differs between the folder and what runs."""

    kind: str
    key: str
    action: str


@dataclass(frozen=True)
class CompanyVersion:
    """A company with the version it was applied as and the folder its files lie in."""

    version: int
    company: Company
    folder: str


_ONE_APPLIES = 7220418
"""The key of the lock (PostgreSQL, advisory) under which a company is applied."""

_read: WeakKeyDictionary[object, dict[int, CompanyVersion]] = WeakKeyDictionary()
"""Versions never change, so each is parsed once a process and database."""


def current(tx: Session) -> CompanyVersion:
    """The newest version; `NotFound` when none was applied yet."""
    version = tx.scalar(select(CompanyVersionRow.version).order_by(CompanyVersionRow.version.desc()).limit(1))
    if version is None:
        raise NotFound(
            "no company has been applied yet; write one with `billow init` and run `billow apply DIR`"
        )
    return at_version(tx, version)


def at_version(tx: Session, version: int) -> CompanyVersion:
    """The company as it was at a version."""
    cache = _read.setdefault(tx.get_bind(), {})
    if version not in cache:
        row = tx.get_one(CompanyVersionRow, version)
        cache[version] = CompanyVersion(version, company_of(row), row.folder)
    return cache[version]


def company_of(row: CompanyVersionRow) -> Company:
    """The company of a version as it is understood today.

    Tiers that were kept before approvals came by the API list every channel of that time: they mean every one.
    """
    content = row.company
    tiers = (content.get("approvals") or {}).get("tiers") or ()
    if not any(_lists_all_of_then(tier) for tier in tiers):
        return Company.model_validate(content)
    understood = [
        {name: said for name, said in tier.items() if name != "channels" or not _lists_all_of_then(tier)}
        for tier in tiers
    ]
    return Company.model_validate(content | {"approvals": content["approvals"] | {"tiers": understood}})


def _lists_all_of_then(tier: Mapping[str, Any]) -> bool:
    # versions are kept with every field: `together` came with the channel api
    return "together" not in tier and sorted(tier.get("channels", ())) == ["cli", "signal", "web"]


_NO_LOOKS: Mapping[str, LookFiles] = {}


def plan_changes(
    ledger: Ledger, company: Company, looks: Mapping[str, LookFiles] = _NO_LOOKS
) -> list[Change]:
    """What applying the company, with the looks of its issuers, would add, change and retire; empty when it runs."""
    with ledger.transaction() as tx:
        newest = tx.scalar(select(CompanyVersionRow).order_by(CompanyVersionRow.version.desc()).limit(1))
        # read and written again: a field that a later version of Billow has added is no change of the company
        known = company_of(newest).model_dump(mode="json") if newest else {}
        before = dict(_records(known, newest.looks if newest else {}))
    after = dict(_records(company.model_dump(mode="json"), _digests(looks)))
    changes = [Change(*key, "retire") for key in before if key not in after]
    for key, content in after.items():
        if key not in before:
            changes.append(Change(*key, "add"))
        elif before[key] != content:
            changes.append(Change(*key, "change"))
    return sorted(changes, key=lambda change: (change.kind, change.key))


def _digests(looks: Mapping[str, LookFiles]) -> dict[str, str]:
    return {issuer: files.digest for issuer, files in sorted(looks.items())}


def _records(company: dict[str, Any], looks: Mapping[str, str]) -> Iterator[tuple[tuple[str, str], Any]]:
    """Each record by its kind and id; a look by its digest, which a changed logo changes too."""
    for issuer, digest in looks.items():
        yield ("looks", issuer), digest
    for kind, content in company.items():
        if kind == "looks":
            continue
        if isinstance(content, list):
            for record in content:
                yield (kind, str(record["id"])), record
        else:
            yield ("company", kind), content


def let_one_apply(tx: Session) -> None:
    """Whoever applies a company comes after this transaction."""
    # the newest version cannot be locked by its row, for it may not be there yet
    tx.execute(select(func.pg_advisory_xact_lock(_ONE_APPLIES)))


def apply_company(
    ledger: Ledger,
    company: Company,
    folder: str,
    by: str,
    at: datetime,
    looks: Mapping[str, LookFiles] = _NO_LOOKS,
) -> int:
    """Makes the company the one that runs and returns its version; applying the same again changes nothing.

    `looks` are those of its issuers, by the issuer's id; an issuer without one has Billow's.
    """
    content = company.model_dump(mode="json")
    digests = _digests(looks)
    whole = [folder, content, digests] if digests else [folder, content]
    digest = hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()
    with ledger.transaction() as tx:
        let_one_apply(tx)
        newest = tx.scalars(
            select(CompanyVersionRow).order_by(CompanyVersionRow.version.desc()).limit(1)
        ).first()
        if newest is not None and newest.digest == digest:
            return newest.version
        for each in looks.values():
            stored_looks.store(tx, each, at)
        row = CompanyVersionRow(
            applied_at=at, applied_by=by, folder=folder, digest=digest, company=content, looks=digests
        )
        tx.add(row)
        tx.flush()
        return row.version
