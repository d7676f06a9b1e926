"""Tax rules ask no clock, network or database: their data are files of the package, and nothing else is read."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

TAXES = Path(__file__).parents[2] / "billing" / "taxes"
MODULES = sorted(each for each in TAXES.glob("*.py"))

ALLOWED = {"__future__", "billing", "calendar", "collections", "dataclasses", "datetime", "decimal", "enum"}
ALLOWED |= {
    "functools",
    "importlib",
    "itertools",
    "operator",
    "pydantic",
    "re",
    "stdnum",
    "tomllib",
    "typing",
}

CALLS = {"open", "eval", "exec", "__import__", "input", "print"}
CLOCKS = {"today", "now", "utcnow", "fromtimestamp"}


def imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def called(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Functions by bare name, and methods by theirs, with the text of the arguments."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", "") or getattr(node.func, "attr", "")
            yield name, ", ".join(ast.unparse(each) for each in node.args)


def faults(source: str) -> list[str]:
    """What in a module of tax rules reaches outside."""
    tree = ast.parse(source)
    found = [name for name in imported(tree) if name.partition(".")[0] not in ALLOWED]
    found += [f"{name}()" for name, _ in called(tree) if name in CALLS | CLOCKS]
    found += [
        f"files({where})"
        for name, where in called(tree)
        if name == "files" and where != "'billing.taxes.data'"
    ]
    return found


@pytest.mark.parametrize("module", MODULES, ids=lambda each: each.stem)
def test_no_rule_reaches_outside(module: Path) -> None:
    """Only the standard library's pure parts, pydantic and stdnum; files only from billing.taxes.data."""
    assert faults(module.read_text("utf-8")) == []


def test_modules_are_looked_at() -> None:
    """The rules are where this test looks."""
    assert {"decision", "european_union", "rates", "dated", "company_rules"} <= {
        each.stem for each in MODULES
    }


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ("import socket", "socket"),
        ("import urllib.request", "urllib.request"),
        ("from datetime import date\ndate.today()", "today()"),
        ("open('rates.toml')", "open()"),
        ("from importlib import resources\nresources.files('activities')", "files('activities')"),
    ],
)
def test_what_reaches_outside_is_caught(source: str, fault: str) -> None:
    """A clock, a network, a file of elsewhere: each is a fault."""
    assert faults(source) == [fault]
