"""The description of the API as a page: made here, so that it needs no network and no script."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import HTMLResponse

from starter.web import problem_types


def page_of(describe: Callable[[], dict[str, Any]]) -> Callable[[Request], HTMLResponse]:
    """What shows the page; it is made when somebody asks first."""

    @cache
    def content() -> str:
        described = describe()
        environment = Environment(
            loader=PackageLoader("starter.web"), autoescape=True, trim_blocks=True, lstrip_blocks=True
        )
        environment.filters |= {"kind": kind_of, "fragment": fragment, "coded": coded}
        return environment.get_template("api_docs.html").render(
            about=described["info"]["description"],
            groups=_groups(described),
            schemas=described["components"]["schemas"],
            problems=problem_types.TYPES,
        )

    def page(_request: Request) -> HTMLResponse:
        return HTMLResponse(content())

    return page


def _groups(described: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Operations by what they are about, in the order they are written."""
    groups: dict[str, list[dict[str, Any]]] = {}
    base = described["servers"][0]["url"]
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            shown = operation | {"method": method.upper(), "path": f"{base}{path}"}
            groups.setdefault(operation["tags"][0], []).append(shown)
    return groups


def fragment(name: str) -> str:
    """A name as the id of a place on the page."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", name)


def coded(text: str) -> Markup:
    """The text with what stands between backticks as code."""
    pieces = text.split("`")
    return Markup("").join(
        Markup("<code>{}</code>").format(each) if number % 2 else escape(each)
        for number, each in enumerate(pieces)
    )


def kind_of(schema: dict[str, Any]) -> list[tuple[str, str]]:
    """A schema in a few words: pieces of text, each with the place it leads to, empty for none."""
    if "$ref" in schema:
        name = str(schema["$ref"]).rsplit("/", 1)[-1]
        return [(name, f"schema-{fragment(name)}")]
    if "enum" in schema:
        return [(", ".join("null" if each is None else str(each) for each in schema["enum"]), "")]
    for joined in ("anyOf", "oneOf"):
        if joined in schema:
            pieces: list[tuple[str, str]] = []
            for each in schema[joined]:
                pieces += ([(" or ", "")] if pieces else []) + kind_of(each)
            return pieces
    if "const" in schema:
        return [(str(schema["const"]), "")]
    if schema.get("type") == "array":
        inner = schema.get("items") or (schema.get("prefixItems") or [{}])[0]
        return [("list of ", ""), *kind_of(inner)]
    if schema.get("type") == "object" and isinstance(schema.get("additionalProperties"), dict):
        return [("object of ", ""), *kind_of(schema["additionalProperties"])]
    said = str(schema.get("type", "anything"))
    return [(f"{said} ({schema['format']})" if "format" in schema else said, "")]
