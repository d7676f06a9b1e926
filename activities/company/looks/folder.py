"""`templates/` read whole: the look of each issuer with the files it may use, and all that is wrong with them."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from activities.company.looks.blocks import block_problems
from activities.company.looks.catalogues import catalogue_problems
from activities.company.looks.fonts import font_problems
from activities.company.looks.images import image_problems
from activities.company.looks.styles import style_problems
from activities.company.problems import KeyPath, Problem, did_you_mean
from activities.company.yaml_reader import Document
from activities.documents.assets import FONTS, IMAGES
from activities.documents.colour import contrast
from activities.documents.look import BLOCKS, LANGUAGES, STYLE, LookFiles
from activities.documents.page_templates import COMPANY_FOLDER
from billing.complaints import Records
from billing.looks import Look

LOOKS = "looks.yaml"
MOST_OF_A_FILE, MOST_OF_A_LOOK = 2 * 1024 * 1024, 8 * 1024 * 1024
_MOST_FILES = 500
_VISIBLE = 3.0
"""The contrast WCAG 2 asks of lines and large letters."""


@dataclass(frozen=True)
class LooksReading:
    """The looks of a company folder by their issuer, and what is wrong in `templates/`."""

    looks: Mapping[str, LookFiles] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def read_looks(
    folder: Path, records: Records[Look], document: Document | None, issuers: Collection[str]
) -> LooksReading:
    """Reads the folder `templates/` of a company. `records` are the looks written in its `looks.yaml`.

    Where there are files and an issuer has no look written down, it has Billow's with these files.
    """
    place = folder / COMPANY_FOLDER
    if not place.is_dir():
        return LooksReading()
    files, problems = _files(place)
    problems += _records_problems(records, document, issuers)
    problems += [problem for file in files for problem in _file_problems(file, files, issuers)]
    written = {look.id: look for look in records.read.values()}
    looks = {}
    for issuer in issuers:
        own = {name: data for name, data in files.items() if _belongs(name, issuer, issuers)}
        if issuer in written or own:
            looks[issuer] = LookFiles(written.get(issuer, Look(id=issuer)), own)
    if document is not None:
        problems += _named_files(records, document, looks)
    problems += _too_large(looks)
    return LooksReading(looks, [*dict.fromkeys(problems)])


def _files(place: Path) -> tuple[dict[str, bytes], list[Problem]]:
    """Every file a look may use, by its path below `templates/`; what only lies there is told."""
    files: dict[str, bytes] = {}
    problems: list[Problem] = []
    inside = place.resolve()
    for path in sorted(_walk(place)):
        name = path.relative_to(place).as_posix()
        if name == LOOKS or _is_nobodys(path.name):
            continue
        file = COMPANY_FOLDER + name
        if len(files) >= _MOST_FILES:
            problems.append(Problem(file, 1, "", f"more than {_MOST_FILES} files; remove what no look uses"))
            break
        if not path.resolve().is_relative_to(inside):
            problems.append(Problem(file, 1, "", "a link that leads out of templates/; copy the file here"))
            continue
        try:
            size = path.stat().st_size
            if size > MOST_OF_A_FILE:
                message = (
                    f"{size / 1024 / 1024:.1f} MB are too large, 2 MB is the most; make the file smaller"
                )
                problems.append(Problem(file, 1, "", message))
                continue
            files[name] = path.read_bytes()
        except OSError as error:
            problems.append(Problem(file, 1, "", f"cannot be read: {error.strerror or error}"))
    return files, problems


def _walk(place: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(place):
        folders[:] = sorted(each for each in folders if not each.startswith("."))
        yield from (Path(folder) / name for name in names)


def _is_nobodys(name: str) -> bool:
    """What editors, systems and people leave beside files."""
    return name.startswith((".", "README")) or name.endswith(("~", ".swp", ".md"))


def _belongs(name: str, issuer: str, issuers: Collection[str]) -> bool:
    """Whether the issuer's look has the file: all but what lies in another issuer's folder, and is of a known kind."""
    first, _, rest = name.partition("/")
    if rest and first in issuers and first != issuer:
        return False
    return _kind(name, issuers) is not None


def _kind(name: str, issuers: Collection[str]) -> str | None:
    """What a file is for, by its place and ending; None if it is for nothing."""
    first, _, rest = name.partition("/")
    inner = rest if rest and first in issuers else name
    if inner == STYLE:
        return "style"
    for kind, folder, ending in (("block", BLOCKS, ".html"), ("catalogue", LANGUAGES, ".po")):
        if inner.startswith(folder) and inner.endswith(ending) and inner.count("/") == 1:
            return kind
    if inner.lower().endswith(IMAGES):
        return "image"
    return "font" if inner.lower().endswith(FONTS) else None


def _file_problems(name: str, files: Mapping[str, bytes], issuers: Collection[str]) -> Iterator[Problem]:
    file, data, kind = COMPANY_FOLDER + name, files[name], _kind(name, issuers)
    if kind is None:
        yield Problem(file, 1, "", f"this file is not read{_meant(name, issuers)}", warning=True)
    elif not data:
        yield Problem(file, 1, "", "the file is empty; remove it, or write what belongs into it")
    elif kind == "image":
        yield from image_problems(file, data)
    elif kind == "font":
        yield from font_problems(file, data)
    elif kind == "catalogue":
        yield from catalogue_problems(file, data)
    else:
        check = style_problems if kind == "style" else block_problems
        yield from check(file, data, _assets_beside(name, files, issuers))


def _assets_beside(name: str, files: Mapping[str, bytes], issuers: Collection[str]) -> set[str]:
    """The names by which a file may load assets: in every look it is part of."""
    first, _, rest = name.partition("/")
    looks = [first] if rest and first in issuers else list(issuers) or [""]
    names = []
    for issuer in looks:
        own = [
            each
            for each in files
            if _belongs(each, issuer, issuers) and _kind(each, issuers) in ("image", "font")
        ]
        names.append({*own, *(each.removeprefix(f"{issuer}/") for each in own)})
    return set.intersection(*names)


def _meant(name: str, issuers: Collection[str]) -> str:
    first, _, rest = name.partition("/")
    folders = [f"{issuer}/" for issuer in issuers]
    if rest and first not in issuers:
        meant = did_you_mean(first, [*issuers, BLOCKS.rstrip("/"), LANGUAGES.rstrip("/")])
        if meant:
            return meant
    known = [LOOKS, STYLE, *(folder + STYLE for folder in folders)]
    meant = did_you_mean(name, known)
    if meant:
        return meant
    return (
        f"; read are {LOOKS}, {STYLE}, {BLOCKS}*.html, {LANGUAGES}*.po, pictures ({' '.join(IMAGES)}), "
        f"fonts ({' '.join(FONTS)}), and the same in a folder called like an issuer"
    )


def _records_problems(
    records: Records[Look], document: Document | None, issuers: Collection[str]
) -> Iterator[Problem]:
    """A look is of an issuer that is there, and each has one."""
    seen: set[str] = set()
    for position, look in records.read.items():
        if document is None:
            return
        if issuers and look.id not in issuers:
            advice = did_you_mean(look.id, [*issuers]) or f"; there is: {', '.join(issuers)}"
            yield document.problem((position, "id"), f"there is no issuer {look.id!r}{advice}")
        if look.id in seen:
            yield document.problem((position, "id"), f"{look.id!r} has a look already; remove one of the two")
        seen.add(look.id)


def _named_files(
    records: Records[Look], document: Document, looks: Mapping[str, LookFiles]
) -> Iterator[Problem]:
    """The logo and the fonts a look names are there, and are what they should be."""
    for position, look in records.read.items():
        if look.accent and contrast(look.accent, "#ffffff") < _VISIBLE:
            message = f"{look.accent} hardly shows on white; text in it is darkened until it can be read"
            yield document.problem((position, "accent"), message, warning=True)
        files = looks.get(look.id)
        if files is None:
            continue
        named: list[tuple[KeyPath, str, tuple[str, ...], str]] = []
        if look.logo is not None:
            named.append(((position, "logo"), look.logo, IMAGES, "picture"))
        for key in ("text_fonts", "heading_fonts"):
            fonts = enumerate(getattr(look, key))
            named += [((position, key, at), name, FONTS, "font") for at, name in fonts]
        for path, name, endings, kind in named:
            if not name.lower().endswith(endings):
                yield document.problem(
                    path, f"{name!r} is no {kind}; name a file that ends in {' '.join(endings)}"
                )
            elif files.asset(name) is None:
                there = [each for each in files.files if each.lower().endswith(endings)]
                advice = did_you_mean(name, there) or f"; put it into {COMPANY_FOLDER}"
                yield document.problem(path, f"there is no file {name!r}{advice}")


def _too_large(looks: Mapping[str, LookFiles]) -> Iterator[Problem]:
    for issuer, look in looks.items():
        size = sum(map(len, look.files.values()))
        if size > MOST_OF_A_LOOK:
            message = (
                f"the files of the look of {issuer} have {size / 1024 / 1024:.1f} MB together, 8 MB are the most; "
                "remove fonts and pictures that no document uses"
            )
            yield Problem(COMPANY_FOLDER + LOOKS, 1, "", message)
