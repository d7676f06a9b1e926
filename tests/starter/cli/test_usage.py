"""How the command line fails and helps: exit codes, one line on stderr, no traceback."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from datetime import datetime

import pytest
from click.testing import CliRunner
from sqlalchemy import create_engine, text

from starter.cli import TABLE, context, main
from tests.starter.cli.conftest import Desk

COMMANDS = [(entry.name, entry.line) for entries in TABLE.values() for entry in entries]

WRONG_USAGE = [
    (["shwo"], "Did you mean 'show'"),
    (["invoices", "--statsu", "paid"], "Did you mean '--status'"),
    (["invoices", "--status", "payed"], "did you mean 'paid'"),
    (["invoices", "--status", "zzz"], "it is one of: waiting, open, late, draft"),
    (["invoices", "--limit", "0"], "0 is not in the range"),
    (["show"], "Missing argument 'INVOICE'"),
    (["show", ""], "is empty"),
    (["show", "x" * 2001], "more than 2,000"),
    (["show", os.fsdecode(b"caf\xe9")], "not UTF-8"),
    (["trigger"], "exactly one of --agreement"),
    (["trigger", "--agreement", "a", "--event", __file__], "exactly one of"),
    (["trigger", "--agreement", "a", "--key", "k"], "--key goes with --one-off"),
    (["trigger", "--event", __file__, "--item", "m1"], "--item goes with --agreement"),
    (["trigger", "--event", __file__, "--as", "pia"], "--as goes with --agreement or --one-off"),
    (["trigger", "--one-off", "not-there.yaml"], "does not exist"),
    (["approve", "x"], "Missing option '--as'"),
    (["reject", "x"], "Missing option '--as'"),
    (["reject", "x", "--as", "pia"], "Missing option '--comment'"),
    (["reject", "x", "--as", "pia", "--comment", " "], "is empty"),
    (["resolve", "1", "--as", "pia"], "exactly one of --retry, --accept, --override and --void"),
    (["resolve", "1", "--as", "pia", "--retry", "--accept"], "exactly one of"),
    (["resolve", "1", "--as", "pia", "--accept"], "say why with --reason"),
    (["resolve", "1", "--as", "pia", "--override", "vat_id=X"], "say why with --reason"),
    (["resolve", "1", "--as", "pia", "--override", "vat_id", "--reason", "r"], "FIELD=VALUE"),
    (["dispute", "B1", "--as", "pia"], "give either --reason"),
    (["trigger", "--agreement", "acme-care"], "say who asks"),
    (["resolve", "1", "--as", "pia", "--void", "perhaps"], "'rebill', 'waive'"),
    (["resolve", "one", "--as", "pia", "--retry"], "'one' is not a valid integer"),
    (["pay", "x"], "Missing option '--amount'"),
    (["pay", "x", "--amount", "1"], "Missing option '--as'"),
    (["pay", "--amount", "1", "--unmatched", "--currency", "EUR"], "Missing option '--as'"),
    (["pay", "x", "--amount", "1.234,56"], "write 1234.56"),
    (["pay", "x", "--amount", "1", "--date", "22.11.2026"], "write it as 2026-12-01"),
    (["pay", "x", "--amount", "1", "--date", "2026-02-30"], "is not a day"),
    (["pay", "--amount", "1", "--as", "pia"], "Missing argument 'INVOICE'; --unmatched keeps"),
    (["pay", "x", "--amount", "1", "--payer", "p", "--as", "pia"], "go with --unmatched"),
    (
        ["pay", "x", "--amount", "1", "--unmatched", "--currency", "EUR", "--as", "pia"],
        "--unmatched goes without INVOICE",
    ),
    (["pay", "--amount", "1", "--unmatched", "--as", "pia"], "--unmatched needs --currency"),
    (["allocate", "1", "--as", "pia"], "either INVOICE or --set-aside"),
    (["allocate", "1", "x", "--set-aside", "--reason", "r", "--as", "pia"], "either INVOICE or --set-aside"),
    (["allocate", "1", "--set-aside", "--as", "pia"], "say why with --reason"),
    (["allocate", "1", "x", "--reason", "r", "--as", "pia"], "--reason goes with --set-aside"),
    (["hold", "x", "--until", "soon", "--reason", "r", "--as", "pia"], "3d"),
    (["promise", "x", "--as", "pia"], "give either --on, or --withdrawn"),
    (["promise", "x", "--on", "2026-12-01", "--withdrawn", "r", "--as", "pia"], "give either --on"),
    (["dispute", "x", "--reason", "r", "--withdrawn", "--as", "pia"], "give either --reason"),
    (["plan", "x", "--in", "3", "--as", "pia", "--reason", "r"], "--in with --from"),
    (["plan", "x", "--part", "2026-12-01", "--as", "pia"], "write it as 2026-12-10=400.00"),
    (["plan", "x", "--due", "2026-12-01"], "--end (with --due)"),
    (["plan", "x", "--end"], "say who agreed with --as"),
    (["credit-hold", "--lift", "--as", "pia"], "give CLIENT"),
    (["credit-hold", "acme", "--reason", "r", "--lift", "--as", "pia"], "either --reason or --lift"),
    (["dispute", "x", "--as", "pia", "--reason", " "], "is empty"),
    (["worker"], "Missing option '--queue'"),
    (["worker", "--queue", "rendring"], "rendring"),
    (["pdf", "x", "-o", "-", "--json"], "both write to stdout"),
    (["up", "--web-port", "70000"], "70000 is not in the range"),
]


@pytest.mark.parametrize(
    ("arguments", "said"),
    WRONG_USAGE,
    ids=lambda each: " ".join(each)[:40] if isinstance(each, list) else None,
)
def test_wrong_usage(arguments: list[str], said: str) -> None:
    """Wrong usage ends with exit code 2 and says what to write instead, before any server is asked."""
    result = CliRunner().invoke(main, arguments, env={"BILLOW_DATABASE_URL": "", "BILLOW_HOME": "/nowhere"})
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in " ".join(result.stderr.split())


def test_help_names_every_command() -> None:
    """`billow --help` lists every command in its section, in 80 columns."""
    result = CliRunner().invoke(main, ["--help"])
    assert result.exit_code == 0
    assert all(line in result.output for _, line in COMMANDS)
    assert max(map(len, result.output.splitlines())) <= 80


@pytest.mark.parametrize("name", [name for name, _ in COMMANDS])
def test_every_command_is_there(name: str) -> None:
    """Every command of the table exists, and its help fits 80 columns."""
    result = CliRunner().invoke(main, [name, "--help"])
    assert result.exit_code == 0, result.output
    assert f"Usage: main {name}" in result.output
    assert max(map(len, result.output.splitlines())) <= 80


def test_version() -> None:
    """`billow --version` says which version this is."""
    assert CliRunner().invoke(main, ["--version"]).output.startswith("billow 0.")


def test_no_database_is_named(tmp_path: object) -> None:
    """Where nothing runs and nothing is configured, the command says how to start, with exit code 2."""
    result = CliRunner().invoke(
        main, ["invoices"], env={"BILLOW_HOME": str(tmp_path), "BILLOW_DATABASE_URL": ""}
    )
    assert result.exit_code == 2
    assert "make run" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_dead_database(tmp_path: object) -> None:
    """A database that does not answer is one line with its place, without its password, and exit code 1."""
    url = "postgresql+psycopg://billow:secret@127.0.0.1:9/billow"
    result = CliRunner().invoke(
        main, ["invoices"], env={"BILLOW_HOME": str(tmp_path), "BILLOW_DATABASE_URL": url}
    )
    assert result.exit_code == 1
    assert len(result.stderr.splitlines()) == 1
    assert "127.0.0.1:9/billow" in result.stderr
    assert "make run" in result.stderr
    assert "secret" not in result.stderr


@pytest.mark.parametrize(
    "url", ["nonsense", "postgresql://u:secret@h/db", "sqlite://", "postgresql+psycopg://u:secret@h:port/db"]
)
def test_address_that_is_none(tmp_path: object, url: str) -> None:
    """An address Billow cannot use is refused with exit code 2 and the form to write, no password."""
    result = CliRunner().invoke(
        main, ["invoices"], env={"BILLOW_HOME": str(tmp_path), "BILLOW_DATABASE_URL": url}
    )
    assert result.exit_code == 2, result.output
    assert "postgresql+psycopg://user:password@host/database" in result.stderr
    assert "secret" not in result.stderr


def test_database_that_is_missing(empty_desk: Desk) -> None:
    """A server without the database, and a database without tables, are told as such."""
    url = str(empty_desk.environment["BILLOW_DATABASE_URL"])
    server = url.rpartition("/")[0]
    missing = empty_desk.type("invoices", code=1, BILLOW_DATABASE_URL=f"{server}/nothing_here")
    assert 'database "nothing_here" does not exist' in missing.stderr
    empty = empty_desk.type("invoices", code=1, BILLOW_DATABASE_URL=f"{server}/postgres")
    assert "has no tables of ours, or those of another version" in empty.stderr


def test_migrate(empty_desk: Desk) -> None:
    """A database without tables of ours has them after `billow migrate`, given twice, and says where it is."""
    url = str(empty_desk.environment["BILLOW_DATABASE_URL"])
    server = url.rpartition("/")[0]
    with create_engine(url, isolation_level="AUTOCOMMIT").connect() as tx:
        tx.execute(text("create database not_migrated"))
    try:
        for _ in range(2):
            said = empty_desk.type("migrate", BILLOW_DATABASE_URL=f"{server}/not_migrated").stdout
            assert "/not_migrated has the newest schema" in said and "secret" not in said
        empty_desk.type("invoices", BILLOW_DATABASE_URL=f"{server}/not_migrated")
    finally:
        with create_engine(url, isolation_level="AUTOCOMMIT").connect() as tx:
            tx.execute(text("drop database not_migrated with (force)"))


def test_unexpected_failure(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault of the program is one line and exit code 70; --debug shows where it is."""

    def broken() -> datetime:
        raise RuntimeError("clock stopped\n\x1b[31mred")

    monkeypatch.setattr(context, "now", broken)
    result = desk.type("invoices", code=70)
    assert "clock stopped" in result.stderr
    assert "--debug" in result.stderr
    assert len(result.stderr.splitlines()) == 1
    debugged = desk.runner.invoke(main, ["--debug", "invoices"], env=desk.environment)
    assert debugged.exit_code == 70
    assert "in broken" in debugged.stderr


