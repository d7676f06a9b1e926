"""`billow up`: from nothing to a running stack, and back to nothing on Ctrl-C."""

import os
import signal
import sysconfig
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import FrameType

import httpx
from rich.console import Console

from starter.local_stack import leftovers, mailbox, ports, postgres, preflight, temporal_server
from starter.local_stack.errors import AlreadyRunning, StackError
from starter.local_stack.mark import STACK_HEADER, stack_mark
from starter.local_stack.service import Service
from starter.local_stack.supervisor import Supervisor
from workers.settings import ENVIRONMENT_FILE, Settings, write_environment

DEFAULT_WEB_PORT = 8080
ANY_INTERFACE = "0.0.0.0"  # noqa: S104
WATCH_EVERY = 0.5
RESTARTS = 3

EXIT_STOPPED, EXIT_FAILED, EXIT_ALREADY_RUNNING = 0, 1, 2

APPLICATIONS: Mapping[str, tuple[str, ...]] = {
    "invoicing worker": ("worker", "--queue", "invoicing"),
    "rendering worker": ("worker", "--queue", "rendering"),
    "web": ("web",),
}
"""What runs beside the servers: name and arguments of `billow`."""


@dataclass(frozen=True)
class StackOptions:
    """What can be chosen; a port that is None is the usual one, or a free one if that is taken."""

    home: Path = Path(".billow")
    company: Path | None = None
    web_host: str = "127.0.0.1"
    web_port: int | None = None
    smtp_port: int | None = None
    postgres_port: int | None = None
    temporal_port: int | None = None
    temporal_ui_port: int | None = None
    applications: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: APPLICATIONS)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "StackOptions":
        """From `BILLOW_HOME`, `_COMPANY`, `_WEB_HOST` and `BILLOW_<NAME>_PORT`. Raises `StackError`."""
        company = environment.get("BILLOW_COMPANY")
        return cls(
            home=Path(environment.get("BILLOW_HOME") or ".billow"),
            company=Path(company) if company else None,
            web_host=environment.get("BILLOW_WEB_HOST") or "127.0.0.1",
            web_port=_port(environment, "BILLOW_WEB_PORT"),
            smtp_port=_port(environment, "BILLOW_SMTP_PORT"),
            postgres_port=_port(environment, "BILLOW_POSTGRES_PORT"),
            temporal_port=_port(environment, "BILLOW_TEMPORAL_PORT"),
            temporal_ui_port=_port(environment, "BILLOW_TEMPORAL_UI_PORT"),
        )


class Stack:
    """The running stack, as the code that fills it with life sees it."""

    def __init__(self, settings: Settings, supervisor: Supervisor, console: Console) -> None:
        self.settings, self.console, self._supervisor = settings, console, supervisor

    @contextmanager
    def step(self, text: str) -> Iterator[None]:
        """Show that `text` is being done, and when it is done, how long it took."""
        with _step(self.console, text):
            yield

    def wait_for(self, condition: Callable[[], bool], within: float, what: str) -> None:
        """Return once `condition` holds; the processes are watched meanwhile.

        Raises `StackError` after `within` seconds, or if a process died that cannot be done without.
        """
        self._supervisor.wait_for(condition, within, what)

    def watch(self) -> None:
        """Look after the processes once. Raises `StackError` if one died that cannot be done without."""
        self._supervisor.watch()


class _Stopped(BaseException):
    """Ctrl-C, SIGTERM or a closed terminal: not an error, and nothing on the way may take it for one."""


def bring_up(
    options: StackOptions, after_start: Callable[[Stack], None], console: Console | None = None
) -> int:
    """Run everything until Ctrl-C or SIGTERM; the exit code.

    Starts PostgreSQL, Temporal and the mailbox, brings the ledger's tables up to date, starts workers and
    web, then calls `after_start`. What goes wrong is printed as one line. Must be called by the main thread.
    """
    console = console or _console()
    try:
        with _stop_signals():
            try:
                _run(options, after_start, console)
            except StackError as error:
                console.print(f"[bold red]✗[/] {_escape(str(error))}", soft_wrap=True, highlight=False)
                return EXIT_ALREADY_RUNNING if isinstance(error, AlreadyRunning) else EXIT_FAILED
    except _Stopped:
        pass
    return EXIT_STOPPED


