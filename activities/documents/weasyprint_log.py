"""What WeasyPrint says while it works: it raises little and logs the rest."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

_LOGGER = logging.getLogger("weasyprint")


@contextmanager
def weasyprint_warnings() -> Iterator[list[str]]:
    """Its warnings and errors meanwhile, of all threads of this process."""
    messages: list[str] = []

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            messages.append(record.getMessage())

    collector = Collector(logging.WARNING)
    _LOGGER.addHandler(collector)
    try:
        yield messages
    finally:
        _LOGGER.removeHandler(collector)
