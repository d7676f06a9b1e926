"""Templates tried out with sample data, in a process that can be stopped: what they ask for and nobody gives is told.

`python -m activities.documents.trial` is that process: it takes looks from its parent and answers with their faults.
"""

from __future__ import annotations

import pickle
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from activities.documents.look import LookFiles
from activities.documents.page_templates import COMPANY_FOLDER, place_of_fault
from billing.parties import Issuer

SECONDS = 10.0
"""All documents with sample data may take for one look; they take a tenth of a second."""

_SECONDS_TO_START = 20.0
_MOST_MEMORY = 2 * 1024**3
"""Bytes of address space the process may use: a text that doubles itself ends there."""


@dataclass(frozen=True, order=True)
class Fault:
    """What fails in a template: its file, relative to the company folder, and line; line 1 where nobody knows."""

    file: str
    line: int
    message: str


class TooSlow(Exception):
    """A template was still at it when its time was over."""


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Raises `TooSlow` in the midst of what takes longer; only the main thread of a process can be stopped so."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def over(_signal: int, _frame: FrameType | None) -> None:
        raise TooSlow(f"not done after {seconds:g} s: does a loop never end?")

    before = signal.signal(signal.SIGALRM, over)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def fault_of(error: Exception, document: str) -> Fault:
    """An error in writing a document as people read it, at its place in their template."""
    file, line = place_of_fault(error) or (COMPANY_FOLDER, 1)
    first: BaseException = error.__cause__ or error
    said = " ".join(str(first).split()) or type(first).__name__
    if isinstance(first, MemoryError):
        said = "needs more memory than a document may; does something grow without end?"
    return Fault(file, line, f"{document}: {said}")


def try_out(look: LookFiles, issuer: Issuer, seconds: float = SECONDS) -> list[Fault]:
    """Writes every document with sample data in the look, here and now; what fails, each place once."""
    from activities.documents.sample_documents import BUYER, PAGES, Parties

    found: dict[tuple[str, int], Fault] = {}
    languages, at = dict.fromkeys((issuer.language, "en")), ""
    try:
        with within(seconds):
            for document, write in PAGES.items():
                for language in languages:
                    at = document
                    try:
                        write(Parties(issuer, BUYER, language), look)
                    except TooSlow:
                        raise
                    except Exception as error:  # noqa: BLE001  whatever a template does is its fault
                        fault = fault_of(error, document)
                        found.setdefault((fault.file, fault.line), fault)
    except TooSlow as error:
        fault = fault_of(error, at)
        found.setdefault((fault.file, fault.line), fault)
    return sorted(found.values())


def try_looks(looks: Mapping[str, LookFiles], issuers: Mapping[str, Issuer]) -> list[Fault]:
    """`try_out` of each look with its issuer, in a process of its own that is ended if need be."""
    tried = [(look, issuers[key]) for key, look in looks.items() if key in issuers]
    if not tried:
        return []
    limit = _SECONDS_TO_START + (SECONDS + 1) * len(tried)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "activities.documents.trial"],
            input=pickle.dumps(tried),
            capture_output=True,
            timeout=limit,
            check=True,
        )
        faults: list[Fault] = pickle.loads(done.stdout)  # noqa: S301  from our own child
    except subprocess.TimeoutExpired:
        return [Fault(COMPANY_FOLDER, 1, f"the templates were not done after {limit:g} s and were stopped")]
    except subprocess.CalledProcessError as error:
        last = (error.stderr.decode(errors="replace").strip().splitlines() or ["no reason given"])[-1]
        return [Fault(COMPANY_FOLDER, 1, f"the process that tried the templates ended: {last[:200]}")]
    return faults


def main() -> None:
    """Answers one parent."""
    resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))
    tried: list[tuple[LookFiles, Issuer]] = pickle.load(sys.stdin.buffer)  # noqa: S301  from our own parent
    faults = [fault for look, issuer in tried for fault in try_out(look, issuer)]
    sys.stdout.buffer.write(pickle.dumps(list(dict.fromkeys(faults))))


if __name__ == "__main__":
    # the module as its parent knows it, so that what is pickled here can be read there
    from activities.documents import trial

    trial.main()
