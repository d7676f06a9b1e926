"""What must be right before anything is started: a home to write to, room on the disk, Pango, one stack."""

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from starter.local_stack.errors import AlreadyRunning, StackError
from workers.settings import ENVIRONMENT_FILE, read_environment

ROOM_NEEDED = 300 * 1024 * 1024


def check_home(home: Path) -> None:
    """Make the home if need be. Raises `StackError` if it cannot be written or its disk is full."""
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=home):
            pass
    except OSError as error:
        raise StackError(
            f"{home} cannot be written ({error.strerror}): choose another home with BILLOW_HOME."
        ) from error
    room = shutil.disk_usage(home).free
    if room < ROOM_NEEDED:
        raise StackError(
            f"Only {room // 2**20} MB are free on the disk of {home}, {ROOM_NEEDED // 2**20} MB are needed: "
            "free some, or choose another home with BILLOW_HOME."
        )


@contextmanager
def only_one(home: Path) -> Iterator[None]:
    """Hold the home for this process, however it ends. Raises `AlreadyRunning` if another one does."""
    with (home / "lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            holder = lock.read().strip() or "unknown"
            running = read_environment(home / ENVIRONMENT_FILE).get(
                "BILLOW_WEB_URL", f"the logs in {home / 'logs'}"
            )
            raise AlreadyRunning(
                f"Billow is already running here (process {holder}): see {running}"
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


_LOADS_LIBRARIES = (
    "import weasyprint; from activities.documents import subsetting as s;"
    " print('' if s.is_installed() else s.MISSING)"
)


class PangoCheck:
    """Whether PDFs can be rendered, found out beside other work: loading the libraries takes a second."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", _LOADS_LIBRARIES],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        )

    def result(self) -> str:
        """What makes them slow, and what to do about it; empty if nothing. Raises `StackError` if they cannot."""
        advice, output = self._process.communicate()
        if self._process.returncode:
            reason = (output.strip().splitlines() or ["no reason given"])[-1][:200]
            raise StackError(
                f"PDFs cannot be rendered, Pango is missing: {reason} — install it: "
                "apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 "
                "(macOS: brew install pango)."
            )
        return advice.strip()

    def abandon(self) -> None:
        """End the check if nobody waits for it any more."""
        if self._process.returncode is None:
            self._process.kill()
            self._process.communicate()
