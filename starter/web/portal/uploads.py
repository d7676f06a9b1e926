"""What comes in by a form with files: bounded before it is read, and believed only by its content."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.types import Message

from activities.languages.catalogue import message

MOST_FILES = 5
LARGEST_FILE = 5 * 1024 * 1024
LARGEST_FORM = 16 * 1024 * 1024
_LONGEST_NAME = 120

TOO_MANY_FILES = message("Please send no more than five files.")
FILE_TOO_LARGE = message("A file is larger than 5 MB. Please send a smaller one.")
FILE_OF_OTHER_KIND = message("Please send PDF files, pictures (PNG, JPEG, WebP) or plain text.")


class NotTaken(Exception):
    """A form that is not carried out; the message is one of the catalogue's."""


@dataclass(frozen=True)
class Upload:
    """A file as it came: its name without folders, and the type its content has."""

    name: str
    media_type: str
    data: bytes = field(repr=False)


@dataclass(frozen=True)
class Sent:
    """The fields of a form, stripped; `lines` are all values of the field of that name."""

    fields: dict[str, str]
    lines: tuple[str, ...] = ()
    files: tuple[UploadFile, ...] = ()


async def read(request: Request) -> Sent:
    """A form of the portal; 413 as soon as it is larger than any, 400 for what is no form."""
    bounded = Request(request.scope, _counted(request))
    try:
        form = await bounded.form(max_files=MOST_FILES + 1, max_fields=400, max_part_size=64 * 1024)
    except MultiPartException as error:
        raise HTTPException(400) from error
    items = form.multi_items()
    texts = {key: value.replace("\0", "").strip() for key, value in items if isinstance(value, str)}
    lines = tuple(value for key, value in items if key == "line" and isinstance(value, str))
    files = tuple(
        value for _, value in items if isinstance(value, UploadFile) and (value.size or value.filename)
    )
    return Sent(texts, lines, files)


async def taken(files: Sequence[UploadFile]) -> list[Upload]:
    """The files as they may be kept. `NotTaken` for too many, one too large, or of a kind nobody here opens."""
    if len(files) > MOST_FILES:
        raise NotTaken(TOO_MANY_FILES)
    found = []
    for each in files:
        data = await each.read(LARGEST_FILE + 1)
        if len(data) > LARGEST_FILE:
            raise NotTaken(FILE_TOO_LARGE)
        kind = kind_of(data)
        if kind is None:
            raise NotTaken(FILE_OF_OTHER_KIND)
        found.append(Upload(_name(each.filename or ""), kind, data))
    return found


def kind_of(data: bytes) -> str | None:
    """The media type by the content, whatever the sender says; None for every other kind."""
    beginnings = (
        (b"%PDF-", "application/pdf"),
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"\xff\xd8\xff", "image/jpeg"),
    )
    known = next((kind for beginning, kind in beginnings if data.startswith(beginning)), None)
    if known is not None:
        return known
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return "text/plain" if _is_text(data) else None


def _is_text(data: bytes) -> bool:
    """Text without what a browser or shell would take for more."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return False
    start = text.lstrip()[:1]
    return bool(start) and start not in "<#{" and all(each.isprintable() or each in "\r\n\t" for each in text)


def _name(given: str) -> str:
    bare = given.replace("\\", "/").rpartition("/")[2]
    kept = "".join(each for each in bare if each.isprintable()).strip()
    stem, dot, ending = kept.rpartition(".")
    return (f"{stem[: _LONGEST_NAME - len(ending) - 1]}{dot}{ending}" if dot else kept)[
        :_LONGEST_NAME
    ] or "file"


def _counted(request: Request):  # type: ignore[no-untyped-def]
    came = 0

    async def receive() -> Message:
        nonlocal came
        part = await request.receive()
        came += len(part.get("body", b""))
        if came > LARGEST_FORM:
            raise HTTPException(413)
        return part

    return receive
