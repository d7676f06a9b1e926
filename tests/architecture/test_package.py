"""The built package carries everything the program needs."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("billing", "workflows", "activities", "workers", "starter")


def test_wheel_carries_every_file(tmp_path: Path) -> None:
    """Each file of the five packages, templates and migrations too, is in the wheel, and tests are not."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "README.md").touch()
    for package in PACKAGES:
        shutil.copytree(
            ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__", "*.pyc", ".*")
        )
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
        "-qq",
        ".",
    ]
    subprocess.run([*command, "--wheel-dir", str(tmp_path / "dist")], cwd=tmp_path, check=True)
    (wheel,) = (tmp_path / "dist").iterdir()
    carried = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    files = {
        path.relative_to(tmp_path).as_posix()
        for package in PACKAGES
        for path in (tmp_path / package).rglob("*")
        if path.is_file()
    }
    assert carried == files
