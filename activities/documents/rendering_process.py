"""A process of the rendering pool: takes one job after the other from its parent, and ends with it.

Started by `pool` as `python -m activities.documents.rendering_process DESCRIPTOR FOLDER`.
"""

from __future__ import annotations

import logging
import os
import pickle
import queue
import resource
import shutil
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

import psutil

from activities.documents.errors import RenderingFailed

MOST_BYTES = 64 * 1024 * 1024
"""Of a result: an invoice of 1,500 lines has a megabyte; what is larger holds pictures nobody can mail."""


@dataclass(frozen=True)
class Answer:
    """What came of a job: its result or its error; and how much memory (MiB) the process holds now."""

    result: Any
    error: BaseException | None
    memory: int


LARGEST = 3 * 1024**3
"""Bytes of memory of its own the process may take: the longest document needs a quarter of it. A template that asks
for more is told so, and the machine does not run out of it."""


def main(descriptor: int, folder: str) -> None:
    """Works until the parent is gone, which also removes `folder`."""
    # Ctrl-C and a stop of the whole group are for the parent, which lets the document be finished.
    for ignored in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ignored, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_DATA, (LARGEST, resource.getrlimit(resource.RLIMIT_DATA)[1]))
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    parent, jobs = Connection(descriptor), queue.SimpleQueue[bytes]()
    threading.Thread(target=_listen, args=(parent, jobs, folder), daemon=True).start()
    while True:
        function, *arguments = pickle.loads(jobs.get())  # noqa: S301  from our own parent
        parent.send_bytes(_answer(function, *arguments))


def _listen(parent: Connection, jobs: queue.SimpleQueue[bytes], folder: str) -> None:
    """Notices at once that the parent is gone, whatever the main thread is at."""
    try:
        while True:
            jobs.put(parent.recv_bytes())
    except (EOFError, OSError):
        shutil.rmtree(folder, ignore_errors=True)
        os._exit(0)


def _answer(function: Callable[..., Any], *arguments: Any) -> bytes:
    try:
        found = pickle.dumps(Answer(function(*arguments), None, _memory()))
    except Exception as error:  # noqa: BLE001  the parent raises it
        error.add_note(f"in a rendering process:\n{traceback.format_exc()}")
        return _carried(error)
    if len(found) > MOST_BYTES:
        size = f"the document has {len(found) >> 20} MiB, and {MOST_BYTES >> 20} are allowed"
        return _carried(RenderingFailed(f"{size}; use smaller pictures"))
    return found


def _carried(error: Exception) -> bytes:
    """The error, or where it cannot go to another process, what it says."""
    try:
        carried = pickle.dumps(Answer(None, error, _memory()))
        pickle.loads(carried)  # noqa: S301  just written
    except Exception:  # noqa: BLE001  whatever its class makes of it
        return pickle.dumps(Answer(None, RuntimeError(f"{type(error).__name__}: {error}"), _memory()))
    return carried


def _memory() -> int:
    return int(psutil.Process().memory_info().rss >> 20)


if __name__ == "__main__":
    # the module as its parent knows it, so that what is pickled here can be read there
    from activities.documents import rendering_process

    rendering_process.main(int(sys.argv[1]), sys.argv[2])
