"""Where issued documents are kept: by the SHA-256 of their bytes, so that none can change unseen."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import tempfile
from pathlib import Path
from typing import Protocol

from billing.errors import BillowError, SourceUnavailable

_SHA256 = re.compile(r"[0-9a-f]{64}")
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class DocumentMissing(BillowError):
    """The store has no document with this hash."""


class DocumentDamaged(BillowError):
    """The bytes stored under a hash no longer have that hash."""


class DocumentNotStored(BillowError):
    """The document could not be written: disk full, folder missing or not writable. Retryable."""


class StoreUnavailable(SourceUnavailable):
    """The store does not answer now. Retryable."""


class StoreRefused(BillowError):
    """The store answers, and will not: wrong credentials, no such bucket, a lock. Somebody must change something."""


class DocumentStore(Protocol):
    """Keeps bytes by their SHA-256 (64 hexadecimal digits). Safe to use from several threads and processes at once.

    Every method may raise `StoreUnavailable` or `StoreRefused`.
    """

    @property
    def place(self) -> str:
        """Where the documents are, for people."""
        ...

    def put(self, data: bytes) -> str:
        """Stores the bytes durably and returns their SHA-256. Storing the same again changes nothing."""
        ...

    def get(self, sha256: str) -> bytes:
        """The bytes, compared with their SHA-256. `DocumentMissing` or `DocumentDamaged` if they are not there."""
        ...

    def exists(self, sha256: str) -> bool:
        """Whether bytes are stored under this SHA-256, damaged or not."""
        ...

    def remove(self, sha256: str) -> bool:
        """Destroys the bytes for good, earlier copies too; False if there were none. Only for what the law lets go."""
        ...


class FolderStore:
    """A folder of documents at `ab/cd/<sha256>`; files are read-only and complete or absent."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def place(self) -> str:
        """The folder."""
        return str(self.folder)

    def put(self, data: bytes) -> str:
        """Stores the bytes durably and returns their SHA-256 (hex). Storing the same again changes nothing.

        A damaged copy is replaced. `DocumentNotStored` if the disk is full or the folder not writable; then
        nothing is left behind.
        """
        sha256 = hashlib.sha256(data).hexdigest()
        path = self._path(sha256)
        try:
            if path.exists() and hashlib.sha256(path.read_bytes()).hexdigest() == sha256:
                return sha256
            _write(path, data)
        except OSError as error:
            raise DocumentNotStored(self._advice(error)) from error
        return sha256

    def get(self, sha256: str) -> bytes:
        """The bytes with this SHA-256 (hex). `DocumentMissing` or `DocumentDamaged` if they are not there."""
        path = self._path(sha256)
        try:
            data = path.read_bytes()
        except (FileNotFoundError, NotADirectoryError) as error:
            raise DocumentMissing(
                f"no document {sha256} in {self.folder}; restore it from a backup of that folder"
            ) from error
        except OSError as error:
            raise StoreUnavailable(
                f"cannot read {path} ({error.strerror}); make it readable for this process"
            ) from error
        if hashlib.sha256(data).hexdigest() != sha256:
            raise DocumentDamaged(f"{path} was changed or damaged; restore it from a backup")
        return data

    def exists(self, sha256: str) -> bool:
        """Whether there is a file with this SHA-256 as its name, damaged or not."""
        return self._path(sha256).exists()

    def remove(self, sha256: str) -> bool:
        """Deletes the file for good; False if there was none. `DocumentNotStored` if the folder is not writable."""
        path = self._path(sha256)
        try:
            path.unlink()
            _sync(path.parent)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise DocumentNotStored(self._advice(error)) from error
        return True

    def _path(self, sha256: str) -> Path:
        return self.folder / key_of(sha256)

    def _advice(self, error: OSError) -> str:
        if error.errno in _FULL:
            return f"no room for documents in {self.folder} ({error.strerror}); free some space there"
        return f"cannot write documents to {self.folder} ({error}); make the folder writable for this process"


def key_of(sha256: str) -> str:
    """Where a store keeps a document: `ab/cd/<sha256>`. `DocumentMissing` if that is no SHA-256."""
    if not _SHA256.fullmatch(sha256):
        raise DocumentMissing(f"{sha256!r} is not the SHA-256 of a document (64 hexadecimal digits)")
    return f"{sha256[:2]}/{sha256[2:4]}/{sha256}"


def _write(path: Path, data: bytes) -> None:
    """Writes a file so that after a crash it is there whole or not at all."""
    made = [folder for folder in (path.parent, *path.parent.parents) if not folder.exists()]
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=".incoming-", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fchmod(file.fileno(), 0o444)
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    for folder in (path.parent, *(folder.parent for folder in made)):
        _sync(folder)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
