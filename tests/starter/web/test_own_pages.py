"""One's own pages: sign-ins, API tokens, absences."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from activities.ledger import api_tokens, sign_ins
from activities.ledger.database import Ledger
from activities.ledger.tables import SignInRow
from billing.scopes import Scope
from starter.web import create_app
from tests.starter.web.conftest import Visitor
from tests.starter.web.story import Story
from workers.settings import Settings

_TOKEN = re.compile(r"billow_[A-Za-z0-9_-]{43}")


def another(settings: Settings, ledger: Ledger, person: str) -> Visitor:
    """Another browser in which the person is signed in."""
    return Visitor(create_app(settings, ledger), base_url="https://billow.test").sign_in(person)


def cookie(visitor: Visitor) -> str:
    return str(visitor.cookies["__Host-billow"])


def test_signed_out_is_over(story: Story, visitor: Visitor) -> None:
    """The cookie of a session that was ended opens nothing, wherever it was copied to."""
    visitor.sign_in("tom")
    copied = cookie(visitor)
    assert "Tom Iversen" in visitor.get("/").text
    visitor.post("/session/end", data={"csrf": visitor.token("/sign-ins")})
    visitor.cookies.clear()
    visitor.cookies.set("__Host-billow", copied)
    assert "Who are you?" in visitor.get("/").text


def test_new_secret(story: Story, visitor: Visitor, ledger: Ledger) -> None:
    """Every sign-in makes a new secret and ends the one before in this browser; only its digest is kept."""
    visitor.sign_in("tom").sign_in("rosa")
    with ledger.transaction() as tx:
        found = tx.execute(
            text("select person, ended_at is null, sha256 from sign_ins order by began_at")
        ).all()
        assert [tuple(each)[:2] for each in found] == [("tom", False), ("rosa", True)]
        secret = sign_ins.begin(tx, "tom", how="x", at=datetime.now(UTC))
        assert secret not in tx.scalars(text("select t::text from sign_ins as t")).all()[-1]


def test_everywhere(story: Story, visitor: Visitor, settings: Settings, ledger: Ledger) -> None:
    """A person sees where they are signed in, and signs out of all of it at once; others stay."""
    visitor.sign_in("tom")
    with another(settings, ledger, "tom") as elsewhere, another(settings, ledger, "rosa") as rosa:
        page = visitor.get("/sign-ins").text
        assert page.count("chosen in development") == 2 and page.count("this browser") == 1
        visitor.post("/session/end-everywhere", data={"csrf": visitor.token("/sign-ins")})
        assert "Who are you?" in visitor.get("/").text
        assert "Who are you?" in elsewhere.get("/").text
        assert "Rosa Akel" in rosa.get("/").text


@pytest.mark.parametrize(
    ("address", "status"),
    [("http://rebound.example:8080", 403), ("http://127.0.0.1:8080", 303), ("http://[::1]:8080", 303)],
)
def test_another_name(story: Story, ledger: Ledger, settings: Settings, address: str, status: int) -> None:
    """A site whose name is made to lead to a development installation signs nobody in there."""
    app = create_app(settings.model_copy(update={"public_url": None}), ledger)
    with Visitor(app, base_url=address) as visitor:
        data = {"csrf": visitor.token(), "person": "uma"}
        assert visitor.post("/session", data=data, follow_redirects=False).status_code == status


def test_half_a_day(story: Story, visitor: Visitor, ledger: Ledger) -> None:
    """A sign-in ends after twelve hours, however busy; its last visit is noted once a minute."""
    visitor.sign_in("tom")
    begun = datetime.now(UTC)
    with ledger.transaction() as tx:
        secret = sign_ins.begin(tx, "uma", how="x", at=begun)
    for after, there in ((0, True), (59, True), (12 * 3600 - 1, True), (12 * 3600, False)):
        with ledger.transaction() as tx:
            found = sign_ins.find(tx, secret, at=begun + timedelta(seconds=after))
            assert (found is not None) == there
    with ledger.transaction() as tx:
        row = tx.query(SignInRow).filter_by(person="uma").one()
        assert row.seen_at == begun + timedelta(seconds=12 * 3600 - 1)
        tx.execute(text("update sign_ins set ends_at = now() where person = 'tom'"))
    assert "Who are you?" in visitor.get("/").text


def test_forgotten(story: Story, ledger: Ledger) -> None:
    """Sign-ins that ended long ago are cleared away with the next one."""
    at = datetime.now(UTC)
    with ledger.transaction() as tx:
        sign_ins.begin(tx, "tom", how="old", at=at - timedelta(days=91))
        sign_ins.begin(tx, "tom", how="kept", at=at - timedelta(days=89))
        sign_ins.begin(tx, "tom", how="new", at=at)
        assert tx.scalars(text("select how from sign_ins order by began_at")).all() == ["kept", "new"]


def make(visitor: Visitor, **fields: str) -> str:
    """The page after the form for a token was sent."""
    given = {"csrf": visitor.token("/tokens"), "name": "erp", "days": "90", "scope-read": "on"} | fields
    return str(visitor.post("/tokens", data=given).text)


def test_token_shown_once(story: Story, visitor: Visitor, ledger: Ledger) -> None:
    """A new token is shown on the page it was made by; sent twice the form makes no second one."""
    visitor.sign_in("lena")
    page = make(visitor, **{"scope-bill": "on", "scope-administer": "on"})
    [token] = set(_TOKEN.findall(page))
    with ledger.transaction() as tx:
        row = api_tokens.find(tx, token, at=datetime.now(UTC))
        assert row is not None
        assert (row.person, row.scopes) == ("lena", ["read", "bill"])  # administering is for admins
    assert not _TOKEN.findall(visitor.get("/tokens").text)
    again = make(visitor)
    assert "give this one another name" in again and not _TOKEN.findall(again)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"name": ""}, "which program the token is for"),
        ({"name": "x" * 61}, "up to 60 letters"),
        ({"days": "9999"}, "how long the token is to run"),
        ({"scope-read": "", "csrf": "forged"}, "out of date"),
    ],
)
def test_token_refused(story: Story, visitor: Visitor, fields: dict[str, str], said: str) -> None:
    """What cannot be a token says why, and makes none."""
    page = make(visitor.sign_in("lena"), **fields)
    assert said in page and "There is no token yet." in visitor.get("/tokens").text


def test_token_ended(story: Story, visitor: Visitor, ledger: Ledger) -> None:
    """A token is ended by whom it speaks for or by an admin; others neither see it nor end it."""
    with ledger.transaction() as tx:
        for name, person in (("lenas", "lena"), ("toms", "tom")):
            api_tokens.create(tx, name, person, scopes=(Scope.READ,), at=datetime.now(UTC))
    page = visitor.sign_in("lena").get("/tokens").text
    assert ("lenas" in page, "toms" in page) == (True, False)
    assert "they or an admin can end it" in visitor.give("revoke-token", back="/tokens", token="toms")
    assert "The token lenas is ended" in visitor.give("revoke-token", back="/tokens", token="lenas")
    visitor.sign_in("uma")
    assert "The token toms is ended" in visitor.give("revoke-token", back="/tokens", token="toms")


def test_token_expires(story: Story, ledger: Ledger) -> None:
    """A token runs so many days and not a second longer."""
    at = datetime.now(UTC)
    with ledger.transaction() as tx:
        token = api_tokens.create(tx, "erp", "lena", scopes=(Scope.READ,), days=30, at=at)
        assert api_tokens.find(tx, token, at=at + timedelta(days=30, seconds=-1)) is not None
        assert api_tokens.find(tx, token, at=at + timedelta(days=30)) is None


def day(offset: int) -> str:
    """A day from today, where the company is at home."""
    return (datetime.now(ZoneInfo("Europe/Berlin")).date() + timedelta(days=offset)).isoformat()


def test_absence(story: Story, visitor: Visitor) -> None:
    """Whoever goes away says who decides; what waits is handed over at once, and the delegate approves it."""
    story.asked("one")
    visitor.sign_in("tom")
    assert "Nobody is away, now or later." in visitor.get("/absences").text
    days = {"first_day": day(0), "last_day": day(3)}
    page = visitor.give("announce-absence", back="/absences", delegate="uma", reason="holidays", **days)
    assert "Uma Keller decides for Tom Iversen" in page and "1 approval that waits was handed over" in page
    assert "away now" in page and "holidays" in page
    twice = visitor.give("announce-absence", back="/absences", delegate="uma", **days)
    assert "is set already" in twice
    with story.ledger.transaction() as tx:
        digest = story.invoice(tx, "manual/one").draft_digest or ""
    visitor.sign_in("uma")
    said = visitor.give("decide", invoice="manual/one", verdict="approve", digest=digest)
    assert "You approved manual/one." in said


def test_absence_of_others(story: Story, visitor: Visitor) -> None:
    """Somebody else's absence is an admin's to set and to end."""
    days = {"first_day": day(1), "last_day": day(3)}
    refused = visitor.sign_in("lena").give(
        "announce-absence", back="/absences", person="tom", delegate="uma", **days
    )
    assert "set by an admin" in refused
    visitor.sign_in("uma")
    visitor.give("announce-absence", back="/absences", person="tom", delegate="rosa", **days)
    page = visitor.get("/absences").text
    [absence] = re.findall(r'name="absence" value="(\d+)"', page)
    assert "Call it off" in page
    visitor.sign_in("lena")
    assert "Call it off" not in visitor.get("/absences").text
    assert "ended by an admin" in visitor.give("end-absence", back="/absences", absence=absence)
    visitor.sign_in("tom")
    assert "is ended" in visitor.give("end-absence", back="/absences", absence=absence)
    assert "Nobody is away" in visitor.get("/absences").text
