"""Documents as the steps get them: the same from this process and from a pool, with their e-invoice inside."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pikepdf
import pytest

from activities.documents import guard, rendering
from activities.documents.errors import RenderingFailed
from activities.documents.look import PLAIN, LookFiles
from activities.documents.pool import RenderingPool
from activities.documents.rendering import InThisProcess
from billing.document import InvoiceDocument
from billing.document_kind import DocumentKind
from billing.einvoice.model import Profile
from billing.looks import Look
from tests.activities.documents import pool_jobs as jobs
from tests.activities.documents.pool_jobs import kept_ready
from tests.activities.documents.samples import BUYER, ISSUER, invoice


@pytest.fixture(scope="module")
def pool() -> Iterator[RenderingPool]:
    """A pool as a worker has it."""
    with RenderingPool(1) as made:
        yield made


AUTHORITY = invoice(
    buyer_reference="04011000-1234512345-06",
    buyer=BUYER.model_copy(update={"electronic_address": "rechnung@amt.example"}),
    issuer=ISSUER.model_copy(update={"electronic_address": "billing@nordlicht.example"}),
)
"""An invoice to a German authority: its reference is a Leitweg-ID."""


def embedded(pdf: bytes) -> dict[str, bytes]:
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        return {name: each.get_file().read_bytes() for name, each in opened.attachments.items()}


@pytest.mark.parametrize(
    ("document", "name", "profile"),
    [
        (invoice(), "factur-x.xml", Profile.EN_16931),
        (invoice(["One", "Two"], kind=DocumentKind.CREDIT_NOTE), "factur-x.xml", Profile.EN_16931),
        (AUTHORITY, "xrechnung.xml", Profile.XRECHNUNG),
    ],
)
def test_the_e_invoice_is_inside(document: InvoiceDocument, name: str, profile: Profile) -> None:
    """The PDF holds the CII, byte for byte, under the name its profile has; the guard finds nothing."""
    made = InThisProcess().render(document, PLAIN)
    assert made.einvoice is not None and made.einvoice.profile is profile
    assert embedded(made.pdf) == {name: made.einvoice.cii}
    assert guard.problems(made.pdf, made.einvoice) == []
    with pikepdf.open(io.BytesIO(made.pdf)) as opened:
        packet = opened.Root.Metadata.read_bytes().decode()
    version = "3.0" if profile is Profile.XRECHNUNG else "1.0"
    assert f"<fx:Version>{version}</fx:Version><fx:ConformanceLevel>{profile}</fx:ConformanceLevel>" in packet


def test_no_e_invoice(pool: RenderingPool) -> None:
    """A pro forma invoice is a PDF alone, and nothing speaks against it."""
    document = invoice(kind=DocumentKind.PRO_FORMA)
    made = InThisProcess().render(document, PLAIN)
    assert made.einvoice is None and embedded(made.pdf) == {}
    assert pool.validate(document, PLAIN) == ()


def test_same_bytes_from_every_process(pool: RenderingPool) -> None:
    """The same document gives the same files here, there, and in a process that has made others before."""
    here = InThisProcess().render(AUTHORITY, PLAIN)
    assert pool.render(AUTHORITY, PLAIN) == here
    pool.render(invoice(["Another"] * 60), PLAIN)
    assert pool.render(AUTHORITY, PLAIN) == here == InThisProcess().render(AUTHORITY, PLAIN)


def test_ready_before_the_first_document() -> None:
    """A process has fonts and style sheets loaded, all that lives frozen, and a temporary folder of its own."""
    with RenderingPool(1) as pool:
        frozen, presses, folder = pool.run(kept_ready)
        assert frozen > 50_000 and presses == 1
        assert Path(folder).parent == pool.folder
    assert not pool.folder.exists()


def test_what_made_it() -> None:
    """The versions kept with a document name renderer, fonts, templates, rules and look; only that changes with it."""
    bold = LookFiles(Look.model_validate({"id": "berlin", "based_on": "bold"}))
    plain, other = rendering.versions(PLAIN), rendering.versions(bold)
    assert {
        "weasyprint",
        "pango",
        "template",
        "fonts",
        "lxml",
        "saxonche",
        "factur-x",
        "look",
    } <= plain.keys()
    assert {name for name in plain if plain[name] != other[name]} == {"look"}


def test_breaches_come_back(pool: RenderingPool) -> None:
    """A wrong sum is found in a pool as here, by the same rules, fatal."""
    wrong = invoice(gross=invoice().draft.gross + 1)
    found = pool.validate(wrong, PLAIN)
    assert "BR-CO-15" in {each.rule for each in found if each.is_fatal}
    assert found == InThisProcess().validate(wrong, PLAIN)
    assert not [each for each in pool.validate(AUTHORITY, PLAIN) if each.is_fatal]


def test_threads_of_one_process() -> None:
    """Sixteen threads of an invoicing worker validate at once, as its first: none is in another's way."""
    with RenderingPool(1, first=jobs.nothing) as fresh:
        assert fresh.run(jobs.validate_in_threads, 16) == {0}


def test_a_faulty_template_speaks_against_it(pool: RenderingPool) -> None:
    """What a look's own block cannot write is found while validating, before there is a number."""
    look = LookFiles(
        Look.model_validate({"id": "berlin"}), {"blocks/foot.html": b"{{ document.nothing.at_all }}"}
    )
    with pytest.raises(RenderingFailed, match="template"):
        pool.validate(invoice(), look)
    assert pool.validate(invoice(), replace(look, files={})) == pool.validate(invoice(), PLAIN)
