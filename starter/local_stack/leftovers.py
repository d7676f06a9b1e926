"""Processes of an earlier stack that outlived it.

Every child carries the home of its stack in its environment. That mark is proof: a process id in a file could
by now belong to somebody else's program.
"""

import os
import signal
from pathlib import Path

import psutil

MARK = "BILLOW_STACK"


def of(home: Path) -> list[psutil.Process]:
    """The living processes that a stack with this home started, but this one and those that started it."""
    mark, ours = str(home.resolve()), {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    return [
        process for process in psutil.process_iter() if process.pid not in ours and _mark(process) == mark
    ]


def end(home: Path, within: float = 8.0) -> int:
    """End those processes, by SIGKILL what does not end `within` seconds; how many there were."""
    found = of(home)
    for process in found:
        _signal(process, signal.SIGINT if _name(process) == "postgres" else signal.SIGTERM)
    _, stubborn = psutil.wait_procs(found, timeout=within)
    for process in stubborn:
        _signal(process, signal.SIGKILL)
    psutil.wait_procs(stubborn, timeout=2)
    return len(found)


def _mark(process: psutil.Process) -> str | None:
    try:
        return process.environ().get(MARK)
    except (psutil.Error, OSError):
        return None


def _name(process: psutil.Process) -> str:
    try:
        return process.name()
    except psutil.Error:
        return ""


def _signal(process: psutil.Process, number: signal.Signals) -> None:
    try:
        process.send_signal(number)
    except psutil.Error:
        return
