"""Documents in S3, against a server on this machine."""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import boto3
import pytest
from botocore.config import Config

from activities.documents import s3_store
from activities.documents.s3_store import S3Store
from activities.documents.store import (
    DocumentDamaged,
    DocumentMissing,
    FolderStore,
    StoreRefused,
    StoreUnavailable,
)
from tests.activities.documents.s3_server import s3_server, use
from workers.document_store import document_store
from workers.settings import NotConfigured, Settings

PDF = b"%PDF-1.7 " + bytes(range(256)) * 40
SHA256 = hashlib.sha256(PDF).hexdigest()
KEY = f"archive/{SHA256[:2]}/{SHA256[2:4]}/{SHA256}"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with s3_server() as endpoint:
        yield endpoint


@pytest.fixture
def bucket(server: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Any:
    """A bucket of this test's own that keeps versions and can lock objects."""
    use(monkeypatch, server)
    name = f"b{abs(hash(request.node.name)) % 10**12}"
    place = {"LocationConstraint": "eu-central-1"}
    client = boto3.client("s3")
    client.create_bucket(Bucket=name, CreateBucketConfiguration=place, ObjectLockEnabledForBucket=True)  # type: ignore[arg-type]
    return boto3.resource("s3").Bucket(name)


@pytest.fixture
def store(bucket: Any) -> S3Store:
    return S3Store.at(f"s3://{bucket.name}/archive/")


def test_kept_by_hash(store: S3Store, bucket: Any) -> None:
    """Bytes come back under their SHA-256, from an object two levels below the prefix."""
    assert store.exists(SHA256) is False
    assert store.put(PDF) == SHA256
    assert [each.key for each in bucket.objects.all()] == [KEY]
    assert store.get(SHA256) == PDF
    assert store.exists(SHA256) is True
    assert "ChecksumSHA256" in boto3.client("s3").head_object(
        Bucket=bucket.name, Key=KEY, ChecksumMode="ENABLED"
    )


def test_without_a_prefix(bucket: Any) -> None:
    """The prefix may be left out."""
    S3Store.at(f"s3://{bucket.name}").put(PDF)
    assert [each.key for each in bucket.objects.all()] == [KEY.removeprefix("archive/")]


def test_twice_is_once(store: S3Store, bucket: Any) -> None:
    """Storing the same bytes again, even at the same time, leaves one version: nothing is ever written over."""
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(store.put, [PDF] * 8)) == {SHA256}
    assert len([*bucket.object_versions.filter(Prefix=KEY)]) == 1


@pytest.mark.parametrize("of_server", [True, False], ids=["with a checksum", "without a checksum"])
def test_damage_is_seen_and_left(store: S3Store, bucket: Any, *, of_server: bool) -> None:
    """Other bytes under the hash are never handed out and never written over; the message names the object."""
    asked: dict[str, Any] = {"ChecksumAlgorithm": "SHA256"} if of_server else {}
    bucket.put_object(Key=KEY, Body=b"forged", **asked)
    for act in (lambda: store.get(SHA256), lambda: store.put(PDF)):
        with pytest.raises(DocumentDamaged, match=rf"{KEY} in s3://.*restore an earlier version"):
            act()
    assert bucket.Object(KEY).get()["Body"].read() == b"forged"


def test_a_copy_from_elsewhere(store: S3Store, bucket: Any) -> None:
    """A bucket restored from a backup, without checksums, serves as it is."""
    bucket.put_object(Key=KEY, Body=PDF)
    assert store.put(PDF) == SHA256
    assert store.get(SHA256) == PDF


@pytest.mark.parametrize("sha256", ["0" * 64, "", "../../etc/passwd", "A" * 64])
def test_missing(store: S3Store, sha256: str) -> None:
    """An unknown or impossible hash is an error that says so."""
    with pytest.raises(DocumentMissing):
        store.get(sha256)


def test_removed_with_its_versions(store: S3Store, bucket: Any) -> None:
    """What may go is gone for good, earlier versions and markers too; a second time there is nothing to remove."""
    store.put(PDF)
    bucket.put_object(Key=KEY, Body=b"a later version")
    bucket.Object(KEY).delete()
    assert store.remove(SHA256) is True
    assert [*bucket.object_versions.filter(Prefix=KEY)] == []
    assert store.remove(SHA256) is False


def test_locked(store: S3Store, bucket: Any) -> None:
    """A locked object is stored, read, and not removed; the message says what stands in the way."""
    until = datetime.now(UTC) + timedelta(days=3650)
    store.put(PDF)
    boto3.client("s3").put_object_retention(
        Bucket=bucket.name, Key=KEY, Retention={"Mode": "COMPLIANCE", "RetainUntilDate": until}
    )
    assert store.put(PDF) == SHA256
    with pytest.raises(StoreRefused, match=r"refuses DeleteObject .* locked until a day"):
        store.remove(SHA256)
    assert store.get(SHA256) == PDF


