"""The whole local stack with its real servers: up, down, killed, and up again."""

import json
import os
import re
import signal
import smtplib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psycopg
import pytest

from starter.local_stack import leftovers, temporal_server
from workers.settings import NotConfigured, Settings, read_environment

STACK = """
import sys
from pathlib import Path
from starter.local_stack.up import StackOptions, bring_up
from starter.local_stack import up
options = StackOptions(home=Path(sys.argv[1]), applications={}, web_port=%(web)s)
up.DEFAULT_WEB_PORT, up.mailbox.DEFAULT_PORT, up.postgres.DEFAULT_PORT = 26000, 26200, 26400
up.temporal_server.DEFAULT_PORT, up.temporal_server.DEFAULT_UI_PORT = 26600, 26800
sys.exit(bring_up(options, lambda stack: print("RUNNING", flush=True)))
"""


@contextmanager
def stack(home: Path, web: int | None = None) -> Iterator[subprocess.Popen[str]]:
    """A stack that is up, or has ended."""
    command = [sys.executable, "-c", STACK % {"web": web}, str(home)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        try:
            yield process
        finally:
            process.kill()
            leftovers.end(home)


def output(process: subprocess.Popen[str], until: str = "RUNNING") -> str:
    assert process.stdout is not None
    read = ""
    for line in process.stdout:
        read += line
        if until in line:
            break
    return read


def query(url: str, text: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        cursor = connection.execute(text.encode())
        return cursor.fetchall() if cursor.description else []


def test_up_down_killed_and_up_again(tmp_path: Path) -> None:
    """What was written before SIGKILL of the whole stack is there after it; Ctrl-C leaves no process."""
    home = tmp_path / "closed" / "home"
    home.parent.mkdir(mode=0o700)
    with stack(home) as process:
        assert "RUNNING" in output(process)
        settings = Settings.from_environment({"BILLOW_HOME": str(home)})
        url = settings.database_url.get_secret_value()
        query(url, "create table kept as select 1 as one")
        address = read_environment(home / "environment")["TEMPORAL_ADDRESS"]
        described = temporal(
            address, "operator", "namespace", "describe", "--namespace", "default", "--output", "json"
        )
        assert json.loads(described)["config"]["workflowExecutionRetentionTtl"] == f"{365 * 86400}s"
        assert "BillowState" in temporal(address, "operator", "search-attribute", "list")
        temporal(address, "workflow", "start", "--type", "T", "--task-queue", "q", "--workflow-id", "kept")
        assert httpx.get(f"{settings.temporal_ui_url}/").status_code == 200
        with smtplib.SMTP(settings.smtp_host, settings.smtp_port) as client:
            client.sendmail("a@a.test", ["b@b.test"], "Subject: kept\r\n\r\n")
        with stack(home) as second:
            assert re.search(rf"already running here \(process {process.pid}\): see http://", output(second))
            assert second.wait(60) == 2
        for running in leftovers.of(home):
            running.kill()
        process.kill()
    with stack(home) as process:
        assert "RUNNING" in output(process)
        environment = read_environment(home / "environment")
        assert query(environment["BILLOW_DATABASE_URL"], "select one from kept") == [(1,)]
        assert "kept" in temporal(
            environment["TEMPORAL_ADDRESS"], "workflow", "describe", "--workflow-id", "kept"
        )
        assert len(list((home / "mailbox").glob("*.eml"))) == 1
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
        assert time.monotonic() - began < 30
        assert leftovers.of(home) == []
        with pytest.raises(NotConfigured, match="make run"):
            Settings.from_environment({"BILLOW_HOME": str(home)})
    assert home.parent.stat().st_mode & 0o777 == 0o700


def test_port_in_use_is_one_line(tmp_path: Path) -> None:
    """A port that was asked for and is in use ends the start with one line and exit code 1."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with stack(tmp_path / "home", web=port) as process:
            told = output(process)
            assert process.wait(60) == 1
    assert told.startswith(f"✗ Port {port} is in use: choose another with BILLOW_WEB_PORT")
    assert told.count("\n") == 1


def temporal(address: str, *arguments: str) -> str:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("TEMPORAL_")}
    command = [temporal_server.program(), *arguments, "--address", address, "--disable-config-file"]
    return subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout
