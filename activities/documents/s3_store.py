"""Documents in S3, or in any store that speaks its protocol.

Endpoint, region and credentials come from the usual AWS environment (`AWS_ENDPOINT_URL_S3`, `AWS_REGION`,
`AWS_ACCESS_KEY_ID`, `AWS_PROFILE` …, or the role of the machine).
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    FlexibleChecksumError,
    HTTPClientError,
    IncompleteReadError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
)
from botocore.exceptions import (
    ConnectionError as EndpointError,
)

from activities.documents.store import (
    DocumentDamaged,
    DocumentMissing,
    StoreRefused,
    StoreUnavailable,
    key_of,
)

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

_CONFIG = Config(
    connect_timeout=5,
    read_timeout=30,
    retries={"mode": "standard", "total_max_attempts": 4},
    max_pool_connections=16,
    user_agent_extra="billow",
)
_CREDENTIALS = {
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "AuthorizationHeaderMalformed",
    "ExpiredToken",
    "InvalidToken",
    "InvalidClientTokenId",
}
_ABSENT = {"NoSuchKey", "404", "NotFound"}
_PASSING = {
    "SlowDown",
    "RequestTimeout",
    "RequestTimeTooSkewed",
    "ConditionalRequestConflict",
    "OperationAborted",
}
_THERE = {"PreconditionFailed", "412"}
_UNKNOWN_TO_SERVER = {"NotImplemented", "501"}
_SERVER_FAULT = 500


class S3Store:
    """A bucket of documents at `<prefix>/ab/cd/<sha256>`. Objects are never overwritten, so they may be under lock."""

    def __init__(self, client: S3Client, bucket: str, prefix: str = "") -> None:
        self._client, self._bucket, self._prefix = client, bucket, prefix.strip("/")

    @classmethod
    def at(cls, url: str) -> S3Store:
        """The store at `s3://bucket/prefix`, by the AWS environment. `StoreRefused` if that does not say enough."""
        bucket, _, prefix = url.removeprefix("s3://").partition("/")
        try:
            return cls(boto3.Session().client("s3", config=_CONFIG), bucket, prefix)
        except (BotoCoreError, ValueError) as error:
            raise StoreRefused(f"cannot reach {url}: {error}; check the AWS_… variables") from error

    @property
    def place(self) -> str:
        """The bucket, with the server it is on."""
        within = f"{self._bucket}/{self._prefix}".rstrip("/")
        return f"s3://{within} at {self._client.meta.endpoint_url}"

    def put(self, data: bytes) -> str:
        """Stores the bytes, unless they are there; the server compares them with their SHA-256 before it takes them.

        `DocumentDamaged` if other bytes stand under that hash: they are left as they are, for somebody to look at.
        """
        digest = hashlib.sha256(data)
        sha256, checksum = digest.hexdigest(), b64encode(digest.digest()).decode()
        if not self._write(sha256, data, checksum) and not self._holds(sha256, checksum):
            raise DocumentDamaged(self._damaged(sha256))
        return sha256

    def get(self, sha256: str) -> bytes:
        """The bytes with this SHA-256, compared by the library with what the server says, and here with the hash."""
        key = self._key(sha256)
        try:
            with self._told():
                answer = self._client.get_object(Bucket=self._bucket, Key=key, ChecksumMode="ENABLED")
                data = answer["Body"].read()
        except FlexibleChecksumError as error:
            raise DocumentDamaged(self._damaged(sha256)) from error
        if hashlib.sha256(data).hexdigest() != sha256:
            raise DocumentDamaged(self._damaged(sha256))
        return data

    def exists(self, sha256: str) -> bool:
        """Whether there is an object with this SHA-256 in its key, damaged or not."""
        try:
            with self._told():
                self._client.head_object(Bucket=self._bucket, Key=self._key(sha256))
        except DocumentMissing:
            self._see_bucket()  # an answer without a body does not tell a missing bucket from a missing object
            return False
        return True

    def remove(self, sha256: str) -> bool:
        """Deletes the object with all its versions; False if there was none. `StoreRefused` while it is under lock."""
        key, found = self._key(sha256), False
        with self._told():
            pages = self._client.get_paginator("list_object_versions").paginate(
                Bucket=self._bucket, Prefix=key
            )
            for page in pages:
                for version in (*page.get("Versions", ()), *page.get("DeleteMarkers", ())):
                    self._client.delete_object(Bucket=self._bucket, Key=key, VersionId=version["VersionId"])
                found = found or bool(page.get("Versions"))
        return found

    def _write(self, sha256: str, data: bytes, checksum: str) -> bool:
        """False if there is an object already."""
        key = self._key(sha256)
        try:
            with self._told():
                self._client.put_object(
                    Bucket=self._bucket,
                    Key=key,
                    Body=data,
                    ChecksumAlgorithm="SHA256",
                    ChecksumSHA256=checksum,
                    IfNoneMatch="*",
                )
        except _Unconditional:
            if self.exists(sha256):
                return False
            with self._told():
                self._client.put_object(Bucket=self._bucket, Key=key, Body=data, ChecksumSHA256=checksum)
        except _AlreadyThere:
            return False
        return True

    def _holds(self, sha256: str, checksum: str) -> bool:
        """Whether the object that is there is the one it should be; read whole where the server kept no checksum."""
        with self._told():
            head = self._client.head_object(
                Bucket=self._bucket, Key=self._key(sha256), ChecksumMode="ENABLED"
            )
        kept = head.get("ChecksumSHA256")
        if kept is not None:
            return kept == checksum
        try:
            self.get(sha256)
        except DocumentDamaged:
            return False
        return True

    def _see_bucket(self) -> None:
        try:
            with self._told():
                self._client.head_bucket(Bucket=self._bucket)
        except DocumentMissing as error:
            raise StoreRefused(self._no_bucket()) from error

    def _key(self, sha256: str) -> str:
        return f"{self._prefix}/{key_of(sha256)}".lstrip("/")

    def _damaged(self, sha256: str) -> str:
        return f"{self._key(sha256)} in {self.place} was changed or damaged; restore an earlier version, or a backup"

    def _no_bucket(self) -> str:
        at = self._client.meta.endpoint_url
        return f"there is no bucket {self._bucket!r} at {at}; create it, or correct BILLOW_DOCUMENTS"

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Turns what the library raises into errors that say what to do."""
        try:
            yield
        except FlexibleChecksumError:
            raise
        except ClientError as error:
            self._refused(error)
        except (NoCredentialsError, PartialCredentialsError, NoRegionError) as error:
            raise StoreRefused(
                f"no credentials for {self.place} ({error}); set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or "
                "AWS_PROFILE, or give the machine a role"
            ) from error
        except (HTTPClientError, EndpointError, IncompleteReadError) as error:
            raise StoreUnavailable(
                f"{self.place} does not answer ({type(error).__name__}); it is tried again. Is the server up, and "
                "AWS_ENDPOINT_URL_S3 right?"
            ) from error
        except BotoCoreError as error:
            raise StoreRefused(
                f"{self.place} cannot be used: {error}; correct BILLOW_DOCUMENTS or the AWS_… variables"
            ) from error

    def _refused(self, error: ClientError) -> NoReturn:
        code = str(error.response.get("Error", {}).get("Code", ""))
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        said = error.response.get("Error", {}).get("Message", "")
        if code in _THERE:
            raise _AlreadyThere from error
        if code in _UNKNOWN_TO_SERVER:
            raise _Unconditional from error
        if code == "NoSuchBucket":
            raise StoreRefused(self._no_bucket()) from error
        if code in _ABSENT:
            raise DocumentMissing(
                f"the document is not in {self.place}; restore it from a backup of that bucket"
            ) from error
        if code in _PASSING or status >= _SERVER_FAULT:
            raise StoreUnavailable(
                f"{self.place} is busy or failing now ({code}: {said}); it is tried again"
            ) from error
        if code in _CREDENTIALS:
            raise StoreRefused(
                f"{self.place} does not accept the credentials ({code}); renew AWS_ACCESS_KEY_ID and "
                "AWS_SECRET_ACCESS_KEY, or the role, of this process"
            ) from error
        raise StoreRefused(
            f"{self.place} refuses {error.operation_name} ({code}: {said}); allow this process to do it, unless the "
            "document is locked until a day"
        ) from error


class _AlreadyThere(Exception):
    """An object with that key exists."""


class _Unconditional(Exception):
    """The server does not know conditional writes."""
