"""Requests of ours against a vendor's own description: Prism mocks it, and refuses what it does not allow."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from starter.local_stack import ports
from tests.activities.psa.counterpart import Asked
from tests.conftest import NOT_RUN

SPECS = "BILLOW_VENDOR_SPECS"
PRISM = "BILLOW_PRISM"

_UNKNOWN = ("NO_PATH_MATCHED", "NO_METHOD_MATCHED")


@contextmanager
def described(file: str, folder: Path) -> Iterator[str]:
    """The address of Prism with a vendor's description; skips loudly without one of the two."""
    specs, program = os.environ.get(SPECS), os.environ.get(PRISM) or shutil.which("prism")
    if not specs or not program:
        lacking = (
            f"set {SPECS} to a folder with {file}" if not specs else f"put prism on the path, or into {PRISM}"
        )
        pytest.skip(f"{NOT_RUN} requests against the vendor's own description {file}: {lacking}")
    port = str(ports.choose(26000 + os.getpid() % 500 * 2, None, "a port"))
    with (folder / "prism.log").open("wb") as log:
        command = [program, "mock", "-h", "127.0.0.1", "-p", port, str(Path(specs) / file)]
        server = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        ends = time.monotonic() + 30
        while True:
            try:
                httpx.get(f"http://127.0.0.1:{port}/none")
                break
            except httpx.TransportError:
                assert server.poll() is None and time.monotonic() < ends, (folder / "prism.log").read_text()
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


def check_described(url: str, asked: Iterable[Asked], under: str = "") -> set[str]:
    """Sends each request to Prism; returns the operations it knows. Fails for one it would refuse."""
    known = set()
    for each in asked:
        headers = {
            name: each.headers[name] for name in ("authorization", "content-type") if name in each.headers
        }
        path = each.path.removeprefix(under)
        answer = httpx.request(
            each.method, url + path, params=httpx.QueryParams(each.query), content=each.body, headers=headers
        )
        if any(word in answer.text for word in _UNKNOWN):
            continue
        violations = answer.headers.get("sl-violations", "")
        assert '"request' not in violations, f"{each.method} {path}: {violations}"
        assert answer.status_code < 400, f"{each.method} {path}: {answer.status_code} {answer.text}"
        known.add(f"{each.method} {path}")
    return known
