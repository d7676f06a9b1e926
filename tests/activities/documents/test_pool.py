"""The rendering pool: whatever happens to its processes, documents are rendered or somebody hears why not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from activities.documents import rendering_process
from activities.documents.errors import RendererUnavailable, RenderingFailed
from activities.documents.pool import RenderingPool
from tests.activities.documents import pool_jobs as jobs

PATIENCE = 60.0


@pytest.fixture
def pool() -> Iterator[RenderingPool]:
    """One process that needs no warming up."""
    with RenderingPool(1, first=jobs.nothing, prepare=jobs.nothing) as made:
        yield made


def until(condition: Callable[[], object], what: str) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, f"waited {PATIENCE} s for {what}"
        time.sleep(0.01)


def is_gone(process: int) -> bool:
    """Whether no such process runs any more; one that is dead and not buried does not run."""
    return not psutil.pid_exists(process) or psutil.Process(process).status() == psutil.STATUS_ZOMBIE


def test_one_process_serves_many_jobs(pool: RenderingPool) -> None:
    """Jobs run in another process, and the same one for all of them: what is loaded once serves every document."""
    assert len({pool.run(jobs.own_id) for _ in range(3)} - {os.getpid()}) == 1


def test_an_error_of_the_template_comes_back(pool: RenderingPool) -> None:
    """What a job raises is raised here, with where it was, and the process goes on."""
    before = pool.run(jobs.own_id)
    with pytest.raises(RenderingFailed, match="no footer") as raised:
        pool.run(jobs.fail)
    assert "pool_jobs.py" in raised.value.__notes__[0]
    with pytest.raises(RuntimeError, match="Odd: this and that"):
        pool.run(jobs.fail_oddly)
    assert pool.run(jobs.own_id) == before


def test_a_killed_process_is_replaced_and_its_job_done(pool: RenderingPool, tmp_path: Path) -> None:
    """SIGKILL in the middle of a document: it is rendered by another process, and nobody hears of it."""
    before = pool.run(jobs.own_id)
    assert pool.run(jobs.die_once, tmp_path / "mark") != before


def test_killed_between_two_jobs(pool: RenderingPool) -> None:
    """A process that is killed while it waits is replaced too."""
    before = pool.run(jobs.own_id)
    os.kill(before, signal.SIGKILL)
    assert pool.run(jobs.own_id) != before


def test_a_document_that_kills_twice_is_given_up(pool: RenderingPool) -> None:
    """The second death is the document's: it fails with how the process ended, and the next one is rendered."""
    with pytest.raises(RenderingFailed, match=r"ended twice .*SIGKILL.*memory"):
        pool.run(jobs.die)
    assert pool.run(jobs.own_id)


def test_a_document_that_hangs_is_given_up(tmp_path: Path) -> None:
    """A template that loops for ever is ended by force after its time, once, and the next document is rendered."""
    mark = tmp_path / "mark"
    with RenderingPool(1, seconds=0.5, first=jobs.nothing, prepare=jobs.nothing) as pool:
        with pytest.raises(RenderingFailed, match=r"not done after 0\.5 s"):
            pool.run(jobs.mark_and_hang, mark)
        assert is_gone(int(mark.read_text()))
        assert pool.run(jobs.own_id)


def test_processes_are_replaced_after_so_many_jobs() -> None:
    """A process does three jobs where three are set, then another one goes on."""
    with RenderingPool(1, jobs=3, first=jobs.nothing, prepare=jobs.nothing) as pool:
        served = [pool.run(jobs.own_id) for _ in range(7)]
        assert [served.count(each) for each in dict.fromkeys(served)] == [3, 3, 1]
        assert is_gone(served[0]) and is_gone(served[3])


