"""The look of one issuer's documents with all its files: what a renderer needs, in any process and on any machine."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from billing.looks import Look

STYLE = "style.css"
BLOCKS = "blocks/"
LANGUAGES = "languages/"


@dataclass(frozen=True, eq=False)
class LookFiles:
    """A look and its files, by their path below the company folder's `templates/`; equal where the digests are.

    What lies in the folder called like the issuer goes before what lies beside it. `files` is never changed.
    """

    look: Look | None = None
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)

    @cached_property
    def digest(self) -> str:
        """SHA-256, in hexadecimal, over the look and the names and contents of its files.

        A field that a later version of Billow has added does not count while it is left at its default.
        """
        content = {
            "look": self.look and self.look.model_dump(mode="json", exclude_defaults=True),
            "files": {name: hashlib.sha256(data).hexdigest() for name, data in self.files.items()},
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    @cached_property
    def style(self) -> str:
        """What is appended to the style sheet: the company's, then the issuer's own."""
        return "\n".join(
            self.files[name].decode("utf-8-sig") for name in self._everywhere(STYLE) if name in self.files
        )

    @cached_property
    def blocks(self) -> dict[str, str]:
        """The file of each block that is overridden, by the block's name."""
        return self._named(BLOCKS, ".html")

    @cached_property
    def languages(self) -> dict[str, bytes]:
        """Own catalogues (gettext .po) by language."""
        return {language: self.files[name] for language, name in self._named(LANGUAGES, ".po").items()}

    def asset(self, name: str) -> bytes | None:
        """A file that pages and style sheets may name as `asset:<name>`; None if the look has no such file."""
        own = self.look and self.files.get(f"{self.look.id}/{name}")
        return own or self.files.get(name)

    def _everywhere(self, name: str) -> list[str]:
        return [name, f"{self.look.id}/{name}"] if self.look else [name]

    def _named(self, folder: str, ending: str) -> dict[str, str]:
        """The files right in a folder, by their names without the ending."""
        return {
            name.removeprefix(place).removesuffix(ending): name
            for place in self._everywhere(folder)
            for name in sorted(self.files)
            if name.startswith(place) and name.endswith(ending) and "/" not in name.removeprefix(place)
        }

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LookFiles) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)


PLAIN = LookFiles()
"""The look of an issuer whose company has none of its own: that of Billow, in the issuer's accent."""
