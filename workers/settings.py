"""Where this process finds its database, its mail server and its files.

Every setting is an environment variable. Below the environment stands the file `environment` in Billow's
home, which `billow up` writes, so that commands in another terminal find the running stack. The connection
to Temporal is not here: it is read by Temporal's own rules (`TEMPORAL_ADDRESS`, `TEMPORAL_PROFILE` …); this
module only hands those lines of the file on to them.
"""

import os
import tempfile
from base64 import b64decode
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)

ENVIRONMENT_FILE = "environment"

SHORTEST_SECRET = 24
"""Bytes, as Standard Webhooks asks for."""

MEMORY_LIMITS = Path("/sys/fs/cgroup")
"""Where Linux tells a container its limits, of version 2 or 1 of control groups."""

_ONLY_IN_THE_ENVIRONMENT = frozenset({"BILLOW_WEBHOOK_SECRETS", "BILLOW_OIDC_CLIENT_SECRET"})


class NotConfigured(Exception):
    """A setting is missing or cannot be read; the message says which, and what to do."""


class Settings(BaseModel):
    """The settings of one process; each field's alias is its environment variable."""

    model_config = ConfigDict(frozen=True, extra="ignore", validate_by_name=True, validate_by_alias=True)

    database_url: SecretStr = Field(
        alias="BILLOW_DATABASE_URL", description="postgresql+psycopg://…, with its password"
    )
    home: Path = Field(
        Path(".billow"), alias="BILLOW_HOME", description="documents and, in development, all state"
    )
    company: Path | None = Field(None, alias="BILLOW_COMPANY", description="the company folder")
    documents: str | None = Field(
        None,
        alias="BILLOW_DOCUMENTS",
        description="a folder, or s3://bucket/prefix; default: documents/ in the home",
    )
    bank_statements: Path | None = Field(
        None,
        alias="BILLOW_BANK_STATEMENTS",
        description="folder into which bank statements (camt.053) are put; workers import them",
    )
    web_host: str = Field("127.0.0.1", alias="BILLOW_WEB_HOST")
    web_port: int = Field(8080, alias="BILLOW_WEB_PORT", ge=1, le=65535)
    public_url: str | None = Field(None, alias="BILLOW_WEB_URL", description="how clients reach the web app")
    smtp_host: str = Field("127.0.0.1", alias="BILLOW_SMTP_HOST")
    smtp_port: int = Field(1025, alias="BILLOW_SMTP_PORT", ge=1, le=65535)
    smtp_username: str | None = Field(None, alias="BILLOW_SMTP_USERNAME")
    smtp_password: SecretStr | None = Field(None, alias="BILLOW_SMTP_PASSWORD")
    smtp_starttls: bool = Field(False, alias="BILLOW_SMTP_STARTTLS")
    webhook_secrets: SecretStr | None = Field(
        None,
        alias="BILLOW_WEBHOOK_SECRETS",
        description="whsec_…, several with spaces between while one takes over from another; else no events come in",
    )
    rendering_processes: int = Field(
        default_factory=lambda: max(1, min(_cores(), _gibibytes(), 4)),
        alias="BILLOW_RENDERING_PROCESSES",
        ge=1,
        le=64,
        description="documents a rendering worker makes at a time; default: one a core and GiB of memory, at most 4",
    )
    vies_url: str | None = Field(
        None, alias="BILLOW_VIES_URL", description="where VAT ids are checked; default: the Commission's VIES"
    )
    mail_domain: str = Field(
        "billow.localhost", alias="BILLOW_MAIL_DOMAIN", description="right side of Message-ID"
    )
    temporal_ui_url: str | None = Field(None, alias="BILLOW_TEMPORAL_UI_URL")
    mailbox: Path | None = Field(
        None, alias="BILLOW_MAILBOX", description="folder of the development mailbox"
    )
    development: bool = Field(
        False,
        alias="BILLOW_DEVELOPMENT",
        description="shows the mailbox in the web app, and lets anybody be anybody",
    )
    api_requests_per_minute: int = Field(
        1200,
        alias="BILLOW_API_REQUESTS_PER_MINUTE",
        ge=1,
        description="from one address, of each process of the web app",
    )
    oidc_issuer: str | None = Field(
        None, alias="BILLOW_OIDC_ISSUER", description="the identity provider people sign in with"
    )
    oidc_client_id: str | None = Field(None, alias="BILLOW_OIDC_CLIENT_ID")
    oidc_client_secret: SecretStr | None = Field(None, alias="BILLOW_OIDC_CLIENT_SECRET")

    @field_validator("oidc_issuer")
    @classmethod
    def _is_trusted(cls, issuer: str | None) -> str | None:
        place = urlsplit(issuer or "https://none")
        if place.scheme != "https" and place.hostname not in ("localhost", "127.0.0.1", "::1"):
            raise ValueError("an identity provider is reached by https://")
        return issuer

    @model_validator(mode="after")
    def _knows_its_provider(self) -> "Settings":
        if self.oidc_issuer and not (self.oidc_client_id and self.oidc_client_secret):
            raise ValueError(
                "BILLOW_OIDC_ISSUER needs BILLOW_OIDC_CLIENT_ID and BILLOW_OIDC_CLIENT_SECRET, by which it knows Billow"
            )
        return self

    @field_validator("webhook_secrets")
    @classmethod
    def _can_sign(cls, secrets: SecretStr | None) -> SecretStr | None:
        for secret in secrets.get_secret_value().split() if secrets else ():
            try:
                key = b64decode(secret.removeprefix("whsec_"), validate=True)
            except ValueError:
                key = b""
            if not secret.startswith("whsec_") or len(key) < SHORTEST_SECRET:
                raise ValueError(
                    f"a secret is 'whsec_' and the Base64 of {SHORTEST_SECRET} random bytes or more"
                )
        return secrets

    @field_validator("documents")
    @classmethod
    def _is_a_place(cls, documents: str | None) -> str | None:
        scheme, found, rest = (documents or "").partition("://")
        if found and (scheme != "s3" or not rest.partition("/")[0]):
            raise ValueError("documents are kept in a folder, or in S3 at s3://bucket or s3://bucket/prefix")
        return documents

    @property
    def signing_secrets(self) -> tuple[str, ...]:
        """The secrets with which events from outside may be signed; none: nothing comes in."""
        return tuple(self.webhook_secrets.get_secret_value().split()) if self.webhook_secrets else ()

    @property
    def documents_folder(self) -> Path:
        """Where rendered documents are kept, unless they are in S3."""
        return Path(self.documents) if self.documents else self.home / "documents"

    @property
    def documents_bucket(self) -> str | None:
        """`s3://bucket/prefix`, if documents are kept there."""
        return self.documents if self.documents and self.documents.startswith("s3://") else None

    @property
    def web_url(self) -> str:
        """The base of every link in messages and pages, without a slash at its end."""
        return (self.public_url or f"http://{self.web_host}:{self.web_port}").rstrip("/")

    @property
    def portal_url(self) -> str | None:
        """The base of links in mails to clients; None where clients could not follow them."""
        return self.web_url if self.public_url is not None or self.development else None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> "Settings":
        """The settings of this process: `environment` (default: its own) over the file in the home.

        An empty variable counts as not set. Temporal's variables in the file are put into the process's
        environment where they are not set there. Raises `NotConfigured`.
        """
        given = {
            key: value for key, value in (os.environ if environment is None else environment).items() if value
        }
        file = Path(given.get("BILLOW_HOME", ".billow")) / ENVIRONMENT_FILE
        kept = read_environment(file)
        if environment is None:
            for key, value in kept.items():
                if value and key.startswith("TEMPORAL_"):
                    os.environ.setdefault(key, value)
        kept = {key: value for key, value in kept.items() if key not in _ONLY_IN_THE_ENVIRONMENT}
        values = {key: value for key, value in (kept | given).items() if value and key.startswith("BILLOW_")}
        if "BILLOW_DATABASE_URL" not in values:
            raise NotConfigured(
                f"There is no database: nothing runs in {file.parent}, and BILLOW_DATABASE_URL is not set. "
                "Start everything on this machine with 'make run' (or 'billow up'), or set "
                "BILLOW_DATABASE_URL to postgresql+psycopg://user:password@host/database."
            )
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            wrong = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors())
            raise NotConfigured(
                f"Settings that cannot be read: {wrong}. Correct these environment variables."
            ) from error


