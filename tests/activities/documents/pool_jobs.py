"""Jobs for the rendering pool: what a document may do to the process that renders it."""

import os
import resource
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from activities.documents.errors import RenderingFailed


def nothing() -> None:
    """Nothing to warm up."""


def own_id() -> int:
    """Which process this is."""
    return os.getpid()


def sleep_for(seconds: float) -> int:
    """Keeps the process for so long."""
    time.sleep(seconds)
    return os.getpid()


def take(mebibytes: int) -> int:
    """Takes so much memory at once, and writes into none of it; how much it got."""
    return len(bytearray(mebibytes << 20)) >> 20


def die() -> None:
    """Ends as when the machine has no memory left."""
    os.kill(os.getpid(), signal.SIGKILL)


def die_once(mark: Path) -> int:
    """Dies the first time; the mark says that there was one."""
    if not mark.exists():
        mark.touch()
        die()
    return os.getpid()


def mark_and_hang(mark: Path) -> None:
    """Says that it has begun, and never ends, computing: no signal handler of Python's helps."""
    mark.write_text(str(os.getpid()))
    while True:
        resource.getrusage(resource.RUSAGE_SELF)


def fail() -> None:
    """What a template does that asks for what is not there."""
    raise RenderingFailed("the template has no footer")


class Odd(Exception):
    """An exception that cannot be carried to another process."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__(f"{first} and {second}")


def fail_oddly() -> None:
    raise Odd("this", "that")


def fail_to_start() -> None:
    """What a process does that finds no fonts."""
    raise RuntimeError("no fonts are installed")


def need(file: Path) -> None:
    """Fails to start as long as the file is missing."""
    if not file.exists():
        fail_to_start()


def large(size: int) -> bytes:
    return bytes(size)


def temporary_file() -> str:
    """Leaves a file where libraries leave theirs."""
    import tempfile

    descriptor, name = tempfile.mkstemp()
    os.close(descriptor)
    return name


def kept_ready() -> tuple[int, int, str]:
    """How many objects the garbage collector passes over, how many presses are ready, and the temporary folder."""
    import gc
    import tempfile

    from activities.documents import press

    return gc.get_freeze_count(), press._press.cache_info().currsize, tempfile.gettempdir()


def variables() -> dict[str, str]:
    return dict(os.environ)


def ignored() -> bool:
    """Whether Ctrl-C and a stop of the whole group leave the process at work."""
    return all(signal.getsignal(each) is signal.SIG_IGN for each in (signal.SIGINT, signal.SIGTERM))


def validate_in_threads(threads: int) -> set[int]:
    """How many breaches a faultless document has, asked by so many threads at once of rules nobody has used yet."""
    from activities.documents.look import PLAIN
    from activities.documents.rendering import InThisProcess
    from tests.activities.documents.samples import invoice

    documents = [invoice(["Advice"] * (n + 1)) for n in range(threads)]
    with ThreadPoolExecutor(threads) as at_once:
        return set(at_once.map(lambda each: len(InThisProcess().validate(each, PLAIN)), documents))
