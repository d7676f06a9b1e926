"""The looks of documents as they were applied: whoever renders needs the ledger, and no company folder."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from weakref import WeakKeyDictionary

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from activities.documents.look import PLAIN, LookFiles
from activities.ledger.tables import CompanyVersionRow, LookFileRow, LookRow
from billing.errors import NotFound
from billing.looks import Look

_MOST_KEPT = 32

_read: WeakKeyDictionary[object, dict[str, LookFiles]] = WeakKeyDictionary()
"""Looks never change, so each is read once a process and database, as long as there are not many."""


def store(tx: Session, looks: LookFiles, at: datetime) -> str:
    """Keeps a look with its files and returns its digest; what is there already is left as it is."""
    if looks.look is None:
        raise ValueError("the plain look belongs to no issuer and is not stored")
    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in looks.files.items()}
    for name, sha256 in hashes.items():
        row = insert(LookFileRow).values(sha256=sha256, data=looks.files[name])
        tx.execute(row.on_conflict_do_nothing())
    values = {
        "digest": looks.digest,
        "issuer": looks.look.id,
        "look": looks.look.model_dump(mode="json"),
        "files": hashes,
        "stored_at": at,
    }
    tx.execute(insert(LookRow).values(values).on_conflict_do_nothing())
    return looks.digest


def of_issuer(tx: Session, version: int, issuer_id: str) -> LookFiles:
    """How documents of the issuer look in a version of the company; `PLAIN` where it has no look of its own."""
    digests: Mapping[str, str] = (
        tx.scalar(select(CompanyVersionRow.looks).where(CompanyVersionRow.version == version)) or {}
    )
    return by_digest(tx, digests[issuer_id]) if issuer_id in digests else PLAIN


def by_digest(tx: Session, digest: str) -> LookFiles:
    """The look with its files. `NotFound` if none with this digest was ever applied here."""
    if digest == PLAIN.digest:
        return PLAIN
    kept = _read.setdefault(tx.get_bind(), {})
    if digest not in kept:
        while len(kept) >= _MOST_KEPT:
            kept.pop(next(iter(kept)), None)
        kept[digest] = _stored(tx, digest)
    return kept[digest]


def _stored(tx: Session, digest: str) -> LookFiles:
    row = tx.get(LookRow, digest)
    if row is None:
        raise NotFound(f"no look {digest[:12]} was applied here; apply the company folder that has it")
    wanted = select(LookFileRow.sha256, LookFileRow.data).where(
        LookFileRow.sha256.in_(set(row.files.values()))
    )
    data = {file.sha256: file.data for file in tx.execute(wanted)}
    return LookFiles(
        Look.model_validate(row.look), {name: data[row.files[name]] for name in sorted(row.files)}
    )
