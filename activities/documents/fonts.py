"""The fonts documents may use: which characters they have, and which they are."""

from __future__ import annotations

import hashlib
import os
import subprocess
from functools import lru_cache
from pathlib import Path

from billing.errors import BillowError

_CONFIGURATION = Path(__file__).with_name("fonts.xml")


class FontsMissing(BillowError):
    """The installed fonts cannot be listed, so no document can be rendered."""


def configure() -> None:
    """Leaves colour and bitmap fonts out of this process's Fontconfig, unless FONTCONFIG_FILE is set already.

    Works for configurations made afterwards; rendering and checking must see the same fonts.
    """
    os.environ.setdefault("FONTCONFIG_FILE", str(_CONFIGURATION))


@lru_cache(maxsize=1)
def coverage() -> bytes:
    """One byte for each Unicode code point: 1 where some installed font has it. Read once per process."""
    covered = bytearray(0x110000)
    for charset in set(_fc_list("%{charset}\n")):
        for span in charset.split():
            first, _, last = span.partition("-")
            start, end = int(first, 16), int(last or first, 16) + 1
            covered[start:end] = b"\x01" * (end - start)
    return bytes(covered)


@lru_cache(maxsize=1)
def installed_digest() -> str:
    """SHA-256 of families, styles and versions of the installed fonts."""
    faces = sorted(_fc_list("%{family}|%{style}|%{fontversion}\n"))
    return hashlib.sha256("\n".join(faces).encode()).hexdigest()


def _fc_list(form: str) -> list[str]:
    configure()
    try:
        listed = subprocess.run(
            ["fc-list", "--format", form], capture_output=True, text=True, check=True, timeout=60
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise FontsMissing(f"fc-list does not answer ({error}); install Fontconfig and fonts") from error
    if not (lines := [line for line in listed.stdout.splitlines() if line.strip()]):
        raise FontsMissing(
            "no fonts are installed; on Debian: apt-get install fonts-noto-core fonts-dejavu-core"
        )
    return lines
