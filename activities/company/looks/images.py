"""Logos and other pictures: whether they are what they are called, and safe to print into PDF/A."""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BytesIO

from lxml import etree
from PIL import Image

from activities.company.problems import Problem

_FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG"}
_MOST_PIXELS = 25_000_000
_URL = re.compile(r"url\(\s*['\"]?\s*([^'\")]*)", re.IGNORECASE)
_FOREIGN = ("script", "foreignObject", "iframe", "object", "embed", "audio", "video", "handler", "listener")
_LINKS = ("href", "{http://www.w3.org/1999/xlink}href", "src")


def image_problems(file: str, data: bytes) -> Iterator[Problem]:
    """What is wrong with a picture; its kind is that of its name's ending."""
    ending = file[file.rfind(".") :].lower()
    if ending == ".svg":
        yield from _svg_problems(file, data)
        return
    wanted = _FORMATS[ending]
    try:
        with Image.open(BytesIO(data)) as image:
            found, mode, (width, height) = image.format, image.mode, image.size
            if width * height <= _MOST_PIXELS:
                image.load()
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        yield Problem(file, 1, "", f"this is no {wanted} picture that can be read; export it again")
        return
    if found != wanted:
        yield Problem(file, 1, "", f"this is a {found} picture; call it so, or export it as {wanted}")
    elif width * height > _MOST_PIXELS:
        yield Problem(file, 1, "", f"{width} × {height} pixels are too many; 1,500 in width print well")
    elif mode == "CMYK":
        yield Problem(file, 1, "", "the colours are CMYK, which the archive format forbids; export it as RGB")


def _svg_problems(file: str, data: bytes) -> Iterator[Problem]:
    """An SVG is drawn by itself alone: no script, nothing from elsewhere, no entities."""
    if re.search(rb"<!(DOCTYPE|ENTITY)", data):
        line = data[: data.find(b"<!")].count(b"\n") + 1
        yield Problem(file, line, "", "a DOCTYPE or entities stand in the SVG; export it as plain SVG")
        return
    try:
        root = etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError as error:
        yield Problem(file, error.lineno or 1, "", f"this is no SVG: {error.msg}; export it again")
        return
    if etree.QName(root).localname != "svg":
        yield Problem(file, 1, "", f"this is no SVG: it begins with <{etree.QName(root).localname}>")
        return
    if not root.get("viewBox") and not (root.get("width") and root.get("height")):
        yield Problem(file, 1, "", "the SVG has no size; give it a viewBox, or width and height")
    for element in root.iter(etree.Element):
        yield from _element_problems(file, element)


def _element_problems(file: str, element: etree._Element) -> Iterator[Problem]:
    line = element.sourceline or 1
    name = etree.QName(element).localname
    if name in _FOREIGN:
        yield Problem(file, line, "", f"<{name}> has no place in a picture on paper; remove it")
        return
    for key, value in element.attrib.items():
        if str(key).lower().startswith("on"):
            yield Problem(file, line, "", f"the attribute {key} is a script; remove it")
        elif key in _LINKS and not str(value).startswith("#"):
            yield Problem(file, line, "", _elsewhere(name, str(value)))
    styles = [str(value) for value in element.attrib.values()]
    styles += [element.text or ""] if name == "style" else []
    for style in styles:
        if "@import" in style:
            yield Problem(file, line, "", "@import loads what is not in the file; remove it")
        for target in _URL.findall(style):
            if not target.startswith("#"):
                yield Problem(file, line, "", _elsewhere(name, target))


def _elsewhere(name: str, target: str) -> str:
    shown = target if len(target) <= 40 else target[:39] + "…"
    return f"<{name}> names {shown!r}; a picture loads nothing: draw it as paths, or use PNG or JPEG"
