"""The container files have the form they must have; no container engine is needed to see it."""

import re
from pathlib import Path
from typing import Any

import yaml

from starter.cli import TABLE
from workers.settings import Settings
from workers.web_secret import PREVIOUS_VARIABLE, SECRET_VARIABLE
from workflows.identifiers import SEARCH_ATTRIBUTES

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docker-compose.yml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
ONE_SHOT = {"temporal-schema", "temporal-namespace", "migration"}
DOCKERFILE = (ROOT / "Dockerfile").read_text()


def test_all_parts_are_there() -> None:
    """Temporal with its own database and UI, Billow's database, web, both workers and a mail catcher."""
    parts = {
        "temporal",
        "temporal-postgres",
        "temporal-ui",
        "postgres",
        "web",
        "invoicing-worker",
        "rendering-worker",
    }
    assert parts | {"mail"} | ONE_SHOT == set(SERVICES)
    assert SERVICES["invoicing-worker"]["command"] == ["worker", "--queue", "invoicing"]
    assert SERVICES["rendering-worker"]["command"] == ["worker", "--queue", "rendering"]


def test_every_lasting_service_has_a_healthcheck() -> None:
    """What runs for good says whether it is well; what runs once is waited for to succeed."""
    for name, service in SERVICES.items():
        assert ("healthcheck" in service) is (name not in ONE_SHOT), name
        for needed, how in service.get("depends_on", {}).items():
            expected = "service_completed_successfully" if needed in ONE_SHOT else "service_healthy"
            assert how["condition"] == expected, f"{name} needs {needed}"


def test_versions_are_pinned() -> None:
    """Every image, and what the image is built from, has an exact version."""
    images = [service["image"] for service in SERVICES.values()] + re.findall(
        r"^FROM (\S+)", DOCKERFILE, re.MULTILINE
    )
    for image in images:
        assert re.search(r":\d+\.\d+[\w.-]*$", image), image


def test_no_secret_is_written_down() -> None:
    """Passwords come from the environment; where one is not set, the start fails and says so."""
    for service in SERVICES.values():
        for key, value in service.get("environment", {}).items():
            if re.search("PASSWORD|PWD|SECRET|TOKEN", key):
                assert re.fullmatch(r"\$\{\w+:[?-].*\}", str(value)), key
    assert re.fullmatch(
        r"postgresql\+psycopg://billow:\$\{\w+:\?[^}]+\}@postgres:5432/billow",
        SERVICES["web"]["environment"]["BILLOW_DATABASE_URL"],
    )


def test_all_share_their_secrets() -> None:
    """Web app and workers share the secret they sign with, without which none starts, and know the same systems."""
    for name in ("web", "invoicing-worker", "rendering-worker"):
        assert SERVICES[name]["environment"][SECRET_VARIABLE].startswith("${BILLOW_SECRET:?")
        assert SERVICES[name]["environment"][PREVIOUS_VARIABLE] == "${BILLOW_SECRET_PREVIOUS:-}"
        assert SERVICES[name]["env_file"] == [{"path": "secrets.env", "required": False}]


def test_commands_exist() -> None:
    """What the containers of this program run are commands it has."""
    known = {entry.name for entries in TABLE.values() for entry in entries}
    ours = [
        each for each in SERVICES.values() if each["image"].startswith("billow:") and "entrypoint" not in each
    ]
    assert len(ours) == 4
    assert {each["command"][0] for each in ours} <= known


def test_development_can_be_switched_off() -> None:
    """Set to nothing, nobody is signed in by a click; left out, the set-up can be tried at once."""
    assert SERVICES["web"]["environment"]["BILLOW_DEVELOPMENT"] == "${BILLOW_DEVELOPMENT-true}"


def test_settings_exist_and_volumes_are_declared() -> None:
    """Each BILLOW_ variable is a setting this program reads, each named volume is declared."""
    known = {field.alias for field in Settings.model_fields.values()} | {SECRET_VARIABLE, PREVIOUS_VARIABLE}
    for service in SERVICES.values():
        given = {key for key in service.get("environment", {}) if key.startswith("BILLOW_")}
        assert given <= known, given - known
        for volume in service.get("volumes", []):
            name = volume.partition(":")[0]
            assert name in COMPOSE["volumes"] or volume == "./company:/srv/company:ro"


def test_all_read_the_company_folder() -> None:
    """Workers read files of the company folder whenever they assemble an invoice: one path for all of them."""
    for name in ("web", "invoicing-worker", "rendering-worker", "migration"):
        assert "./company:/srv/company:ro" in SERVICES[name]["volumes"]
    assert "billow apply /srv/company" in TEXT


def test_home_is_the_users_own() -> None:
    """What the program keeps in its home it may write there: the folder itself is not root's."""
    (home,) = re.findall(r"^ENV BILLOW_HOME=(\S+)", DOCKERFILE, re.MULTILINE)
    (made,) = re.findall(r"install -d -o billow -g billow (.+)", DOCKERFILE)
    assert home in made.split()


def test_time_to_stop() -> None:
    """Each process of ours is given longer to stop than it takes for what it is at: the web app 10 s, a worker 30 s."""
    assert SERVICES["web"]["stop_grace_period"] == "20s"
    for name in ("invoicing-worker", "rendering-worker"):
        assert SERVICES[name]["stop_grace_period"] == "40s"


def test_ports_are_open_to_this_machine_only() -> None:
    """Nothing is published beyond the loopback; databases and mail are not published at all."""
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert set(published) == {"web", "temporal-ui"}
    for ports in published.values():
        assert all(port.startswith("127.0.0.1:") for port in ports)


def test_search_attributes_are_those_of_the_program() -> None:
    """The search attributes made for the namespace are the ones workflows set."""
    script = SERVICES["temporal-namespace"]["command"][0]
    assert re.search(r"for name in ([\w ]+);", script)[1].split() == list(SEARCH_ATTRIBUTES)  # type: ignore[index]
    assert set(SEARCH_ATTRIBUTES.values()) == {"Keyword"}


def test_image_runs_unprivileged_from_the_lock() -> None:
    """The image installs by hash, carries every package of the program, and does not run as root."""
    assert "--require-hashes -r requirements.txt" in DOCKERFILE
    assert re.search(r"^USER (?!root)\w+", DOCKERFILE, re.MULTILINE)
    for package in ("billing", "workflows", "activities", "workers", "starter"):
        assert f"COPY {package} {package}" in DOCKERFILE
        assert f"!{package}" in (ROOT / ".dockerignore").read_text().split()
    for needed in re.findall(r"(?:lib|fonts-)\S+", re.search(r'packages="([^"]+)"', system_packages())[1]):  # type: ignore[index]
        assert needed in DOCKERFILE


def system_packages() -> str:
    return (ROOT / "scripts" / "system-packages").read_text()
