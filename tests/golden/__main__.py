"""Draws the golden documents and the pictures of docs/looks.md anew: `make golden`, or `ARGS=` a part of their names.

Look at what has changed before it is committed.
"""

from __future__ import annotations

import sys

from tests.golden import illustrations, pictures
from tests.golden.documents import DOCUMENTS, EINVOICES


def main() -> None:
    asked = sys.argv[1:]
    pictures.FOLDER.mkdir(exist_ok=True)
    for name, render in DOCUMENTS.items():
        if asked and not any(part in name for part in asked):
            continue
        pdf = render()
        (pictures.FOLDER / f"{name}.txt").write_text(pictures.text_of(pdf), "utf-8")
        pictures.compact(pictures.picture_of(pdf)).save(pictures.FOLDER / f"{name}.png", optimize=True)
        sys.stdout.write(f"{name}\n")
    for name, document in EINVOICES.items():
        for path, xml in pictures.xml_of(name, document()):
            path.write_bytes(xml)
    if not asked:
        illustrations.draw()
        for path in pictures.FOLDER.iterdir():
            if path.stem not in DOCUMENTS:
                path.unlink()


if __name__ == "__main__":
    main()