def _run(options: StackOptions, after_start: Callable[[Stack], None], console: Console) -> None:
    preflight.check_home(options.home)
    home = options.home.resolve()
    with ExitStack() as ending:
        ending.enter_context(preflight.only_one(home))
        if leftovers.end(home):
            console.print("  ended what an earlier run had left running", highlight=False)
        pango = preflight.PangoCheck()
        ending.callback(pango.abandon)
        with _step(console, "Ports and database folder"):
            cluster, variables = _plan(options, home)
        _take(variables)
        supervisor = Supervisor(home, os.environ, partial(_report, console))
        ending.callback(_stop, supervisor, console)
        environment_file = home / ENVIRONMENT_FILE
        ending.callback(environment_file.unlink, missing_ok=True)
        ending.callback(_ignore_stop_signals)
        _start_servers(supervisor, cluster, variables, home, console)
        with _step(console, "Pango and fonts"):
            slow = pango.result()
        if slow:
            console.print(f"  {slow}", highlight=False, markup=False)
        write_environment(environment_file, variables)
        settings = Settings.from_environment()
        with _step(console, f"Workers and web on {settings.web_url}"):
            supervisor.start(
                *(_application(name, settings, arguments) for name, arguments in options.applications.items())
            )
            supervisor.wait_until_ready()
        after_start(Stack(settings, supervisor, console))
        while True:
            supervisor.watch()
            time.sleep(WATCH_EVERY)


def _stop(supervisor: Supervisor, console: Console) -> None:
    with _step(console, "Stopping", "Everything is stopped"):
        supervisor.stop()


def _plan(options: StackOptions, home: Path) -> tuple[postgres.Cluster, dict[str, str]]:
    """Choose ports; the database cluster and the environment of everything in the stack."""
    taken: list[int] = []

    def choose(usual: int, asked: int | None, setting: str, host: str = "127.0.0.1") -> int:
        taken.append(ports.choose(usual, asked, setting, taken, host))
        return taken[-1]

    web = choose(DEFAULT_WEB_PORT, options.web_port, "BILLOW_WEB_PORT", options.web_host)
    smtp = choose(mailbox.DEFAULT_PORT, options.smtp_port, "BILLOW_SMTP_PORT")
    temporal = choose(temporal_server.DEFAULT_PORT, options.temporal_port, "BILLOW_TEMPORAL_PORT")
    temporal_ui = choose(temporal_server.DEFAULT_UI_PORT, options.temporal_ui_port, "BILLOW_TEMPORAL_UI_PORT")
    database = choose(postgres.DEFAULT_PORT, options.postgres_port, "BILLOW_POSTGRES_PORT")
    cluster = postgres.Cluster(home / "postgres", database, password_file=home / "postgres.password")
    cluster.prepare()
    reached = "127.0.0.1" if options.web_host == ANY_INTERFACE else options.web_host
    variables = {
        "BILLOW_HOME": str(home),
        "BILLOW_DEVELOPMENT": "true",
        "BILLOW_DATABASE_URL": cluster.url(),
        "BILLOW_DOCUMENTS": str(home / "documents"),
        "BILLOW_MAILBOX": str(home / "mailbox"),
        "BILLOW_SMTP_HOST": "127.0.0.1",
        "BILLOW_SMTP_PORT": str(smtp),
        "BILLOW_SMTP_USERNAME": "",
        "BILLOW_SMTP_PASSWORD": "",
        "BILLOW_SMTP_STARTTLS": "",
        "BILLOW_WEB_HOST": options.web_host,
        "BILLOW_WEB_PORT": str(web),
        "BILLOW_WEB_URL": f"http://{reached}:{web}",
        "BILLOW_TEMPORAL_UI_URL": f"http://127.0.0.1:{temporal_ui}",
        "TEMPORAL_ADDRESS": f"127.0.0.1:{temporal}",
        "TEMPORAL_NAMESPACE": temporal_server.NAMESPACE,
        "TEMPORAL_CONFIG_FILE": os.devnull,
    }
    if options.company:
        variables["BILLOW_COMPANY"] = str(options.company.resolve())
    return cluster, variables