def test_ctrl_c(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C ends a command quietly with exit code 130."""

    def interrupted() -> datetime:
        raise KeyboardInterrupt

    monkeypatch.setattr(context, "now", interrupted)
    assert desk.type("invoices", code=130).stdout == ""


HEAVY = ("temporalio", "weasyprint", "uvicorn", "starlette", "httpx", "jinja2")

PROBE = f"""
import sys
from starter.cli import main
try:
    main(sys.argv[1:], "billow")
except SystemExit as end:
    loaded = [name for name in {HEAVY!r} if name in sys.modules]
    print(end.code, *loaded, file=sys.stderr)
"""


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["invoices"],
        ["show", "OLD-1"],
        ["timeline", "OLD-1"],
        ["inbox"],
        ["ageing"],
        ["audit", "verify"],
    ],
)
def test_reading_commands_start_fast(desk: Desk, arguments: list[str]) -> None:
    """Reading commands load neither Temporal nor the renderer nor a web server."""
    desk.opening_item("OLD-1")
    environment = os.environ | {key: value for key, value in desk.environment.items() if value}
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *arguments], env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.stderr.split() == ["0"], done.stderr


def test_reader_that_goes_away(desk: Desk) -> None:
    """A pipe that is closed early ends the command without a word: `billow invoices | head -1`."""
    for number in range(40):
        desk.opening_item(f"OLD-{number}")
    environment = os.environ | {key: value for key, value in desk.environment.items() if value}
    billow = f"{sys.executable} -c 'from starter.cli import main; main()'"
    for flags in ("", " --json"):
        done = subprocess.run(
            ["bash", "-c", f"{billow} invoices{flags} | true"],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.stderr == ""


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_any_encoding(desk: Desk, encoding: str) -> None:
    """A terminal that cannot show a character gets another one, and JSON stays JSON."""
    desk.opening_item("OLD-1", title="Café → 東京")
    environment = os.environ | {key: value for key, value in desk.environment.items() if value}
    environment["PYTHONIOENCODING"] = encoding
    for arguments in (["show", "OLD-1"], ["show", "OLD-1", "--json"]):
        done = subprocess.run(
            [sys.executable, "-c", "from starter.cli import main; main()", *arguments],
            env=environment,
            capture_output=True,
            timeout=60,
        )
        assert (done.returncode, done.stderr) == (0, b"")
        if "--json" in arguments:
            assert json.loads(done.stdout.decode(encoding))["title"] == "Café → 東京"


def test_port_that_is_taken(desk: Desk) -> None:
    """A web app that cannot listen says so in one line, with what to choose instead."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        result = desk.type("web", "--port", taken.getsockname()[1], code=1)
    assert "choose another --port" in result.stderr


LATE = """
import os, sys
from starter.cli import main
class Late:
    def __del__(self, write=os.write):
        write(1, b"the interpreter is being taken down")
sys.late = Late()
main()
"""


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [("--version", 0, "billow "), ("show NOPE", 1, "NOPE"), ("nope", 2, "No such command")],
)
def test_process_ends_before_python_does(desk: Desk, arguments: str, code: int, said: str) -> None:
    """A command keeps its words and its exit code, and no thread of Temporal's outlives the interpreter."""
    environment = os.environ | {key: value for key, value in desk.environment.items() if value}
    done = subprocess.run(
        [sys.executable, "-c", LATE, *arguments.split()],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, "taken down" in done.stdout) == (code, False)
    assert said in done.stdout + done.stderr


@pytest.mark.parametrize("command", ["sync-schedules", "worker --queue invoicing"])
def test_temporal_that_is_down(desk: Desk, command: str) -> None:
    """A Temporal that does not answer is one line with its place, and exit code 1."""
    result = desk.type(
        *command.split(), code=1, TEMPORAL_ADDRESS="127.0.0.1:9", TEMPORAL_CONFIG_FILE=os.devnull
    )
    assert "Temporal at 127.0.0.1:9 cannot be used" in result.stderr
    assert "make run" in result.stderr


def test_narrow_terminal(desk: Desk) -> None:
    """A terminal of 50 columns loses the client's column before anything that is needed."""
    desk.opening_item("OLD-1", late=40, client="acme")
    shown = desk.type("invoices", COLUMNS="50", FORCE_COLOR="1", NO_COLOR="1").stdout
    assert "OLD-1" in shown
    assert "40 days late" in shown
