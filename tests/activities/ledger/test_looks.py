"""Looks in the ledger: applied with the company, read back by whoever renders."""

from __future__ import annotations

import pytest

from activities.documents.look import PLAIN, LookFiles
from activities.ledger import company_records, looks
from activities.ledger.company_records import Change, apply_company, plan_changes
from activities.ledger.database import Ledger
from billing.errors import NotFound
from billing.looks import Look, LookName
from tests.activities.ledger.conftest import rows
from tests.starter.web.story import COMPANY, NOW

LOOK = Look(id="berlin", based_on=LookName.BOLD, logo="logo.svg", footer={"de": "Danke"})
LOGO, OTHER_LOGO = b"<svg/>", b"<svg></svg>"


def files(logo: bytes = LOGO) -> dict[str, LookFiles]:
    return {"berlin": LookFiles(LOOK, {"logo.svg": logo, "style.css": b"h1 { color: #123456 }"})}


def applied(ledger: Ledger, looks: dict[str, LookFiles]) -> int:
    return apply_company(ledger, COMPANY, "company", "lena", NOW, looks)


def test_what_is_applied_is_read_back(ledger: Ledger) -> None:
    """The look of an issuer comes back byte for byte, by version and by digest; without one it is Billow's."""
    version = applied(ledger, files())
    with ledger.transaction() as tx:
        found = looks.of_issuer(tx, version, "berlin")
        assert (found.look, found.files) == (LOOK, files()["berlin"].files)
        assert looks.by_digest(tx, found.digest) == found == files()["berlin"]
        assert looks.of_issuer(tx, version, "vienna") is PLAIN
        assert looks.by_digest(tx, PLAIN.digest) is PLAIN


def test_an_unknown_look_is_told(ledger: Ledger) -> None:
    """A digest nobody applied here says so, with what to do."""
    with ledger.transaction() as tx, pytest.raises(NotFound, match="apply the company folder"):
        looks.by_digest(tx, "0" * 64)


def test_the_same_look_again_changes_nothing(ledger: Ledger) -> None:
    """One version, one look, two files, however often it is applied; nothing is planned."""
    assert applied(ledger, files()) == applied(ledger, files())
    assert plan_changes(ledger, COMPANY, files()) == []
    counts = "select (select count(*) from company_versions), (select count(*) from looks), count(*) from look_files"
    assert rows(ledger, counts) == [(1, 1, 2)]


def test_a_changed_logo_alone_makes_a_version(ledger: Ledger) -> None:
    """The plan names the look; the invoice of before keeps its logo; the style sheet is stored once."""
    before = applied(ledger, files())
    assert plan_changes(ledger, COMPANY, files(OTHER_LOGO)) == [Change("looks", "berlin", "change")]
    after = applied(ledger, files(OTHER_LOGO))
    assert after > before
    with ledger.transaction() as tx:
        logos = [looks.of_issuer(tx, version, "berlin").files["logo.svg"] for version in (before, after)]
    assert logos == [LOGO, OTHER_LOGO]
    assert rows(ledger, "select count(*) from look_files") == [(3,)]


def test_a_look_comes_and_goes(ledger: Ledger) -> None:
    """The first look is added, one left out is retired, and a company without looks is planned as before."""
    applied(ledger, {})
    assert plan_changes(ledger, COMPANY, files()) == [Change("looks", "berlin", "add")]
    applied(ledger, files())
    assert plan_changes(ledger, COMPANY) == [Change("looks", "berlin", "retire")]
    version = applied(ledger, {})
    with ledger.transaction() as tx:
        assert looks.of_issuer(tx, version, "berlin") is PLAIN
        assert company_records.current(tx).version == version
