"""A folder into which bank statements are put: what is complete is imported, then moved to `done/` or `faulty/`.

A file that is still being written is left alone; one that cannot be read is told to a person. None is ever deleted.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from activities.bank.camt import Unreadable
from activities.bank.importing import Imported, import_file
from activities.ledger import bank_statements, company_exceptions, company_records
from activities.ledger.database import Ledger
from billing.errors import Refused
from billing.exceptions import Finding, ReasonCode

ACTOR, CHANNEL = "bank folder", "bank statement"
DONE, FAULTY = "done", "faulty"

PATIENCE = timedelta(minutes=10)
"""How long a file that breaks off may stay as it is before it counts as faulty: whoever writes it may be slow."""

_UNFINISHED = (".part", ".partial", ".filepart", ".tmp", ".crdownload", ".swp", "~")
"""How names end of files that are still being written."""


@dataclass
class Looked:
    """What one look at the folder came to."""

    imported: list[Imported] = field(default_factory=list)
    faulty: list[str] = field(default_factory=list)


@dataclass
class StatementFolder:
    """The folder, and what was seen in it at the last look."""

    folder: Path
    _seen: dict[Path, tuple[tuple[int, int], datetime]] = field(default_factory=dict)

    def look(self, ledger: Ledger, at: datetime) -> Looked:
        """Imports every file that is as it was at the last look, oldest first; the others are left for the next."""
        looked = Looked()
        subject = f"{bank_statements.SUBJECT}folder"
        try:
            files = self._files()
        except OSError as error:
            why = f"The folder of bank statements cannot be read ({error.strerror}): {self.folder}; create it"
            _tell(ledger, subject, why, at)
            return looked
        _well(ledger, subject, at)
        self._seen = {file: seen for file, seen in self._seen.items() if file in files}
        for file, now in files.items():
            before, since = self._seen.get(file, (None, at))
            if before != now:
                self._seen[file] = (now, at)
            else:
                self._take(ledger, file, since, at, looked)
        return looked

    def _files(self) -> dict[Path, tuple[int, int]]:
        """Size and time of change of each file, the oldest first."""
        found = {}
        for file in self.folder.iterdir():
            name = file.name.casefold()
            if name.startswith(".") or name.endswith(_UNFINISHED) or file.is_symlink() or not file.is_file():
                continue
            about = file.stat()
            found[file] = (about.st_size, about.st_mtime_ns)
        return dict(sorted(found.items(), key=lambda each: (each[1][1], each[0])))

    def _take(self, ledger: Ledger, file: Path, since: datetime, at: datetime, looked: Looked) -> None:
        subject = f"{bank_statements.SUBJECT}file/{file.name}"
        try:
            with file.open("rb") as opened:
                looked.imported += import_file(
                    ledger, opened, file_name=file.name, by=ACTOR, channel=CHANNEL, at=at
                )
        except FileNotFoundError:  # another worker has just moved it
            return
        except (Refused, OSError) as error:
            if isinstance(error, Unreadable) and at - since < PATIENCE:
                return
            looked.faulty.append(file.name)
            why = f"{file.name}: {error}; it lies in {FAULTY}/, put a good one into the folder"
            _tell(ledger, subject, why, at)
            self._move(file, FAULTY)
        else:
            _well(ledger, subject, at)
            self._move(file, DONE)

    def _move(self, file: Path, where: str) -> None:
        """Moves the file; one of the same name that is there already stays."""
        target = self.folder / where
        target.mkdir(exist_ok=True)
        try:
            place = target / file.name
            if place.exists():
                digest = hashlib.sha256(file.read_bytes()).hexdigest()[:12]
                place = target / f"{file.stem}-{digest}{file.suffix}"
            file.replace(place)
        except FileNotFoundError:
            return


def _tell(ledger: Ledger, subject: str, why: str, at: datetime) -> None:
    finding = Finding(code=ReasonCode.STATEMENT_FAULTY, message=why, field="file", left=why[:200])
    with ledger.transaction() as tx:
        company_exceptions.raise_one(tx, subject, finding, company_records.current(tx).company, at=at)


def _well(ledger: Ledger, subject: str, at: datetime) -> None:
    with ledger.transaction() as tx:
        company_exceptions.close_repaired(tx, [subject], at=at)
