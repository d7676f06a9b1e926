"""The embedded Temporal server with its UI and a store that survives a restart."""

import subprocess
import sysconfig
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from starter.local_stack.errors import StackError
from starter.local_stack.service import Service

DEFAULT_PORT = 7233
DEFAULT_UI_PORT = 8233
NAMESPACE = "default"
RETENTION = timedelta(days=365)  # of closed invoices; a fresh server would forget them after a day


def program() -> str:
    """The path of the `temporal` binary. Raises `StackError` if it is not installed."""
    path = Path(sysconfig.get_path("scripts")) / "temporal"
    if not path.exists():
        raise StackError("The embedded Temporal server is not installed: run 'make environment'.")
    return str(path)


def service(store: Path, port: int, ui_port: int, search_attributes: Mapping[str, str]) -> Service:
    """The server as a child process; ready once it answers and keeps closed workflows for `RETENTION`."""
    registered = [
        part for name, kind in search_attributes.items() for part in ("--search-attribute", f"{name}={kind}")
    ]
    address = f"127.0.0.1:{port}"
    return Service(
        name="temporal",
        command=(
            program(), "server", "start-dev", "--ip", "127.0.0.1", "--port", str(port),
            "--ui-port", str(ui_port), "--db-filename", str(store), "--log-level", "warn",
            "--color", "never", *registered,
        ),
        ready=lambda: _retain(address),
    )  # fmt: skip


def _retain(address: str) -> bool:
    """Raise the namespace's retention; False while the server does not answer yet."""
    command = [
        program(), "operator", "namespace", "update", "--namespace", NAMESPACE, "--address", address,
        "--retention", f"{RETENTION.days}d", "--disable-config-file", "--disable-config-env",
    ]  # fmt: skip
    try:
        return subprocess.run(command, capture_output=True, timeout=10, check=False).returncode == 0
    except subprocess.TimeoutExpired:
        return False
