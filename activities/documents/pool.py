"""A pool of processes that render: fonts, style sheets and rules stay loaded, and nothing a document does can stop it.

Pango stands no threads, and a document is CPU work, so each process renders one at a time; threads of the worker wait
for them.
"""

from __future__ import annotations

import logging
import os
import pickle
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from multiprocessing.connection import Pipe
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from activities.documents import rendering
from activities.documents.errors import RendererUnavailable, RenderingFailed
from activities.documents.rendering import Rendered
from activities.documents.rendering_process import Answer

if TYPE_CHECKING:
    from activities.documents.look import LookFiles
    from billing.document import InvoiceDocument
    from billing.einvoice.breach import Breach

T = TypeVar("T")

SECONDS = 100.0
"""A job may take: several times what the longest document allowed takes (1,500 lines); twice that, and the start of a
process, fit into the step's five minutes."""

SECONDS_TO_START = 60.0
"""A process may take until it is warm."""

JOBS = 500
"""After so many jobs a process is replaced: libraries in C keep some kilobytes of each."""

MOST_MEMORY = 1024
"""MiB after which a process is replaced: what a very long document has needed is not given back."""

_OURS, _MARK = ("BILLOW_", "TEMPORAL_"), "BILLOW_STACK"
"""Settings, with secrets among them, that a process which runs templates need not know; but for the mark by which
`billow up` finds what it has started."""

_log = logging.getLogger(__name__)


class _Died(Exception):
    """The process ended in the middle of a job; the message says how."""


class RenderingPool:
    """So many processes, started at once and warmed up beside each other; close it, or use it in `with`.

    A process that is killed is replaced and its job done once more; one that hangs is killed. When this process
    dies, however it dies, they end too. Implements `rendering.Renderer`, for any number of threads.
    """

    def __init__(
        self,
        processes: int,
        *,
        seconds: float = SECONDS,
        jobs: int = JOBS,
        first: Callable[[], None] = rendering.warm_up,
        prepare: Callable[[], None] = rendering.prepare_rules,
    ) -> None:
        self.processes, self._seconds, self._prepare = processes, seconds, prepare
        self.folder = Path(tempfile.mkdtemp(prefix="billow-rendering-"))
        self._seats = [_Seat(self.folder, jobs, first) for _ in range(processes)]
        self._idle: queue.SimpleQueue[_Seat] = queue.SimpleQueue()
        for seat in self._seats:
            self._idle.put(seat)

    def render(self, document: InvoiceDocument, look: LookFiles) -> Rendered:
        """As `rendering.Renderer`; waits for a process that is free."""
        return self.run(rendering.render, document, look)

    def validate(self, document: InvoiceDocument, look: LookFiles) -> tuple[Breach, ...]:
        """As `rendering.Renderer`; waits for a process that is free."""
        return self.run(rendering.validate, document, look)

    def run(self, function: Callable[..., T], *arguments: Any) -> T:
        """What a function of a module returns or raises, in one of the processes.

        `RenderingFailed` if it takes too long or its process dies twice over it; `RendererUnavailable` if no process
        can start or the pool is closed.
        """
        job = pickle.dumps((function, *arguments))
        seat = self._idle.get()
        try:
            answer = seat.do(job, self._seconds)
        except _Died as died:
            seat.replace()
            raise RenderingFailed(
                f"the process that renders was ended twice over this document ({died}); see whether the machine has "
                "enough memory"
            ) from died
        except BaseException:  # too slow, or this thread is told to stop: nobody waits for what it is at
            seat.replace()
            raise
        finally:
            self._idle.put(seat)
        if answer.error is not None:
            raise answer.error
        result: T = answer.result
        return result

    def warm(self) -> None:
        """Returns when every process is ready, with its rules compiled; before there is work.

        `RendererUnavailable` if one cannot be. One that takes the place of another compiles them when it needs them.
        """
        job = pickle.dumps((self._prepare,))
        for seat in self._seats:
            seat.warm()
        with ThreadPoolExecutor(self.processes) as threads:
            try:
                answers = list(threads.map(lambda seat: seat.do(job, self._seconds), self._seats))
            except _Died as died:
                raise RendererUnavailable(f"a rendering process cannot prepare its rules ({died})") from died
        for error in filter(None, (each.error for each in answers)):
            raise RendererUnavailable(f"a rendering process cannot prepare its rules: {error}") from error

    def close(self) -> None:
        """Ends every process, also one that is at work, and removes their folder. Closing twice does nothing."""
        for seat in self._seats:
            seat.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> RenderingPool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Seat:
    """A place in the pool, and the process that has it now."""

    def __init__(self, folder: Path, jobs: int, first: Callable[[], None]) -> None:
        self._folder, self._jobs, self._first = folder, jobs, first
        self._lock, self._closed = threading.Lock(), False
        self.process = _Process(folder, first)

    def do(self, job: bytes, seconds: float) -> Answer:
        """Does the job, if need be once more. `_Died` if that did not help either."""
        try:
            answer = self.process.do(job, seconds)
        except _Died as died:
            self.replace()
            _log.warning("a rendering process died (%s); its document is taken up once more", died)
            answer = self.process.do(job, seconds)
        if self.process.jobs >= self._jobs or answer.memory >= MOST_MEMORY:
            self.replace()
        return answer

    def warm(self) -> None:
        """Returns when the process is ready. `RendererUnavailable` if it cannot be; the next job tries another one."""
        try:
            self.process.warm()
        except RendererUnavailable:
            self.replace()
            raise

    def replace(self) -> None:
        """Ends the process; another begins to warm up. `RendererUnavailable` if the pool is closed."""
        with self._lock:
            self.process.kill()
            if self._closed:
                raise RendererUnavailable("the rendering pool is closed: this worker stops")
            self.process = _Process(self._folder, self._first)

    def close(self) -> None:
        with self._lock:
            self._closed = True
            self.process.kill()


