"""The document store."""

import hashlib
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from activities.documents.store import DocumentDamaged, DocumentMissing, DocumentNotStored, FolderStore


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_kept_by_hash(tmp_path: Path) -> None:
    """Bytes come back under their SHA-256, from a read-only file two folders deep."""
    store = FolderStore(tmp_path / "documents")
    sha256 = store.put(b"%PDF")
    path = tmp_path / "documents" / sha256[:2] / sha256[2:4] / sha256
    assert sha256 == hashlib.sha256(b"%PDF").hexdigest()
    assert store.get(sha256) == b"%PDF"
    assert path.stat().st_mode & 0o777 == 0o444


def test_twice_is_once(tmp_path: Path) -> None:
    """Storing the same bytes again, even at the same time, leaves one file, untouched."""
    store = FolderStore(tmp_path)
    first = store.put(b"same")
    written = files(tmp_path)[0].stat().st_mtime_ns
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(store.put, [b"same"] * 20)) == {first}
    assert [path.stat().st_mtime_ns for path in files(tmp_path)] == [written]
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(store.put, [b"other"] * 20))) == 1
    assert len(files(tmp_path)) == 2


def test_damage_is_seen_and_mended(tmp_path: Path) -> None:
    """A changed file is never handed out; storing the document again mends it."""
    store = FolderStore(tmp_path)
    sha256 = store.put(b"true")
    (path,) = files(tmp_path)
    path.chmod(0o644)
    path.write_bytes(b"false")
    with pytest.raises(DocumentDamaged, match="restore it from a backup"):
        store.get(sha256)
    store.put(b"true")
    assert store.get(sha256) == b"true"


@pytest.mark.parametrize("sha256", ["0" * 64, "", "../../etc/passwd", "A" * 64])
def test_missing(tmp_path: Path, sha256: str) -> None:
    """An unknown or impossible hash is an error that says so, and no path leads out of the folder."""
    with pytest.raises(DocumentMissing):
        FolderStore(tmp_path).get(sha256)


def test_not_a_folder(tmp_path: Path) -> None:
    """A store that cannot be written says which folder to mend."""
    (tmp_path / "documents").write_text("a file in the way")
    with pytest.raises(DocumentNotStored, match="documents"):
        FolderStore(tmp_path / "documents").put(b"x")


def test_no_room(tmp_path: Path) -> None:
    """Without room for the file nothing is left behind and the message says what to free."""
    program = (
        "import resource, sys; from pathlib import Path;"
        "from activities.documents.store import DocumentNotStored, FolderStore\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try: FolderStore(Path(sys.argv[1])).put(b'x' * 5000)\n"
        "except DocumentNotStored as error: print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path], capture_output=True, text=True, check=True
    )
    assert "no room for documents in" in done.stdout
    assert files(tmp_path) == []


def test_exists_and_removed(tmp_path: Path) -> None:
    """What is stored exists until it is removed; removing it again changes nothing."""
    store = FolderStore(tmp_path)
    sha256 = store.put(b"for a while")
    assert store.exists(sha256) is True
    assert store.remove(sha256) is True
    assert store.exists(sha256) is False
    assert store.remove(sha256) is False
    assert files(tmp_path) == []