def test_a_process_that_has_grown_is_replaced(pool: RenderingPool, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a very long document has taken is given back with the process, however few jobs it did."""
    before = pool.run(jobs.own_id)
    monkeypatch.setattr("activities.documents.pool.MOST_MEMORY", 1)
    pool.run(jobs.own_id)
    assert pool.run(jobs.own_id) != before


def test_a_process_takes_no_more_memory_than_it_may(pool: RenderingPool) -> None:
    """A document that would take the machine's memory fails, its process goes on, and the next one is rendered."""
    before = pool.run(jobs.own_id)
    with pytest.raises(MemoryError):
        pool.run(jobs.take, 4 * 1024)
    assert pool.run(jobs.take, 64) == 64
    assert pool.run(jobs.own_id) == before


def test_as_many_at_a_time_as_there_are_processes() -> None:
    """Two processes hold two documents at once, for whichever threads ask; the third waits for one of them."""
    with RenderingPool(2, first=jobs.nothing, prepare=jobs.nothing) as pool, ThreadPoolExecutor(3) as threads:
        pool.warm()
        begin = time.monotonic()
        served = list(threads.map(lambda _: pool.run(jobs.sleep_for, 0.4), range(3)))
        assert len(set(served)) == 2
        assert 0.8 <= time.monotonic() - begin < PATIENCE


def test_results_are_bounded(pool: RenderingPool) -> None:
    """A document nobody could mail is refused with its size; one just below is not."""
    with pytest.raises(RenderingFailed, match="64 MiB, and 64 are allowed; use smaller pictures"):
        pool.run(jobs.large, rendering_process.MOST_BYTES)
    assert (
        len(pool.run(jobs.large, rendering_process.MOST_BYTES - 1000)) == rendering_process.MOST_BYTES - 1000
    )


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    """Closed, a pool has no processes and no files any more, even where one was at work; work after that is refused."""
    pool = RenderingPool(2, first=jobs.nothing, prepare=jobs.nothing)
    idle, left = pool.run(jobs.own_id), Path(pool.run(jobs.temporary_file))
    assert left.is_relative_to(pool.folder) and left.exists()
    with ThreadPoolExecutor(1) as thread:
        hanging = thread.submit(pool.run, jobs.mark_and_hang, tmp_path / "mark")
        until(lambda: (tmp_path / "mark").exists() and (tmp_path / "mark").read_text(), "the job to begin")
        pool.close()
        pool.close()
        with pytest.raises(RendererUnavailable, match="closed"):
            hanging.result()
    assert is_gone(idle) and is_gone(int((tmp_path / "mark").read_text()))
    assert not pool.folder.exists()
    with pytest.raises(RendererUnavailable, match="closed"):
        pool.run(jobs.own_id)


def test_no_orphans_when_the_worker_is_killed(tmp_path: Path) -> None:
    """SIGKILL for the worker ends its rendering processes within moments, busy and idle, and removes their files."""
    marks = [tmp_path / "busy", tmp_path / "idle"]
    program = (
        "import sys; from pathlib import Path; from concurrent.futures import ThreadPoolExecutor\n"
        "from activities.documents.pool import RenderingPool; from tests.activities.documents import pool_jobs\n"
        "pool = RenderingPool(2, first=pool_jobs.nothing); busy, idle = map(Path, sys.argv[1:])\n"
        "ThreadPoolExecutor(1).submit(pool.run, pool_jobs.mark_and_hang, busy)\n"
        "while not busy.exists(): pass\n"
        "idle.write_text(f'{pool.run(pool_jobs.own_id)} {pool.folder}'); sys.stdin.read()"
    )
    worker = subprocess.Popen([sys.executable, "-c", program, *map(str, marks)], stdin=subprocess.PIPE)
    try:
        until(lambda: all(mark.exists() and mark.read_text() for mark in marks), "the worker to begin")
    finally:
        worker.kill()
        worker.communicate()
    idle, folder = marks[1].read_text().split(" ", 1)
    until(lambda: is_gone(int(idle)) and is_gone(int(marks[0].read_text())), "the processes to end")
    until(lambda: not Path(folder).exists(), "the folder to go")


def test_processes_do_not_know_our_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """What runs templates is given neither the database's password nor the key of Temporal."""
    monkeypatch.setenv("BILLOW_DATABASE_URL", "postgresql://secret")
    monkeypatch.setenv("TEMPORAL_API_KEY", "secret")
    monkeypatch.setenv("BILLOW_STACK", "/home")
    with RenderingPool(1, first=jobs.nothing, prepare=jobs.nothing) as pool:
        known = pool.run(jobs.variables)
    assert {"BILLOW_DATABASE_URL", "TEMPORAL_API_KEY"}.isdisjoint(known)
    assert known["BILLOW_STACK"] == "/home"


def test_a_stop_of_the_group_lets_documents_be_finished(pool: RenderingPool) -> None:
    """Ctrl-C and SIGTERM reach the whole group; the worker decides what is still rendered, its processes do not."""
    assert pool.run(jobs.ignored)


def test_a_process_that_cannot_start_says_why() -> None:
    """Without fonts, say, each document fails with the reason, and so does warming up."""
    with RenderingPool(1, first=jobs.fail_to_start) as pool:
        with pytest.raises(RendererUnavailable, match="cannot start: no fonts are installed"):
            pool.warm()
        with pytest.raises(RendererUnavailable, match="cannot start: no fonts are installed"):
            pool.run(jobs.own_id)


@pytest.mark.parametrize(("prepare", "says"), [(jobs.fail_to_start, "no fonts"), (jobs.die, "SIGKILL")])
def test_rules_that_cannot_be_prepared(prepare: Callable[[], None], says: str) -> None:
    """A worker without its rules says so before it takes any work."""
    refused = pytest.raises(RendererUnavailable, match=f"cannot prepare its rules.*{says}")
    with RenderingPool(1, first=jobs.nothing, prepare=prepare) as pool, refused:
        pool.warm()