def test_no_bucket(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bucket that is not there is named, with what to do; for every act."""
    use(monkeypatch, server)
    store = S3Store.at("s3://nowhere-at-all/x")
    for act in (lambda: store.put(PDF), lambda: store.get(SHA256), lambda: store.exists(SHA256)):
        with pytest.raises(StoreRefused, match=r"no bucket 'nowhere-at-all' at http://.*BILLOW_DOCUMENTS"):
            act()


def test_no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that is down is worth another try, and the message says which."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{held.getsockname()[1]}"
        use(monkeypatch, endpoint)
        monkeypatch.setattr(
            s3_store, "_CONFIG", s3_store._CONFIG.merge(Config(retries={"total_max_attempts": 1}))
        )
        with pytest.raises(StoreUnavailable, match=f"{endpoint} does not answer"):
            S3Store.at("s3://somewhere").put(PDF)


def test_no_credentials(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without credentials somebody must set them; the message names the variables."""
    use(monkeypatch, server)
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(StoreRefused, match=r"no credentials for s3://x .*AWS_ACCESS_KEY_ID"):
        S3Store.at("s3://x").put(PDF)


ANSWERS = {
    "wrong key": (403, "InvalidAccessKeyId", StoreRefused, "does not accept the credentials"),
    "expired": (400, "ExpiredToken", StoreRefused, "renew AWS_ACCESS_KEY_ID"),
    "not allowed": (403, "AccessDenied", StoreRefused, "allow this process"),
    "busy": (503, "SlowDown", StoreUnavailable, "is busy or failing now"),
    "broken": (500, "InternalError", StoreUnavailable, "is busy or failing now"),
}


@pytest.mark.parametrize("what", ANSWERS)
def test_what_a_server_may_answer(monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    """What passes by itself is told apart from what somebody must change, to read and to write."""
    status, code, error, says = ANSWERS[what]
    body = f"<Error><Code>{code}</Code><Message>said the server</Message></Error>".encode()

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.send_response(status)
            self.send_header("Content-Type", "application/xml")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(body)

        do_PUT = do_GET  # noqa: N815 the name is HTTP's

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    monkeypatch.setattr(
        s3_store, "_CONFIG", s3_store._CONFIG.merge(Config(retries={"total_max_attempts": 1}))
    )
    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as http:
        thread = Thread(target=http.serve_forever, args=(0.01,))
        thread.start()
        use(monkeypatch, f"http://127.0.0.1:{http.server_port}")
        store = S3Store.at("s3://somewhere")
        for act in (lambda: store.get(SHA256), lambda: store.put(PDF)):
            with pytest.raises(error, match=says):
                act()
        http.shutdown()
        thread.join()


def test_a_server_without_conditional_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that knows no If-None-Match gets the document once all the same, and is not asked to write over it."""
    kept = {"/somewhere": b""}
    written: list[str] = []

    class Plain(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            data = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("If-None-Match"):
                refusal = b"<Error><Code>NotImplemented</Code><Message>a header is not implemented</Message></Error>"
                return self._answer(501, refusal)
            written.append(self.path)
            kept[self.path] = data
            return self._answer(200)

        def do_HEAD(self) -> None:
            self._answer(200 if self.path in kept else 404)

        def do_GET(self) -> None:
            self._answer(200, kept[self.path])

        def _answer(self, status: int, body: bytes = b"") -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Plain) as http:
        thread = Thread(target=http.serve_forever, args=(0.01,))
        thread.start()
        use(monkeypatch, f"http://127.0.0.1:{http.server_port}")
        store = S3Store.at("s3://somewhere")
        assert [store.put(PDF), store.put(PDF)] == [SHA256, SHA256]
        assert store.get(SHA256) == PDF
        http.shutdown()
        thread.join()
    assert len(written) == 1


def test_one_factory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: str) -> None:
    """The settings decide: a folder in the home, another folder, or a bucket; anything else is refused by name."""
    use(monkeypatch, server)
    given = {"BILLOW_DATABASE_URL": "postgresql+psycopg://x", "BILLOW_HOME": str(tmp_path)}

    def made(documents: str = "") -> Any:
        return document_store(Settings.from_environment({**given, "BILLOW_DOCUMENTS": documents}))

    assert isinstance(made(), FolderStore) and made().place == str(tmp_path / "documents")
    assert made(str(tmp_path / "elsewhere")).place == str(tmp_path / "elsewhere")
    assert (
        isinstance(made("s3://b/archive"), S3Store)
        and made("s3://b/archive").place == f"s3://b/archive at {server}"
    )
    for wrong in ("s3://", "s3:///archive", "https://b/archive", "gs://b"):
        with pytest.raises(NotConfigured, match=r"BILLOW_DOCUMENTS.*s3://bucket"):
            made(wrong)
