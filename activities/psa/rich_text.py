"""Text of the Atlassian Document Format, in which Jira keeps comments, as plain text.

SOURCE: https://developer.atlassian.com/cloud/jira/platform/apis/document/structure/
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_LINES = frozenset({"paragraph", "heading", "listItem", "codeBlock", "blockquote", "rule", "tableRow"})


def plain(document: Any) -> str:
    """The words of a document, its paragraphs in lines; plain text as it is, and nothing of what is neither."""
    if isinstance(document, str):
        return document
    lines = (" ".join(line.split()) for line in _text(document).splitlines())
    return "\n".join(line for line in lines if line)


def _text(node: Any) -> str:
    if not isinstance(node, Mapping):
        return ""
    kind, attributes = node.get("type"), node.get("attrs")
    if kind == "text":
        return str(node.get("text", ""))
    if kind == "hardBreak":
        return "\n"
    if kind in ("mention", "emoji") and isinstance(attributes, Mapping):
        return str(attributes.get("text", ""))
    content = node.get("content")
    inside = "".join(map(_text, content)) if isinstance(content, list) else ""
    return f"{inside}\n" if kind in _LINES else inside
