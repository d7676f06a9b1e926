"""Blocks of templates that a look overrides: whether they are there to be overridden, compile, and load nothing."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from jinja2 import TemplateSyntaxError, nodes

from activities.company.looks.styles import reference_problem
from activities.company.problems import Problem, did_you_mean
from activities.documents.look import BLOCKS, PLAIN
from activities.documents.page_templates import block_names, environment

_FORBIDDEN = re.compile(
    r"<(script|iframe|object|embed|link|base|form|meta|frame|applet|audio|video)\b", re.IGNORECASE
)
_LOADED = re.compile(
    r"<(?:img|image|use|input|source)\b[^>]*?\s(?:src|href|xlink:href)\s*=\s*(['\"])(.*?)\1",
    re.IGNORECASE | re.DOTALL,
)
_STYLED = re.compile(r"url\(\s*(['\"]?)(.*?)\1\s*\)", re.IGNORECASE)
_FOREIGN = (nodes.Include, nodes.Extends, nodes.FromImport, nodes.Import)


def block_problems(file: str, data: bytes, assets: Collection[str]) -> Iterator[Problem]:
    """What can be said of a block without data; `assets` are the names it may load as `asset:…`."""
    name = file.rsplit(BLOCKS, 1)[-1].removesuffix(".html")
    known = block_names()
    if name not in known:
        advice = did_you_mean(name, sorted(known)) or f"; there are: {', '.join(sorted(known))}"
        yield Problem(file, 1, "", f"no document has a block {name!r}{advice}")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        yield Problem(file, line, "", "not UTF-8 text; save the file as UTF-8")
        return
    yield from _syntax(file, text)
    yield from _markup(file, text, assets)


def _syntax(file: str, text: str) -> Iterator[Problem]:
    try:
        tree = environment(PLAIN).parse(text)
    except TemplateSyntaxError as error:
        yield Problem(file, error.lineno, "", f"broken template: {_sentence(error.message or '')}")
        return
    for node in tree.find_all(_FOREIGN):
        message = "a block includes, extends and imports nothing; write its content here"
        yield Problem(file, node.lineno, "", message)
    for node in tree.find_all(nodes.Block):
        message = (
            f"the block {node.name!r} stands inside a file of blocks; write it to {BLOCKS}{node.name}.html"
        )
        yield Problem(file, node.lineno, "", message)


def _markup(file: str, text: str, assets: Collection[str]) -> Iterator[Problem]:
    for found in _FORBIDDEN.finditer(text):
        yield Problem(file, _line(text, found), "", f"<{found[1]}> has no place on paper; remove it")
    for found in [*_LOADED.finditer(text), *_STYLED.finditer(text)]:
        problem = None
        if "{{" not in found[2]:
            problem = reference_problem(file, _line(text, found), found[2], assets)
        if problem:
            yield problem


def _line(text: str, found: re.Match[str]) -> int:
    return text[: found.start()].count("\n") + 1


def _sentence(message: str) -> str:
    return message[:1].lower() + message[1:].rstrip(".")
