"""What WeasyPrint says while it works: it raises little and logs the rest."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

_LOGGER = logging.getLogger("weasyprint")


@contextmanager
def weasyprint_warnings(*, logged: bool = True) -> Iterator[list[str]]:
    """Its warnings and errors meanwhile, of all threads of this process; in the log of the program too if `logged`."""
    messages: list[str] = []

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            messages.append(record.getMessage())

    collector = Collector(logging.WARNING)
    before = _LOGGER.propagate
    _LOGGER.addHandler(collector)
    _LOGGER.propagate = before and logged
    try:
        yield messages
    finally:
        _LOGGER.propagate = before
        _LOGGER.removeHandler(collector)