def _take(variables: Mapping[str, str]) -> None:
    """Make the stack's variables this process's own, and forget a Temporal somewhere else."""
    for name in [name for name in os.environ if name.startswith("TEMPORAL_")]:
        del os.environ[name]
    os.environ.update(variables)


def _start_servers(
    supervisor: Supervisor,
    cluster: postgres.Cluster,
    variables: Mapping[str, str],
    home: Path,
    console: Console,
) -> None:
    from activities.ledger.database import migrate
    from workflows.identifiers import SEARCH_ATTRIBUTES

    temporal_port = int(variables["TEMPORAL_ADDRESS"].rpartition(":")[2])
    ui_port = int(variables["BILLOW_TEMPORAL_UI_URL"].rpartition(":")[2])
    smtp_port = int(variables["BILLOW_SMTP_PORT"])
    with _step(console, f"PostgreSQL on 127.0.0.1:{cluster.port}"):
        supervisor.start(cluster.service())
        supervisor.start(
            temporal_server.service(home / "temporal.db", temporal_port, ui_port, SEARCH_ATTRIBUTES),
            mailbox.service(home / "mailbox", smtp_port),
        )
        supervisor.wait_for(cluster.answers, 60, "PostgreSQL")
    with _step(console, "Ledger tables"):
        cluster.create_database()
        migrate(cluster.url())
    with _step(console, f"Temporal on 127.0.0.1:{temporal_port}, mailbox on 127.0.0.1:{smtp_port}"):
        supervisor.wait_until_ready()


def _application(name: str, settings: Settings, arguments: tuple[str, ...]) -> Service:
    billow = str(Path(sysconfig.get_path("scripts")) / "billow")
    mark = stack_mark(str(settings.home.resolve()))
    ready = partial(_healthy, f"{settings.web_url}/healthz", mark) if arguments[0] == "web" else None
    return Service(name=name, command=(billow, *arguments), ready=ready, restarts=RESTARTS)


def _healthy(url: str, mark: str) -> bool:
    """Whether our own web app answers there, and not that of another stack on the same port."""
    try:
        answer = httpx.get(url, timeout=2)
    except httpx.HTTPError:
        return False
    return answer.is_success and answer.headers.get(STACK_HEADER) == mark


@contextmanager
def _step(console: Console, text: str, done: str = "") -> Iterator[None]:
    began = time.monotonic()
    with console.status(_escape(text)):
        yield
    console.print(
        f"[green]✓[/] {_escape(done or text)} [dim]{time.monotonic() - began:.1f} s[/]", highlight=False
    )


def _report(console: Console, line: str) -> None:
    console.print(f"[yellow]![/] {_escape(line)}", soft_wrap=True, highlight=False)


def _console() -> Console:
    """80 columns at most, where the terminal is wider too."""
    console = Console(stderr=False)
    return Console(width=min(80, console.width)) if console.width else console


def _escape(text: str) -> str:
    return text.replace("[", r"\[")


def _port(environment: Mapping[str, str], name: str) -> int | None:
    text = environment.get(name)
    if not text:
        return None
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise StackError(f"{name}={text} is not a port: give a number from 1 to 65535, or leave it out.")
    return int(text)


STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def _stop_signals() -> Iterator[None]:
    """Turn the signals that end a stack into `_Stopped`."""

    def stopped(_number: int, _frame: FrameType | None) -> None:
        _ignore_stop_signals()
        raise _Stopped

    before = {number: signal.signal(number, stopped) for number in STOP_SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _ignore_stop_signals() -> None:
    """Ending everything takes a bounded time; a second Ctrl-C meanwhile must not leave half of it behind."""
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
