"""Schemas of the company's files: they take what Billow takes, and object where it would."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml
from click.testing import CliRunner

from activities.company.folder import read_folder
from activities.company.sample import write_sample, write_starter
from activities.company.schemas import SHAPES, name_of, schema_of
from starter.cli import main

TODAY = date(2026, 11, 22)


class Core(yaml.SafeLoader):
    """Reads as editors do, by the core schema of YAML 1.2: days and times of day are text."""


Core.yaml_implicit_resolvers = {}
for tag, pattern, first in (
    ("null", r"~|null|", "~n"),
    ("bool", r"true|false", "tf"),
    ("int", r"-?[0-9]+", "-0123456789"),
    ("float", r"-?[0-9]+\.[0-9]+", "-0123456789"),
):
    Core.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(f"^(?:{pattern})$"), list(first))


def written(path: Path) -> Any:
    """What stands in a file."""
    return yaml.load(path.read_text(), Loader=Core)


def faults(file: str, data: Any) -> list[str]:
    """What the schema of a file objects to, by place."""
    found = jsonschema_rs.validator_for(schema_of(file)).iter_errors(data)
    return [f"{file}: {each.instance_path}: {each.message}" for each in found]


@pytest.mark.parametrize("write", [write_sample, write_starter])
def test_takes_what_billow_takes(tmp_path: Path, write: Callable[[Path, date], None]) -> None:
    """Every file of both samples is as its schema says."""
    folder = tmp_path / "company"
    write(folder, TODAY)
    assert read_folder(folder, TODAY).company is not None
    there = [file for file in SHAPES if (folder / file).is_file()]
    assert len(there) >= 7
    assert [fault for file in there for fault in faults(file, written(folder / file))] == []


WRONG: list[tuple[str, Callable[[Any], object]]] = [
    ("company.yaml", lambda data: data.update(nam="x")),
    ("clients.yaml", lambda data: data[0].update(curency="EUR")),
    ("clients.yaml", lambda data: data[0].pop("crm")),
    ("agreements.yaml", lambda data: data[0].update(model="subscription")),
    ("agreements.yaml", lambda data: data[0].pop("model")),
    ("approvals.yaml", lambda data: data["tiers"][0].update(channels=["fax"])),
    ("people.yaml", lambda data: data.append("me")),
]


@pytest.mark.parametrize(("file", "spoil"), WRONG)
def test_objects(tmp_path: Path, file: str, spoil: Callable[[Any], object]) -> None:
    """A key nobody knows, one that is missing, a word that is none of the choices: an editor underlines it."""
    folder = tmp_path / "company"
    write_starter(folder, TODAY)
    data = written(folder / file)
    spoil(data)
    assert faults(file, data)


def test_command(tmp_path: Path) -> None:
    """`billow schema` prints one, or writes all of them; an unknown file is named with those there are."""
    run = CliRunner().invoke
    printed = run(main, ["schema", "tax/rules.yaml"])
    assert json.loads(printed.output)["title"] == "Billow: tax/rules.yaml"
    made = run(main, ["schema", "-o", str(tmp_path / "schemas")])
    assert made.exit_code == 0
    assert {each.name for each in (tmp_path / "schemas").iterdir()} == {name_of(file) for file in SHAPES}
    assert run(main, ["schema"]).exit_code == 2
    unknown = run(main, ["schema", "client.yaml"])
    assert unknown.exit_code == 1
