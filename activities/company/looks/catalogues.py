"""Own catalogues of a look: whether Billow can read them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BytesIO

from babel.messages.pofile import PoFileError, read_po

from activities.company.problems import Problem
from activities.languages.catalogue import CatalogueFaulty, catalogue

_BEGINS = re.compile(r"\s*(?:msg(?:id|id_plural|str(?:\[\d\])?|ctxt)\s+)?\"")
_LINE = re.compile(r"\bline (\d+): ")


def catalogue_problems(file: str, data: bytes) -> Iterator[Problem]:
    """What is wrong with a gettext catalogue called `<language>.po`."""
    language = file.rsplit("/", 1)[-1].removesuffix(".po")
    if not re.fullmatch("[a-z]{2}", language):
        yield Problem(file, 1, "", f"{language!r} is no language; call the file de.po, sv.po …")
        return
    for number, row in enumerate(data.decode("utf-8", "replace").splitlines(), start=1):
        text = row.strip().partition('"')[2]
        if _BEGINS.match(row) and not (text.endswith('"') and not text.endswith('\\"')):
            yield Problem(file, number, "", "a text is opened and not closed; end the line with a quote")
            return
    try:
        read_po(BytesIO(data), abort_invalid=True)
    except PoFileError as error:
        message = f"broken catalogue: {error.args[0] if error.args else error}"
        yield Problem(file, (error.lineno or 0) + 1, "", message)
        return
    except (ValueError, LookupError) as error:
        yield Problem(file, 1, "", f"this catalogue cannot be read: {error}; save it as UTF-8")
        return
    try:
        catalogue(language, data)
    except CatalogueFaulty as error:
        found = _LINE.search(str(error))
        yield Problem(file, int(found[1]) if found else 1, "", _LINE.sub("", str(error)))
