"""How fast documents are rendered and validated, beside a bare renderer and a browser; and whether memory stays flat.

Each engine has a process of its own, warm before it is measured. They take turns, CPU time is measured and not the
clock, and the fastest of several runs counts: what else the machine does meanwhile makes runs slower, never faster.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import lru_cache, partial
from itertools import product

import psutil

from activities.documents import press, rendering, subsetting
from activities.documents.invoice_values import values
from activities.documents.look import PLAIN
from activities.documents.pool import RenderingPool
from billing.document import InvoiceDocument
from tests.activities.documents.samples import BUYER, ISSUER, invoice

LINES = (1, 10, 150, 1500)
RENDERS = 500
"""Documents after which memory must be where it was."""


def document(lines: int) -> InvoiceDocument:
    """An invoice of so many lines, with all an e-invoice must say."""
    return invoice(
        [f"Consulting, part {n}" for n in range(1, lines + 1)],
        language="en",
        issuer=ISSUER.model_copy(update={"electronic_address": f"9930:{ISSUER.vat_id}"}),
        buyer=BUYER.model_copy(update={"electronic_address": f"9930:{BUYER.vat_id}"}),
        buyer_reference="4711",
    )


# engines: each makes one document, in the process it is run in ----------------------------------------------------


def billow(lines: int) -> bytes:
    """All that the step does: e-invoice, page, PDF/A-3b with the XML inside, guard."""
    return rendering.render(document(lines), PLAIN).pdf


def validated(lines: int) -> bytes:
    """All rule sets over both syntaxes."""
    assert not [each for each in rendering.validate(document(lines), PLAIN) if each.is_fatal]
    return b""


def fresh(lines: int) -> bytes:
    """Bare WeasyPrint as its manual shows it: fonts and style sheets read for each document."""
    return _bare(lines, *_styles())


def reused(lines: int) -> bytes:
    """The same with fonts and parsed style sheets kept."""
    return _bare(lines, *_kept_styles())


def browser(lines: int) -> bytes:
    """Headless Chromium, started before, prints the same page; no PDF/A."""
    style = "".join(f"<style>{each}</style>" for each in press.style_sheets(PLAIN))
    page = _tab()
    page.set_content(_html(lines).replace("</head>", f"{style}</head>", 1))
    printed: bytes = page.pdf(prefer_css_page_size=True)
    return printed


@lru_cache(maxsize=1)
def _html(lines: int) -> str:
    written = document(lines)
    return press.page("invoice.html", values(written, PLAIN), written.number)


def _styles():  # type: ignore[no-untyped-def]
    from weasyprint import CSS
    from weasyprint.text.fonts import FontConfiguration

    fonts, fetcher = FontConfiguration(), _assets()
    return fonts, [
        CSS(string=each, font_config=fonts, url_fetcher=fetcher) for each in press.style_sheets(PLAIN)
    ]


_kept_styles = lru_cache(maxsize=1)(_styles)


def _assets():  # type: ignore[no-untyped-def]
    from activities.documents.assets import Assets
    from activities.documents.page_templates import TEMPLATES

    return Assets(PLAIN, TEMPLATES)


def _bare(lines: int, fonts: object, styles: object) -> bytes:
    from weasyprint import HTML

    page = HTML(string=_html(lines), url_fetcher=_assets())
    written: bytes = page.write_pdf(stylesheets=styles, font_config=fonts, pdf_variant="pdf/a-3b")
    return written


@lru_cache(maxsize=1)
def _tab():  # type: ignore[no-untyped-def]
    """One for all documents, opened before."""
    import shutil

    from playwright.sync_api import sync_playwright

    names = ("chromium", "chromium-browser", "google-chrome")
    path = next((found for name in names if (found := shutil.which(name))), None)
    chromium = sync_playwright().start().chromium
    return chromium.launch(executable_path=path, args=["--no-sandbox"]).new_page()


# measuring --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, order=True)
class Timed:
    """Seconds of a run, and what it made."""

    seconds: float
    size: int
    pages: int


def timed(engine: Callable[[int], bytes], lines: int) -> Timed:
    """One run: CPU seconds; of the browser, which works in other processes that come and go, seconds by the clock."""
    now = time.perf_counter if engine is browser else time.process_time
    begin = now()
    made = engine(lines)
    return Timed(now() - begin, len(made), _pages(made))


def _pages(made: bytes) -> int:
    import io

    import pikepdf

    if not made:
        return 0
    with pikepdf.open(io.BytesIO(made)) as opened:
        return len(opened.pages)


def nothing() -> None:
    """No warming up: a bare process."""


def memory() -> float:
    """MiB this process holds."""
    return float(psutil.Process().memory_info().rss) / 2**20


ENGINES: dict[str, tuple[Callable[[int], bytes], Callable[[], None]]] = {
    "Billow": (billow, rendering.warm_up),
    "reused": (reused, nothing),
    "fresh": (fresh, nothing),
    "Chromium": (browser, nothing),
    "validation": (validated, rendering.warm_up),
}
"""What is measured, and how its process is warmed up."""


@dataclass
class Measured:
    """Seconds by engine and number of lines; None where the engine is not installed."""

    times: dict[tuple[str, int], Timed | None] = field(default_factory=dict)
    throughput: dict[int, float] = field(default_factory=dict)
    memory: tuple[float, float] = (0.0, 0.0)
    renders: int = RENDERS

    def __str__(self) -> str:
        return "\n".join(self._told())

    def _told(self) -> Iterator[str]:
        yield "documents: milliseconds of CPU each (Chromium: by the clock), the fastest of several runs"
        yield ""
        yield "               PDF/A-3b with    bare WeasyPrint   headless     all rules"
        yield "lines  pages   e-invoice, guard  reused    fresh   Chromium    validated    kB"
        for lines in LINES:
            made = self.times["Billow", lines]
            assert made is not None
            figures = (("Billow", 17), ("reused", 6), ("fresh", 7), ("Chromium", 9), ("validation", 11))
            shown = "  ".join(self._ms(engine, lines).rjust(width) for engine, width in figures)
            yield f"{lines:5,}  {made.pages:5}  {shown}  {made.size / 1000:4,.0f}"
        yield ""
        for processes, each in self.throughput.items():
            yield f"pool of {processes}: {each:.1f} invoices of 10 lines a second"
        before, after = self.memory
        yield f"memory: {before:.0f} MiB after 50 documents, {after:.0f} MiB after {self.renders} more, one process"
        yield "HarfBuzz subsetting: " + ("present" if subsetting.is_installed() else subsetting.MISSING)

    def _ms(self, engine: str, lines: int) -> str:
        found = self.times.get((engine, lines))
        return f"{found.seconds * 1000:,.0f}" if found else "-"


def measure(lines: Sequence[int] = LINES, renders: int = RENDERS) -> Measured:
    """Measures everything; minutes. What is not installed is left out."""
    found = Measured(renders=renders)
    with ExitStack() as ending:
        pools = {name: ending.enter_context(_process(first)) for name, (_, first) in ENGINES.items()}
        for count in lines:
            runs = 10 if count <= 10 else 4 if count <= 150 else 1
            for run, (name, (engine, _)) in product(range(runs + (count <= 150)), ENGINES.items()):
                timing = _attempt(pools[name], engine, count, needed=name != "Chromium")
                best = found.times.get((name, count))
                if run or runs == 1:  # the first one of several warms up
                    found.times[name, count] = min(filter(None, (best, timing)), default=None)
    for processes in (1, 2):
        found.throughput[processes] = throughput(processes)
    found.memory = growth(renders)
    return found


def _attempt(
    pool: RenderingPool, engine: Callable[[int], bytes], lines: int, *, needed: bool
) -> Timed | None:
    try:
        return pool.run(timed, engine, lines)
    except Exception:  # no browser, or a library it lacks
        if needed:
            raise
        return None


def throughput(processes: int, seconds: float = 8.0) -> float:
    """Invoices of ten lines a second through a pool of so many processes."""
    with RenderingPool(processes) as pool, ThreadPoolExecutor(processes) as threads:
        pool.warm()
        one, begin = document(10), time.perf_counter()
        make = partial(_until, pool, one, begin + seconds)
        made = sum(threads.map(lambda _: make(), range(processes)))
        return made / (time.perf_counter() - begin)


def _until(pool: RenderingPool, one: InvoiceDocument, end: float) -> int:
    made = 0
    while time.perf_counter() < end:
        pool.render(one, PLAIN)
        made += 1
    return made


def growth(renders: int = RENDERS) -> tuple[float, float]:
    """MiB one process holds after 50 documents, and after so many more, each validated too: it is never replaced."""
    with RenderingPool(1, jobs=10 * renders) as pool:
        one = document(1)

        def make(count: int) -> float:
            for _ in range(count):
                pool.validate(one, PLAIN)
                pool.render(one, PLAIN)
            return pool.run(memory)

        return make(50), make(renders)


@contextmanager
def _process(first: Callable[[], None]) -> Iterator[RenderingPool]:
    with RenderingPool(1, first=first, seconds=600) as pool:
        yield pool
