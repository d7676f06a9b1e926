"""Settings come from the environment, over the file of the running stack."""

import os
from base64 import b64encode
from pathlib import Path

import pytest

from workers.settings import NotConfigured, Settings, read_environment, write_environment

URL = "postgresql+psycopg://billow:pw-4711@127.0.0.1:5432/billow"


def test_environment_over_file(tmp_path: Path) -> None:
    """What the environment says goes over the file; an empty variable says nothing."""
    write_environment(
        tmp_path / "environment",
        {
            "BILLOW_DATABASE_URL": URL,
            "BILLOW_WEB_PORT": "8081",
            "BILLOW_SMTP_PORT": "1026",
            "BILLOW_SMTP_STARTTLS": "",
        },
    )
    settings = Settings.from_environment(
        {"BILLOW_HOME": str(tmp_path), "BILLOW_SMTP_PORT": "2525", "BILLOW_WEB_PORT": "", "PATH": "/bin"}
    )
    assert settings.database_url.get_secret_value() == URL
    assert (settings.web_port, settings.smtp_port, settings.smtp_starttls) == (8081, 2525, False)
    assert settings.web_url == "http://127.0.0.1:8081"
    assert settings.documents_folder == tmp_path / "documents"


def test_nothing_configured(tmp_path: Path) -> None:
    """Without a database one is told how to start everything, or what to set."""
    with pytest.raises(NotConfigured, match=r"make run.*BILLOW_DATABASE_URL"):
        Settings.from_environment({"BILLOW_HOME": str(tmp_path)})


def test_wrong_values_are_all_named(tmp_path: Path) -> None:
    """Each variable that cannot be read is named."""
    wrong = {"BILLOW_HOME": str(tmp_path), "BILLOW_DATABASE_URL": URL, "BILLOW_WEB_PORT": "99999"}
    with pytest.raises(NotConfigured, match=r"BILLOW_WEB_PORT.*BILLOW_DEVELOPMENT"):
        Settings.from_environment({**wrong, "BILLOW_DEVELOPMENT": "perhaps"})


def test_temporal_address_of_the_running_stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The running stack's Temporal address reaches Temporal's own configuration, unless one is set."""
    write_environment(
        tmp_path / "environment",
        {"BILLOW_DATABASE_URL": URL, "TEMPORAL_ADDRESS": "127.0.0.1:7299", "TEMPORAL_NAMESPACE": "default"},
    )
    monkeypatch.setenv("BILLOW_HOME", str(tmp_path))
    monkeypatch.setenv("TEMPORAL_NAMESPACE", "mine")
    monkeypatch.setenv("TEMPORAL_ADDRESS", "")  # so that it is put back after the test
    monkeypatch.delenv("TEMPORAL_ADDRESS")
    Settings.from_environment()
    assert (os.environ["TEMPORAL_ADDRESS"], os.environ["TEMPORAL_NAMESPACE"]) == ("127.0.0.1:7299", "mine")


def test_secrets_stay_out_of_sight(tmp_path: Path) -> None:
    """Passwords are not shown with the settings, and the file is readable by its owner only."""
    write_environment(
        tmp_path / "environment", {"BILLOW_DATABASE_URL": URL, "BILLOW_SMTP_PASSWORD": "pw-4711"}
    )
    assert "pw-4711" not in repr(Settings.from_environment({"BILLOW_HOME": str(tmp_path)}))
    assert (tmp_path / "environment").stat().st_mode & 0o777 == 0o600


def test_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    """A value of two lines is refused, and the file stays as it was."""
    file = tmp_path / "environment"
    write_environment(file, {"A": "1"})
    with pytest.raises(ValueError, match="B"):
        write_environment(file, {"A": "2", "B": "x\ny"})
    assert read_environment(file) == {"A": "1"}
    assert list(tmp_path.iterdir()) == [file]


def test_unreadable_file(tmp_path: Path) -> None:
    """A file that is no text is named, with what to do."""
    (tmp_path / "environment").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(NotConfigured, match="cannot be read"):
        Settings.from_environment({"BILLOW_HOME": str(tmp_path)})


def test_webhook_secrets(tmp_path: Path) -> None:
    """Several secrets may be set while one takes over from another; only the environment is asked for them."""
    one, other = (f"whsec_{b64encode(bytes([number]) * 24).decode()}" for number in (1, 2))
    given = {"BILLOW_HOME": str(tmp_path), "BILLOW_DATABASE_URL": URL}
    write_environment(tmp_path / "environment", {"BILLOW_WEBHOOK_SECRETS": one})
    assert Settings.from_environment(given).signing_secrets == ()
    settings = Settings.from_environment({**given, "BILLOW_WEBHOOK_SECRETS": f"{one} {other}"})
    assert settings.signing_secrets == (one, other)
    assert one not in repr(settings)


@pytest.mark.parametrize(
    "secret", ["whsec_short", "whsec_***", f"{'A' * 32}", f"whsec_{'A' * 32} whsec_{'A' * 20}", "whsec_é"]
)
def test_webhook_secrets_that_are_none(tmp_path: Path, secret: str) -> None:
    """A secret that anybody could guess, or that cannot be read, is refused, and not shown."""
    given = {"BILLOW_HOME": str(tmp_path), "BILLOW_DATABASE_URL": URL, "BILLOW_WEBHOOK_SECRETS": secret}
    with pytest.raises(NotConfigured, match=r"BILLOW_WEBHOOK_SECRETS: .* 24 random bytes") as refused:
        Settings.from_environment(given)
    assert secret not in str(refused.value)


@pytest.mark.parametrize(
    ("file", "limit", "cores", "processes"),
    [
        ("memory.max", "max", 3, 3),
        ("memory.max", "max", 16, 4),
        ("memory.max", str(2 << 30), 16, 2),
        ("memory/memory.limit_in_bytes", str(3 << 30), 4, 3),
        ("memory.max", str(512 << 20), 4, 1),
        (None, "", 1, 1),
    ],
)
def test_rendering_processes_of_a_machine(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    file: str | None,
    limit: str,
    cores: int,
    processes: int,
) -> None:
    """One a core and GiB of memory, a container's where it has a limit; at least one, at most four."""
    monkeypatch.setattr("workers.settings.MEMORY_LIMITS", tmp_path)
    monkeypatch.setattr("workers.settings.os.sched_getaffinity", lambda _: set(range(cores)))
    monkeypatch.setattr("workers.settings.os.sysconf", {"SC_PHYS_PAGES": 64 << 18, "SC_PAGE_SIZE": 4096}.get)
    if file:
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text(f"{limit}\n")
    given = {"BILLOW_HOME": str(tmp_path), "BILLOW_DATABASE_URL": URL}
    assert Settings.from_environment(given).rendering_processes == processes


def test_rendering_processes(tmp_path: Path) -> None:
    """As many as are set; none and nonsense are refused."""
    given = {"BILLOW_HOME": str(tmp_path), "BILLOW_DATABASE_URL": URL}
    assert Settings.from_environment({**given, "BILLOW_RENDERING_PROCESSES": "7"}).rendering_processes == 7
    for wrong in ("0", "65", "many"):
        with pytest.raises(NotConfigured, match="BILLOW_RENDERING_PROCESSES"):
            Settings.from_environment({**given, "BILLOW_RENDERING_PROCESSES": wrong})
