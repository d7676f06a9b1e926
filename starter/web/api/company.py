"""The company as it runs: read, planned and applied from a folder sent as a ZIP archive."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any

from fastapi import Request, Response
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from activities.company.folder import Reading, read_folder
from activities.ledger import company_records, deliveries, events, policy_views
from activities.ledger.read_models import ReadModel
from activities.ledger.tables import CompanyVersionRow
from billing.errors import NotFound, Refused
from starter.web.api.routes import OTHER_BODY, Called, operations
from starter.web.api.shapes import IfMatch, answers, tagged, unchanged
from starter.web.callers import Caller
from starter.web.problems import Unprocessable

router = operations("Company")

LARGEST_ARCHIVE = 16 * 1024 * 1024
"""Bytes of the archive as it is sent."""

LARGEST_FOLDER, MOST_FILES = 64 * 1024 * 1024, 5000
"""Bytes and files of the folder that is in it."""

ZIP = "application/zip"

_ARCHIVE: dict[str, Any] = {
    OTHER_BODY: (LARGEST_ARCHIVE, (ZIP,)),
    "requestBody": {
        "required": True,
        "content": {ZIP: {"schema": {"type": "string", "contentMediaType": ZIP}}},
    },
}


class CompanyView(ReadModel):
    """The company that runs, with the version it was applied as; `company` is as docs/schemas has it."""

    version: int
    applied_at: datetime
    applied_by: str
    company: dict[str, Any]


class PolicyVersion(ReadModel):
    """A version of the company, and how many invoices that are not closed run by its policies."""

    version: int
    applied_at: datetime
    applied_by: str
    open_invoices: int


class Policies(ReadModel):
    """The newest version first."""

    items: tuple[PolicyVersion, ...]


class ChangeView(ReadModel):
    """One record that differs between the folder and what runs: it is added, changed or retired."""

    action: str
    kind: str
    key: str


class ProblemView(ReadModel):
    """Something about the folder, by file and line; a warning does not keep it from being applied."""

    file: str
    line: int
    where: str
    message: str
    warning: bool


class Plan(ReadModel):
    """What applying the folder would change; `version` is the one it became, null while it is only planned."""

    version: int | None
    changes: tuple[ChangeView, ...]
    problems: tuple[ProblemView, ...]


@router.get("/company", operation_id="readCompany", responses=answers(404))
def company(caller: Called, response: Response) -> CompanyView:
    """The company that runs, all of its records and policies."""
    with caller.ledger.transaction() as tx:
        return tagged(response, _now(tx))


def _now(tx: Session) -> CompanyView:
    found = company_records.current(tx)
    row = tx.get_one(CompanyVersionRow, found.version)
    return CompanyView(
        version=found.version,
        applied_at=row.applied_at,
        applied_by=row.applied_by,
        company=found.company.model_dump(mode="json"),
    )


def _now_alone(tx: Session) -> CompanyView:
    company_records.let_one_apply(tx)
    return _now(tx)


@router.get("/policies", operation_id="readPolicies")
def policies(caller: Called) -> Policies:
    """Which versions of the company hold: the one that runs, and older ones that open invoices are pinned to."""
    with caller.ledger.transaction() as tx:
        found = policy_views.versions(tx, 200)
    return Policies(
        items=tuple(
            PolicyVersion(
                version=each.version,
                applied_at=each.applied_at,
                applied_by=each.applied_by,
                open_invoices=each.invoices,
            )
            for each in found
        )
    )


@router.post("/company/plan", operation_id="planCompany", responses=answers(413, 415), openapi_extra=_ARCHIVE)
async def plan(request: Request, caller: Called) -> Plan:
    """What applying this company folder would change, and what is wrong with it. Nothing is changed."""
    return await run_in_threadpool(_plan, caller, await request.body())


@router.post(
    "/company/apply",
    operation_id="applyCompany",
    responses=answers(409, 412, 413, 415),
    openapi_extra=_ARCHIVE,
)
async def apply(request: Request, caller: Called, if_match: IfMatch = None) -> Plan:
    """Makes this company folder the one that runs; the same again changes nothing.

    `If-Match` with the `ETag` of the company: only if nobody else has applied one since that was read.
    Files that systems are read from stay where they are: in the folder that was applied on the server.
    """
    return await run_in_threadpool(_apply, caller, await request.body(), if_match)


def _plan(caller: Caller, archive: bytes) -> Plan:
    with _unpacked(archive) as folder:
        return _planned(caller, read_folder(folder, caller.at.date()))


def _planned(caller: Caller, reading: Reading) -> Plan:
    problems = tuple(ProblemView(**vars(each)) for each in reading.problems)
    if reading.company is None:
        return Plan(version=None, changes=(), problems=problems)
    changes = company_records.plan_changes(caller.ledger, reading.company, reading.looks)
    return Plan(
        version=None,
        changes=tuple(ChangeView(action=each.action, kind=each.kind, key=each.key) for each in changes),
        problems=problems,
    )


def _apply(caller: Caller, archive: bytes, if_match: str | None) -> Plan:
    with _unpacked(archive) as folder:
        reading = read_folder(folder, caller.at.date())
    found = reading.company
    if found is None:
        faults = [
            {"file": each.file, "line": str(each.line), "detail": each.message}
            for each in reading.problems
            if not each.warning
        ]
        raise Unprocessable(faults[:20])
    if caller.person not in found.people_by_id:
        raise Refused(
            f"{caller.person!r} would not be a person of this company any more; let another apply it"
        )
    planned = _planned(caller, reading)
    with caller.ledger.transaction() as tx:
        before = company_records.current(tx)
    version = company_records.apply_company(
        unchanged(caller, if_match, "the company", _now_alone),
        found,
        before.folder,
        caller.person,
        caller.at,
        reading.looks,
    )
    if version != before.version:
        events.act_on_waiting(caller.ledger, caller.at)
        with caller.ledger.transaction() as tx:
            deliveries.queue_held(tx, at=caller.at)
    return planned.model_copy(update={"version": version})


@contextmanager
def _unpacked(archive: bytes) -> Iterator[Path]:
    """The folder in the archive: where company.yaml lies, at its top or one folder below."""
    with TemporaryDirectory() as made:
        folder = Path(made)
        try:
            with zipfile.ZipFile(io.BytesIO(archive)) as packed:
                for entry in _entries(packed):
                    target = folder / entry.filename
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_bytes(packed.read(entry))
        except (
            zipfile.BadZipFile,
            zlib.error,
            NotImplementedError,
            RuntimeError,
            EOFError,
            OSError,
        ) as error:
            raise HTTPException(400, "This is no ZIP archive that can be read.") from error
        yield _top(folder)


def _entries(packed: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    entries = [each for each in packed.infolist() if not each.is_dir()]
    if len(entries) > MOST_FILES or sum(each.file_size for each in entries) > LARGEST_FOLDER:
        raise HTTPException(
            413, "The folder in this archive is larger than any company's. Nothing was changed."
        )
    for each in entries:
        path = PurePosixPath(each.filename)
        if (
            not path.parts
            or path.is_absolute()
            or ".." in path.parts
            or "\\" in each.filename
            or ":" in path.parts[0]
        ):
            raise HTTPException(400, "A file in this archive would lie outside of its folder.")
    return entries


def _top(folder: Path) -> Path:
    found = [folder, *sorted(each for each in folder.iterdir() if each.is_dir())]
    for each in found:
        if (each / "company.yaml").is_file():
            return each
    raise NotFound("there is no company.yaml in this archive; send the whole company folder")
