"""What is installed is locked, whole, and says nothing about where it was fetched from."""

import re
import tomllib
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).parents[2]
LOCK = (ROOT / "requirements.txt").read_text()
ENTRY = re.compile(
    r"^([a-z0-9-]+)==([^ ;]+)(?: ; [^\\\n]+)? \\\n((?: +--hash=sha256:[0-9a-f]{64}(?: \\)?\n?)+)",
    re.MULTILINE,
)


def name_of(requirement: str) -> str:
    return re.split(r"[\[<>=!~; ]", requirement, maxsplit=1)[0].lower().replace("_", "-")


def test_every_package_has_a_version_and_hashes() -> None:
    """Nothing but exact versions with their SHA-256 stands in the lock: no address, no option."""
    assert ENTRY.sub("", LOCK).strip() == ""
    assert "://" not in LOCK
    assert "--index" not in LOCK


def test_everything_asked_for_is_locked() -> None:
    """Each package pyproject.toml asks for is in the lock."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    asked = [*project["project"]["dependencies"], *project["build-system"]["requires"]]
    for extra in project["project"]["optional-dependencies"].values():
        asked += extra
    assert {name_of(requirement) for requirement in asked} <= {match[1] for match in ENTRY.finditer(LOCK)}


def test_environment_follows_the_lock() -> None:
    """These tests run with the locked versions."""
    locked = {match[1]: match[2] for match in ENTRY.finditer(LOCK)}
    for name in ("temporalio", "pydantic", "sqlalchemy", "weasyprint", "pytest"):
        assert version(name) == locked[name]