class _Process:
    """A process that renders, from its parent's side; `first` is what warms it up."""

    def __init__(self, folder: Path, first: Callable[[], None]) -> None:
        self.jobs, self._is_warm = 0, False
        self._own = tempfile.mkdtemp(prefix="process-", dir=folder)
        self._connection, theirs = Pipe()
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(_OURS) or name == _MARK
        }
        try:
            self._child = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "activities.documents.rendering_process",
                    str(theirs.fileno()),
                    str(folder),
                ],
                pass_fds=[theirs.fileno()],
                env={**kept, "TMPDIR": self._own},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )
        finally:
            theirs.close()
        with suppress(OSError):  # one that has died already is noticed when it is to answer
            self._connection.send_bytes(pickle.dumps((first,)))

    def warm(self) -> None:
        """Returns when the process is ready. `RendererUnavailable` if it cannot be."""
        if self._is_warm:
            return
        try:
            answer = self._answer(SECONDS_TO_START)
        except (_Died, RenderingFailed) as died:
            raise RendererUnavailable(
                f"a rendering process cannot start ({died}); the worker's log says why"
            ) from died
        if answer.error is not None:
            raise RendererUnavailable(f"a rendering process cannot start: {answer.error}") from answer.error
        self._is_warm = True

    def do(self, job: bytes, seconds: float) -> Answer:
        """What comes of the job. `_Died` if the process does not live to tell."""
        self.warm()
        self.jobs += 1
        try:
            self._connection.send_bytes(job)
        except OSError as error:
            raise _Died(self._epitaph()) from error
        return self._answer(seconds)

    def kill(self) -> None:
        """Ends it at once, whatever it is at."""
        self._child.kill()
        self._child.wait()
        self._connection.close()
        shutil.rmtree(self._own, ignore_errors=True)

    def _answer(self, seconds: float) -> Answer:
        try:
            if not self._connection.poll(seconds):
                raise RenderingFailed(
                    f"the document was not done after {seconds:g} s and was given up; see what its template does"
                )
            answer: Answer = pickle.loads(self._connection.recv_bytes())  # noqa: S301  from our own child
        except (EOFError, OSError) as error:
            raise _Died(self._epitaph()) from error
        return answer

    def _epitaph(self) -> str:
        with suppress(subprocess.TimeoutExpired):
            code = self._child.wait(5)
            return signal.Signals(-code).name if code < 0 else f"exit code {code}"
        return "it closed its connection"
