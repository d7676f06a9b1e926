"""`billow portal-link`: one address an invoice, until it is revoked."""

from __future__ import annotations

from tests.starter.cli.conftest import KEY_OF_ACME, Desk


def test_before_issue(desk: Desk) -> None:
    """A draft has no page: nobody but the company sees it."""
    desk.type("trigger", "--agreement", "acme-care", "--as", "pia")
    assert "a client sees issued invoices only" in desk.type("portal-link", KEY_OF_ACME, code=1).stderr


def test_link_and_revoke(desk: Desk) -> None:
    """The same link each time; once revoked, by a person of the company only, another one."""
    number = desk.issue()
    first = desk.read("portal-link", number)
    assert first["url"] == desk.read("portal-link", number)["url"]
    assert len(first["url"].rpartition("/i/")[2]) == 43
    assert "not seen by a person yet" in " ".join(desk.type("portal-link", number).stdout.split())
    desk.type("portal-link", number, "--revoke", code=2)
    assert "not a person" in desk.type("portal-link", number, "--revoke", "--as", "nobody", code=1).stderr
    assert "1 link to" in desk.type("portal-link", number, "--revoke", "--as", "pia").stdout
    assert desk.read("portal-link", number)["url"] != first["url"]
    assert "portal link revoked" in desk.type("timeline", number).stdout
