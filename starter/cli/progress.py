"""A bar for work that takes long, where somebody looks on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from starter.cli import output

_WORTH_A_BAR = 500


@contextmanager
def progress(doing: str, total: int) -> Iterator[Callable[[], None]]:
    """A bar on stderr, on a terminal, from some hundred things on; call what it gives after each of them."""
    out = output.console(stderr=True)
    if total < _WORTH_A_BAR or not out.is_terminal:
        yield lambda: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    columns = (doing, BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=out, transient=True) as shown:
        task = shown.add_task("", total=total)
        yield lambda: shown.advance(task)
