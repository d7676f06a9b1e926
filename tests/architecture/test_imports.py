"""The line of imports is held by a linter that really looks."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("lint-imports")
    command = [str(program), "--config", str(ROOT / "pyproject.toml"), "--no-cache"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def miniature(folder: Path, **modules: str) -> Path:
    """The five packages, empty but for the given modules."""
    for package in ("billing", "workflows", "activities", "workers", "starter"):
        (folder / package).mkdir()
        (folder / package / "__init__.py").touch()
    for package, code in modules.items():
        (folder / package / "module.py").write_text(code)
    return folder


def test_the_line_is_kept() -> None:
    """starter → workers → activities → workflows → billing, and rules and story without effects."""
    linted = lint(ROOT)
    assert linted.returncode == 0, linted.stdout


def test_a_step_back_is_caught(tmp_path: Path) -> None:
    """A workflow that imports an activity breaks the line."""
    linted = lint(miniature(tmp_path, workflows="import activities.module", activities="x = 1"))
    assert linted.returncode == 1
    assert "workflows.module -> activities.module" in linted.stdout


def test_a_clock_in_the_rules_is_caught(tmp_path: Path) -> None:
    """A rule that imports time, or a workflow that imports SQLAlchemy, breaks its contract."""
    linted = lint(miniature(tmp_path, billing="import time", workflows="import sqlalchemy"))
    assert linted.returncode == 1
    assert "billing.module -> time" in linted.stdout
    assert "workflows.module -> sqlalchemy" in linted.stdout