def _cores() -> int:
    """Processors this process may use; a container's or `taskset`'s share of the machine, where that is told."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _gibibytes() -> int:
    """Memory this process may use, rounded down: a container's where there is a limit, else the machine's."""
    found = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    for limit in (MEMORY_LIMITS / "memory.max", MEMORY_LIMITS / "memory/memory.limit_in_bytes"):
        with suppress(OSError, ValueError):  # "max" where there is none
            found.append(int(limit.read_text()))
    return min(found) >> 30


def read_environment(file: Path) -> dict[str, str]:
    """The KEY=value lines of `file`, none if there is no such file. Raises `NotConfigured` if unreadable."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise NotConfigured(
            f"{file} cannot be read ({error}): remove it, or set BILLOW_HOME to another folder."
        ) from error
    pairs = (line.partition("=") for line in lines if "=" in line and not line.lstrip().startswith("#"))
    return {key.strip(): value.strip() for key, _, value in pairs}


def write_environment(file: Path, values: Mapping[str, str]) -> None:
    """Write KEY=value lines, whole or not at all, for the owner's eyes only: a password is among them."""
    broken = [key for key, value in values.items() if "\n" in value]
    if broken:
        raise ValueError(f"values of more than one line: {', '.join(broken)}")
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}-")
    with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
        opened.writelines(f"{key}={value}\n" for key, value in values.items())
    Path(name).replace(file)
