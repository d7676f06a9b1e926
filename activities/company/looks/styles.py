"""Style sheets of a look: what they may load, what is not understood, what is hard to read."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Any

import tinycss2
from tinycss2.color4 import parse_color

from activities.company.problems import Problem, did_you_mean
from activities.documents.colour import contrast

_READABLE = 4.5
_COLOUR, _GROUNDS = "color", ("background", "background-color")
_IGNORED = re.compile(r"Ignored `(?P<what>.*)` at (?P<line>\d+):\d+, (?P<why>.*?)\.?$", re.DOTALL)


def style_problems(file: str, data: bytes, assets: Collection[str]) -> Iterator[Problem]:
    """What is wrong with a style sheet; `assets` are the names it may load as `url(asset:…)`."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        yield Problem(file, line, "", "not UTF-8 text; save the file as UTF-8")
        return
    rules = tinycss2.parse_stylesheet(text, skip_comments=True, skip_whitespace=True)
    wrong = [*_loading(file, rules, assets)]
    yield from wrong
    for rule in _rules(rules):
        yield from _contrast(file, rule)
    if not wrong:
        yield from _not_understood(file, text)


def reference_problem(file: str, line: int, target: str, assets: Collection[str]) -> Problem | None:
    """What is wrong with naming this in `url()` or `src`; None if it is an asset that is there."""
    target = target.strip()
    if target.startswith("#"):
        return None
    scheme, colon, name = target.partition(":")
    if colon and scheme.lower() == "asset":
        if name in assets:
            return None
        advice = did_you_mean(name, [*assets]) or "; put the file into templates/"
        return Problem(file, line, "", f"there is no asset {name!r}{advice}")
    shown = target if len(target) <= 40 else target[:39] + "…"
    written = target.rsplit("/", 1)[-1]
    instead = (
        f"write asset:{written}" if written in assets else "put the file into templates/ and write asset:NAME"
    )
    return Problem(
        file, line, "", f"{shown!r} is not loaded: documents load nothing but their assets; {instead}"
    )


def _loading(file: str, nodes: Any, assets: Collection[str]) -> Iterator[Problem]:
    """What the sheet would load, wherever it stands; and what cannot be read."""
    for node in nodes or ():
        kind = node.type
        if kind == "error":
            yield Problem(file, node.source_line, "", f"broken CSS: {node.message}")
        elif kind == "at-rule" and node.lower_at_keyword == "import":
            yield Problem(file, node.source_line, "", "@import is not read; write its rules into this file")
            continue
        target = node.value if kind == "url" else None
        if kind == "function" and node.lower_name in ("url", "src"):
            target = "".join(each.value for each in node.arguments if each.type in ("string", "url"))
        if target is not None:
            problem = reference_problem(file, node.source_line, target, assets)
            if problem:
                yield problem
        for part in ("prelude", "content", "arguments"):
            yield from _loading(file, getattr(node, part, None), assets)


def _rules(nodes: Any) -> Iterator[Any]:
    for node in nodes:
        if node.type == "qualified-rule":
            yield node
        elif node.type == "at-rule" and node.content and node.lower_at_keyword == "media":
            yield from _rules(
                tinycss2.parse_rule_list(node.content, skip_comments=True, skip_whitespace=True)
            )


def _contrast(file: str, rule: Any) -> Iterator[Problem]:
    """Text in a colour that hardly stands out from the ground of the same rule, else from white."""
    declared = {
        each.lower_name: each
        for each in tinycss2.parse_blocks_contents(rule.content, skip_comments=True, skip_whitespace=True)
        if each.type == "declaration"
    }
    if _COLOUR not in declared:
        return
    text = _colour(declared[_COLOUR])
    ground_of = next((declared[name] for name in _GROUNDS if name in declared), None)
    ground = _colour(ground_of) if ground_of is not None else "#ffffff"
    if text is None or ground is None:
        return
    found = contrast(text, ground)
    if found < _READABLE and not (ground_of is None and text == "#ffffff"):
        on = "white" if ground == "#ffffff" else ground
        message = (
            f"{text} on {on} is hard to read: its contrast is {found:.1f} : 1, and {_READABLE} : 1 is asked for "
            "(WCAG 2); take a darker colour"
        )
        yield Problem(file, declared[_COLOUR].source_line, "", message, warning=True)


def _colour(declaration: Any) -> str | None:
    """The one opaque colour of a declaration as `#rrggbb`; None if there is none, or it is computed."""
    for token in declaration.value:
        colour = parse_color(token)
        if colour is not None and not isinstance(colour, str) and colour.alpha == 1:
            channels = colour.to("srgb").coordinates
            return "#" + "".join(f"{round(min(1, max(0, c)) * 255):02x}" for c in channels)
    return None


def _not_understood(file: str, text: str) -> Iterator[Problem]:
    """What WeasyPrint leaves out: unknown properties and values."""
    import weasyprint

    from activities.documents.weasyprint_log import weasyprint_warnings

    with weasyprint_warnings() as warnings:
        weasyprint.CSS(string=text, url_fetcher=_nothing)
    for warning in warnings:
        ignored = _IGNORED.match(warning)
        if ignored:
            what = " ".join(ignored["what"].split())
            message = f"{what[:60]!r} is left out: {ignored['why']}"
            yield Problem(file, int(ignored["line"]), "", message, warning=True)


def _nothing(url: str) -> Any:
    raise ValueError(f"{url} is not loaded while a style sheet is checked")
