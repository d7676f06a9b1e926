"""A Redmine of the test process: Debian's program, an own database and port; gone with the process that started it.

Making its tables takes ten seconds: a database with tables and standard data is kept beside the program and copied.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx

from starter.local_stack import ports

ROOT = Path(__file__).parents[2]
PROGRAM = ROOT / ".venv/redmine/usr/share/redmine"
API_KEY = "f0e1d2c3b4a5968778695a4b3c2d1e0f01234567"

GEMS = """
actionpack-xml_parser addressable commonmarker csv deckar01-task_list html-pipeline i18n mail marcel mini_mime net-imap
net-pop net-smtp nokogiri rails rbpdf redcarpet request_store rexml roadie-rails rotp rouge rqrcode rubyzip sanitize
sqlite3 webrick
"""

TABLES = f"""
ActiveRecord::Migration.verbose = false
ActiveRecord::Base.connection.migration_context.migrate
ActiveRecord::Base.descendants.each(&:reset_column_information)
Redmine::DefaultData::Loader.load('en')
Setting.rest_api_enabled = '1'
Setting.login_required = '1'
admin = User.find_by_login('admin')
admin.update!(must_change_passwd: false, mail_notification: 'none')
Token.create!(user: admin, action: 'api').update_column(:value, '{API_KEY}')
def field(kind, name, format)
  kind.create!(name: name, field_format: format, is_for_all: true, visible: true)
end
field(ProjectCustomField, 'CRM client', 'string')
field(TimeEntryCustomField, 'Approved', 'bool')
field(TimeEntryCustomField, 'Invoice', 'string')
"""

_PATIENCE = 60.0


class NotRunning(Exception):
    """Why there is no Redmine here."""


class RedmineServer:
    """Starts on entry, raises `NotRunning` if it cannot; `ask` is its REST API as an administrator."""

    def __init__(self, folder: Path) -> None:
        if not (PROGRAM / "config.ru").exists():
            raise NotRunning("it is not installed; `scripts/system-packages redmine` does that where it may")
        self._app = folder / "redmine"
        self.url = f"http://127.0.0.1:{ports.choose(25000 + os.getpid() % 500 * 10, None, 'a port')}"
        self._log = folder / "redmine.log"
        self._server: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> RedmineServer:
        self._lay_out()
        self._tables()
        address = httpx.URL(self.url)
        with self._log.open("ab") as log:
            self._server = subprocess.Popen(
                ["ruby", "bin/rails", "server", "-u", "webrick", "-b", address.host, "-p", str(address.port)],
                cwd=self._app,
                env=self._environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        ends = time.monotonic() + _PATIENCE
        while not self._answers():
            if self._server.poll() is not None or time.monotonic() > ends:
                self.__exit__(None, None, None)
                raise NotRunning(f"it does not start: {self._epitaph()}")
            time.sleep(0.1)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.send_signal(signal.SIGKILL)  # it keeps nothing anybody wants
            self._server.wait()

    def ask(self, method: str, path: str, **content: Any) -> Any:
        """What its REST API answers; content is what the method is about, such as `project={…}`."""
        response = httpx.request(
            method,
            self.url + path,
            headers={"X-Redmine-API-Key": API_KEY, "Content-Type": "application/json"},
            content=json.dumps(content),
            timeout=_PATIENCE,
        )
        assert response.is_success, f"{method} {path}: {response.status_code} {response.text}"
        return response.json() if response.content else None

    def _lay_out(self) -> None:
        shutil.copytree(PROGRAM, self._app, symlinks=True)
        config = self._app / "instances/default/config"
        for name in ("instances", "Gemfile.lock", "config/database.yml"):
            (self._app / name).unlink(missing_ok=True)
        for each in ("config", "tmp", "log", "files", "plugins"):
            (self._app / "instances/default" / each).mkdir(parents=True)
        (self._app / "plugins").mkdir(exist_ok=True)
        (self._app / "Gemfile").write_text("".join(f"gem '{each}'\n" for each in GEMS.split()))
        settings = {"production": {"adapter": "sqlite3", "database": str(self._app / "redmine.sqlite3")}}
        for place in (config, self._app / "config"):
            (place / "database.yml").write_text(json.dumps(settings))  # JSON is YAML
        (config / "secret_key.txt").write_text("0" * 32)

    def _tables(self) -> None:
        name = hashlib.sha256((TABLES + str((PROGRAM / "config.ru").stat().st_mtime_ns)).encode()).hexdigest()
        kept = PROGRAM.parents[2] / f"{name[:16]}.sqlite3"
        with kept.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not kept.exists():
                self._run("ruby", "bin/rails", "runner", TABLES)
                shutil.copyfile(self._app / "redmine.sqlite3", kept.with_suffix(".part"))
                kept.with_suffix(".part").rename(kept)
        shutil.copyfile(kept, self._app / "redmine.sqlite3")

    def _run(self, *command: str) -> None:
        try:
            with self._log.open("ab") as log:
                subprocess.run(
                    command,
                    cwd=self._app,
                    env=self._environment,
                    stdout=log,
                    stderr=log,
                    timeout=90,
                    check=True,
                )
        except (OSError, subprocess.SubprocessError) as error:
            raise NotRunning(f"its tables cannot be made: {self._epitaph() or error}") from error

    @property
    def _environment(self) -> dict[str, str]:
        own = {"BUNDLE_GEMFILE": str(self._app / "Gemfile"), "RAILS_ENV": "production", "SCHEMA": os.devnull}
        return {**os.environ, **own, "HOME": str(self._app)}

    def _answers(self) -> bool:
        try:
            return (
                httpx.get(f"{self.url}/projects.json", timeout=_PATIENCE).status_code
                == httpx.codes.UNAUTHORIZED
            )
        except httpx.TransportError:
            return False

    def _epitaph(self) -> str:
        lines = self._log.read_text(errors="replace").strip().splitlines() if self._log.exists() else []
        return " | ".join(lines[-3:])[:300]
