"""The supervisor starts, watches and ends real processes, and says in one line what went wrong."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from activities.documents import subsetting
from starter.local_stack import leftovers, ports, preflight
from starter.local_stack.errors import AlreadyRunning, StackError
from starter.local_stack.service import Service
from starter.local_stack.supervisor import Supervisor
from workers.settings import write_environment

STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    "print('up', flush=True); time.sleep(99)"
)


def python(code: str, name: str = "child", **options: object) -> Service:
    return Service(name=name, command=(sys.executable, "-c", code), **options)  # type: ignore[arg-type]


def until(condition: Callable[[], bool], within: float = 30.0) -> None:
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


@pytest.fixture
def lines() -> list[str]:
    return []


@pytest.fixture
def supervisor(tmp_path: Path, lines: list[str]) -> Iterator[Supervisor]:
    made = Supervisor(tmp_path / "home", os.environ, lines.append)
    yield made
    made.stop()


def test_ready_is_waited_for(supervisor: Supervisor, tmp_path: Path) -> None:
    """Waiting ends when the service is ready, not before."""
    flag = tmp_path / "flag"
    supervisor.start(
        python(
            f"import pathlib, time; pathlib.Path({str(flag)!r}).touch(); time.sleep(99)", ready=flag.exists
        )
    )
    supervisor.wait_until_ready()
    assert flag.exists()


def test_never_ready(supervisor: Supervisor) -> None:
    """A service that does not answer in its time is named."""
    supervisor.start(
        python("import time; time.sleep(99)", name="slow", ready=lambda: False, ready_within=0.2)
    )
    with pytest.raises(StackError, match="slow was not ready within"):
        supervisor.wait_until_ready()


def test_dead_server_is_one_clear_line(supervisor: Supervisor) -> None:
    """A server that dies ends the stack with its name, exit code, last log line and log."""
    supervisor.start(
        python("import sys; print('first'); sys.exit('\\033[31mno space left\\033[0m')", name="temporal")
    )
    with pytest.raises(StackError) as told:
        supervisor.wait_for(lambda: False, 60, "anything")
    assert str(told.value).startswith("temporal stopped (exit 1): no space left (log: ")
    assert "\n" not in str(told.value)


def test_worker_is_restarted_a_few_times(
    supervisor: Supervisor, lines: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that dies is started again as often as allowed, each time with a line, then the stack ends."""
    monkeypatch.setattr("starter.local_stack.supervisor.PAUSES", (0.0,))
    supervisor.start(python("import sys; sys.exit('broken')", name="web", restarts=2))
    with pytest.raises(StackError, match="web stopped"):
        supervisor.wait_for(lambda: False, 60, "anything")
    assert [line.rpartition("; ")[2] for line in lines] == ["restart 1 of 2", "restart 2 of 2"]


def test_all_processes_end_in_reverse_order(supervisor: Supervisor, tmp_path: Path) -> None:
    """What was started last ends first, with what it started itself, by SIGKILL where nothing else helps."""
    ends = tmp_path / "ends"
    code = (
        "import signal, sys, time\n"
        "def end(*_):\n"
        "    with open({file!r}, 'a') as f: f.write({name!r})\n"
        "    sys.exit()\n"
        "signal.signal(signal.SIGTERM, end); print('up', flush=True); time.sleep(99)"
    )
    family = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {STUBBORN!r}])"
    supervisor.start(python(code.format(file=str(ends), name="a"), name="a"))
    supervisor.start(python(code.format(file=str(ends), name="b"), name="b"))
    supervisor.start(python(family, name="family", stop_within=0.3))
    until(lambda: all("up" in (supervisor.logs / f"{name}.log").read_text() for name in ("a", "b", "family")))
    assert len(leftovers.of(supervisor.home)) == 4
    supervisor.stop()
    assert ends.read_text() == "ba"
    assert leftovers.of(supervisor.home) == []


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")
def test_children_end_with_a_killed_supervisor(tmp_path: Path) -> None:
    """After SIGKILL of the supervisor its children end by themselves."""
    code = (
        "import os, sys, time\n"
        "from pathlib import Path\n"
        "from starter.local_stack.supervisor import Supervisor\n"
        "from starter.local_stack.service import Service\n"
        f"Supervisor(Path({str(tmp_path)!r}), os.environ, print).start("
        "Service('child', (sys.executable, '-c', 'import time; print(1, flush=True); time.sleep(99)')))\n"
        "time.sleep(99)"
    )
    log = tmp_path / "logs" / "child.log"
    with subprocess.Popen([sys.executable, "-c", code]) as parent:
        until(lambda: log.exists() and log.read_text() == "1\n")
        assert len(leftovers.of(tmp_path)) == 1
        parent.kill()
    until(lambda: leftovers.of(tmp_path) == [])


