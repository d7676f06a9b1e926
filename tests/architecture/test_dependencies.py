"""What the program imports is what it asks for."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).parents[2]
OURS = {"billing", "workflows", "activities", "workers", "starter"}


def imported(package: str) -> set[str]:
    """The top-level modules a package imports to run, its own and the standard library's left out."""
    found: set[str] = set()
    for path in (ROOT / package).rglob("*.py"):
        for node in run(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.partition(".")[0])
    return found - OURS - set(sys.stdlib_module_names)


def run(module: ast.Module) -> Iterator[ast.AST]:
    """The parts of a module that run; what stands under `if TYPE_CHECKING` is for the type checker alone."""
    todo: list[ast.AST] = [module]
    while todo:
        node = todo.pop()
        yield node
        for_types = isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        todo += [] if for_types else ast.iter_child_nodes(node)


def name_of(requirement: str) -> str:
    return re.split(r"[\[<>=!~; ]", requirement, maxsplit=1)[0].lower().replace("_", "-")


def test_every_import_is_asked_for() -> None:
    """Each third-party module the program imports belongs to a package pyproject.toml names for running it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = {name_of(requirement) for requirement in project["dependencies"]}
    owners = packages_distributions()
    missing = {
        module: package
        for package in OURS
        for module in imported(package)
        if not asked & {name_of(owner) for owner in owners.get(module, [])}
    }
    assert missing == {}
