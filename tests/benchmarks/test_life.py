"""The benchmark of lives: it runs, and what it names is there."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.life import ENDINGS, Life, Measured
from tests.replay.histories import kept

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", ENDINGS)
def test_stories_are_there(name: str) -> None:
    """Each ending is a story that records its history under that name."""
    _, story = ENDINGS[name]
    file, _, test = story.partition("::")
    text = (ROOT / "tests" / "stories" / file).read_text()
    assert f"async def {test}(" in text and f'"{name}"' in text.partition(f"async def {test}(")[2]
    assert name in {path.stem for path in kept()}


def test_one_ending() -> None:
    """One ending, told on an engine of its own: one JSON document, with what it cost and what it may cost."""
    ended = subprocess.run(
        [sys.executable, "-m", "benchmarks", "life", "--ending", "rejected", "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert ended.returncode == 0, ended.stderr
    told = json.loads(ended.stdout)
    (life,) = told["lives"]
    assert told["failed"] == [] and life["name"] == "rejected"
    # triggered and assembled, asked for approval, the decision's wake-up: started, two activities, what is shown
    assert (life["activities"], life["actions"], life["most_actions"]) == (2, 6, 10)
    assert (
        0 < life["bytes"] <= life["most_bytes"] and life["events"] > life["actions"] and life["seconds"] > 0
    )


def test_table() -> None:
    """Every line fits a terminal; a story that fails is named."""
    wide = [
        Life(name, words, 9999, 999, 999, 999, 99 << 10, 99 << 10, 99.9)
        for name, (words, _) in ENDINGS.items()
    ]
    lines = str(Measured(tuple(wide), ("test_voided.py::test_x",))).splitlines()
    assert max(map(len, lines)) <= 80 and len(lines) == len(ENDINGS) + 3
    assert lines[-1] == "not told to the end: test_voided.py::test_x"
