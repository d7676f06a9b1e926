"""BILLOW_SECRET changes: what the old one signed counts while it is still set, and what is signed is by the new one."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import select
from starlette.testclient import TestClient

from activities.delivery.signed_links import About, NotOurLink, SignedLink, SignedLinks
from activities.ledger.database import Ledger
from activities.ledger.tables import ApprovalRow
from starter.cli import main
from starter.web import create_app
from tests.starter.web.conftest import Visitor
from tests.starter.web.portal.clients import Clients
from tests.starter.web.portal.test_portal import secret as form_secret
from tests.starter.web.story import Story
from workers.assembly import effects
from workers.settings import NotConfigured, Settings
from workers.web_secret import accepted

OLD, NEW = "old secret, long enough to be taken", "new secret, long enough to be taken"


@pytest.fixture
def old(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BILLOW_SECRET", OLD)


def change(monkeypatch: pytest.MonkeyPatch, *, keep: bool) -> None:
    """The new secret, with the old one beside it or without."""
    monkeypatch.setenv("BILLOW_SECRET", NEW)
    monkeypatch.setenv("BILLOW_SECRET_PREVIOUS", OLD if keep else "")


def app(settings: Settings, ledger: Ledger) -> Visitor:
    return Visitor(create_app(settings, ledger), base_url="https://billow.test")


@pytest.mark.parametrize("keep", [True, False])
def test_who_is_signed_in_stays_so(
    old: None, story: Story, settings: Settings, ledger: Ledger, monkeypatch: pytest.MonkeyPatch, keep: bool
) -> None:
    """A session goes on, and so does a form that was open; without the old secret both are over."""
    with app(settings, ledger) as before:
        before.sign_in("lena")
        open_form, cookies = before.token("/?for=all"), dict(before.cookies)
    change(monkeypatch, keep=keep)
    with app(settings, ledger) as after:
        after.cookies.update(cookies)
        answer = after.post("/session/end", data={"csrf": open_form}, follow_redirects=False)
        assert answer.status_code == (303 if keep else 403)


def test_new_sessions_are_by_the_new_secret(
    old: None, story: Story, settings: Settings, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who signs in while both are set stays signed in when the old one is taken away."""
    change(monkeypatch, keep=True)
    with app(settings, ledger) as both:
        cookies = dict(both.sign_in("lena").cookies)
    change(monkeypatch, keep=False)
    with app(settings, ledger) as after:
        after.cookies.update(cookies)
        assert "Lena" in after.get("/").text


def test_links_in_messages(
    old: None, story: Story, settings: Settings, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A link that was mailed before leads on while both are set; workers sign new ones by the new secret."""
    made = story.asked("one")
    with ledger.transaction() as tx:
        asked = tx.scalars(select(ApprovalRow.id).where(ApprovalRow.invoice == made)).one()
    sent = link(settings, asked)
    change(monkeypatch, keep=True)
    assert SignedLinks([NEW], "").read(link(settings, asked).rpartition("/")[2]).person == "tom"
    with pytest.raises(NotOurLink):
        SignedLinks([OLD], "").read(link(settings, asked).rpartition("/")[2])
    with app(settings, ledger) as both:
        assert "not one of ours" not in read(both, sent) and "not one of ours" not in read(
            both, link(settings, asked)
        )
    change(monkeypatch, keep=False)
    with app(settings, ledger) as after:
        assert "not one of ours" in read(after, sent)


def link(settings: Settings, approval: int) -> str:
    """A link as a worker puts it into a message."""
    outside = effects(settings)
    try:
        assert outside.links is not None
        return outside.links.to(SignedLink(About.APPROVAL, approval, "tom", ""))
    finally:
        outside.ledger.close()


def read(visitor: TestClient, link: str) -> str:
    return str(visitor.get(link.removeprefix(str(visitor.base_url))).text)


@pytest.mark.parametrize("keep", [True, False])
def test_forms_of_the_portal(
    old: None, story: Story, settings: Settings, ledger: Ledger, monkeypatch: pytest.MonkeyPatch, keep: bool
) -> None:
    """The client's link leads on whatever happens; a form that was open before counts while both are set."""
    clients = Clients(settings, story)
    path = clients.path(clients.sent("one", rendered=False))
    with app(settings, ledger) as before:
        open_form = form_secret(before, path)
    change(monkeypatch, keep=keep)
    on = (clients.at + timedelta(days=12)).date().isoformat()
    with app(settings, ledger) as after:
        assert form_secret(after, path) != open_form
        answer = after.post(f"{path}/promise", data={"secret": open_form, "on": on})
        assert answer.status_code == (200 if keep else 403)


def test_what_is_accepted(old: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest first; one that is set twice counts once, and one that could be guessed not at all."""
    assert accepted(tmp_path) == (OLD,)
    change(monkeypatch, keep=True)
    assert accepted(tmp_path) == (NEW, OLD)
    monkeypatch.setenv("BILLOW_SECRET_PREVIOUS", NEW)
    assert accepted(tmp_path) == (NEW,)
    monkeypatch.setenv("BILLOW_SECRET_PREVIOUS", "easily guessed")
    with pytest.raises(NotConfigured, match="BILLOW_SECRET_PREVIOUS is too short"):
        accepted(tmp_path)


def test_check_reminds_of_it(old: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`billow check` says that the previous one is still set, on stderr, and lets the folder through."""
    folder = tmp_path / "company"
    assert CliRunner().invoke(main, ["init", str(folder)]).exit_code == 0
    assert "BILLOW_SECRET_PREVIOUS" not in CliRunner().invoke(main, ["check", str(folder), "--json"]).stderr
    change(monkeypatch, keep=True)
    checked = CliRunner().invoke(main, ["check", str(folder), "--json"])
    assert checked.exit_code == 0
    assert "BILLOW_SECRET_PREVIOUS is still set" in checked.stderr and "BILLOW" not in checked.stdout
    assert OLD not in checked.output