def test_leftovers_are_only_ours(tmp_path: Path) -> None:
    """Only processes that carry this home's mark are ended, stubborn ones by SIGKILL."""
    homes = [tmp_path / "one", tmp_path / "two"]
    started = [
        subprocess.Popen(
            [sys.executable, "-c", STUBBORN],
            env={**os.environ, leftovers.MARK: str(home)},
            stdout=subprocess.PIPE,
        )
        for home in homes
    ]
    try:
        for process in started:
            assert process.stdout is not None
            assert process.stdout.readline() == b"up\n"
        assert leftovers.end(homes[0], within=0.2) == 1
        assert leftovers.of(homes[0]) == []
        assert not psutil.pid_exists(started[0].pid)
        assert started[1].poll() is None
    finally:
        for process in started:
            process.kill()
            process.communicate()


def test_one_stack_a_home(tmp_path: Path) -> None:
    """A second stack on the same home is told where the first one is; after its end the home is free."""
    write_environment(tmp_path / "environment", {"BILLOW_WEB_URL": "http://127.0.0.1:8080"})
    told = rf"\(process {os.getpid()}\): see http://127.0.0.1:8080$"
    with (
        preflight.only_one(tmp_path),
        pytest.raises(AlreadyRunning, match=told),
        preflight.only_one(tmp_path),
    ):
        pass
    with preflight.only_one(tmp_path):
        pass


def test_home_that_cannot_be_written(tmp_path: Path) -> None:
    """A home that cannot be written is named, with what to set."""
    (tmp_path / "file").touch()
    with pytest.raises(StackError, match=r"cannot be written \(.*BILLOW_HOME"):
        preflight.check_home(tmp_path / "file" / "home")


def test_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Too little room on the disk is said before anything is started."""
    monkeypatch.setattr(preflight, "ROOM_NEEDED", 2**62)
    with pytest.raises(StackError, match="MB are free"):
        preflight.check_home(tmp_path)


def test_missing_pango(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without Pango one line says so, and how to install it."""
    (tmp_path / "weasyprint.py").write_text("raise OSError('cannot load library libpango-1.0.so.0')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(
        StackError, match=r"Pango is missing: OSError: cannot load library .* apt-get install"
    ) as told:
        preflight.PangoCheck().result()
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("installed", [True, False])
def test_missing_subset_library(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, installed: bool) -> None:
    """Without HarfBuzz's subset library PDFs are slow: one line says so and how to install it; with it, none."""
    if not installed:
        (tmp_path / "sitecustomize.py").write_text(
            "from weasyprint.text import ffi\nffi.harfbuzz_subset = None\n"
        )
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    told = preflight.PangoCheck().result()
    assert told == ("" if installed else subsetting.MISSING) and "\n" not in told
    assert "apt-get install libharfbuzz-subset0" in subsetting.MISSING


def test_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    """A port that is taken is passed over, unless it was asked for: then the setting is named."""
    free = ports.choose(24500, None, "a port")
    assert ports.choose(free, None, "a port", taken=[free]) > free
    with subprocess.Popen(
        [
            sys.executable,
            "-c",
            f"import socket; s = socket.create_server(('', {free})); print(1, flush=True); s.accept()",
        ],
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert ports.choose(free, None, "a port") > free
        with pytest.raises(StackError, match=f"Port {free} is in use: choose another with BILLOW_WEB_PORT"):
            ports.choose(free, free, "BILLOW_WEB_PORT")
        process.kill()
