"""The list of invoices: in an order, page by page both ways, kept as a view, exported."""

from __future__ import annotations

import csv
import html
import re
from datetime import timedelta
from io import StringIO
from zoneinfo import ZoneInfo

import pytest

from activities.ledger import saved_views
from activities.ledger.database import Ledger
from billing.errors import NotAllowed, NotFound, Refused
from starter.web.desk import HOME_ZONE
from tests.starter.web.conftest import Visitor
from tests.starter.web.story import Story

_ROW = re.compile(r'<td class="lead"><a class="name" href="[^"]+">([^<]+)</a>')


def rows(page: str) -> list[str]:
    return [html.unescape(each).removeprefix("manual/") for each in _ROW.findall(page)]


@pytest.fixture
def filled(story: Story) -> Story:
    """Issued thirty, twenty and ten days ago, the second paid in part, and a draft."""
    for key, days, price, client in (
        ("old", 30, "100", "nordlicht"),
        ("middle", 20, "900", "ateliers"),
        ("new", 10, "500", "nordlicht"),
    ):
        number = story.issued(
            key, at=story.at - timedelta(days=days), prices=(price,), client=client, title=f"Work {key}"
        )
        if key == "middle":
            story.paid(number, "1000.00")
    story.drafted("draft", prices=("300",), client="kawa", name="Kawa Design K.K.")
    return story


@pytest.mark.parametrize(
    ("query", "listed"),
    [
        # gross 119.00, 1,071.00 of which 71.00 are open, 595.00; the draft is of JPY 300 and has no day and no number
        ("", ["draft", "00003", "00002", "00001"]),
        ("sort=requested", ["00001", "00002", "00003", "draft"]),
        ("sort=due", ["00001", "00002", "00003", "draft"]),
        ("sort=-issued", ["draft", "00003", "00002", "00001"]),
        ("sort=-gross", ["draft", "00002", "00003", "00001"]),
        ("sort=gross", ["00001", "00003", "00002", "draft"]),
        ("sort=-open&currency=EUR", ["00003", "00001", "00002"]),
        ("sort=client", ["00002", "draft", "00001", "00003"]),
        ("q=3", ["00003"]),
        ("q=KAWA+des", ["draft"]),
        ("q=nordlicht+old", ["00001"]),
        ("q=ordlicht", []),
        ("q=---", []),
        ("q=%27%29%3B+drop", []),
        ("client=nordlicht&status=late", ["00001"]),
        ("issuer=elbwerk&status=partly+paid", ["00002"]),
    ],
)
def test_orders_and_filters(filled: Story, visitor: Visitor, query: str, listed: list[str]) -> None:
    """Each order and filter lists what it says; amounts stand currency by currency."""
    page = visitor.sign_in("lena").get(f"/invoices?{query}").text
    assert [each.removeprefix(f"ELB-{filled.at.year}-") for each in rows(page)] == listed


def test_days(filled: Story, visitor: Visitor) -> None:
    """Days of issue and due days narrow the list, the first and the last included, and put it in their order."""
    visitor.sign_in("lena")
    here = ZoneInfo(HOME_ZONE)  # the issuer's days: late in the evening they are others than those of UTC
    first, last = ((filled.at - timedelta(days=days)).astimezone(here).date() for days in (30, 20))
    assert len(rows(visitor.get(f"/invoices?issued_from={first}&issued_to={last}").text)) == 2
    assert (
        len(rows(visitor.get(f"/invoices?issued_from={first + timedelta(days=1)}&issued_to={last}").text))
        == 1
    )
    due = rows(visitor.get(f"/invoices?due_from={first + timedelta(days=14)}").text)
    assert due == sorted(due) and len(due) == 3


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("sort=price", "There is no order &#39;price&#39;"),
        ("due_to=yesterday", "is no day: write one such as 2026-11-30"),
        ("status=payed", "There is no status &#39;payed&#39;"),
    ],
)
def test_what_there_is_not(filled: Story, visitor: Visitor, query: str, said: str) -> None:
    """What a list cannot be asked for is said, with what it can."""
    answer = visitor.sign_in("lena").get(f"/invoices?{query}")
    assert (answer.status_code, said in answer.text) == (400, True)


@pytest.mark.parametrize("sort", ["-requested", "due", "-gross", "client"])
def test_both_ways(story: Story, visitor: Visitor, monkeypatch: pytest.MonkeyPatch, sort: str) -> None:
    """Forth and back through pages shows every invoice once on each way, also where many are alike."""
    monkeypatch.setattr("starter.web.invoice_list.ROWS", 2)
    for number in range(5):
        story.drafted(f"n{number}")
    visitor.sign_in("lena")
    path, page, forth = f"/invoices?sort={sort}", "", []
    while path:
        page = visitor.get(path).text
        forth.append(rows(page))
        path = _link(page, "next")
    back = [forth[-1]]
    while path := _link(page, "prev"):
        page = visitor.get(path).text
        back.append(rows(page))
    assert sorted(each for found in forth for each in found) == [f"n{number}" for number in range(5)]
    assert back == forth[::-1]


def _link(page: str, rel: str) -> str:
    found = re.search(rf'rel="{rel}" href="([^"]+)"', page)
    return html.unescape(found[1]) if found else ""


def test_keep_a_view(filled: Story, visitor: Visitor) -> None:
    """A list is kept under a name, given anew under the same name, and removed; position is no part of it."""
    visitor.sign_in("lena")
    kept = {
        "csrf": visitor.token("/invoices"),
        "query": "status=open&before=3&sort=due",
        "name": " My   list ",
    }
    page = visitor.post("/saved-views", data=kept).text
    assert "The view My list is kept." in page
    assert 'href="/invoices?status=open&amp;sort=due" aria-current="true">My list</a>' in page
    page = visitor.post("/saved-views", data=kept | {"query": "status=late"}).text
    assert page.count(">My list</a>") == 1 and 'status=late" aria-current="true">My list' in page
    view = re.search(r'name="view" value="(\d+)"', page)
    assert view
    page = visitor.post("/saved-views/remove", data={"csrf": kept["csrf"], "view": view[1]}).text
    assert "The view My list is removed." in page and ">My list</a>" not in page


def test_shared_view(filled: Story, visitor: Visitor) -> None:
    """Others see a view only if it is shared, with whose it is, and cannot remove it."""
    visitor.sign_in("lena")
    token = visitor.token("/invoices")
    visitor.post("/saved-views", data={"csrf": token, "query": "", "name": "<b>Ours</b>", "shared": "on"})
    visitor.post("/saved-views", data={"csrf": token, "query": "", "name": "Mine"})
    page = visitor.sign_in("tom").get("/invoices").text
    assert "&lt;b&gt;Ours&lt;/b&gt; <small>Lena Brandt</small>" in page and "Mine" not in page
    with filled.ledger.transaction() as tx:
        (ours,) = saved_views.of(tx, "/invoices", "tom")
    page = visitor.post(
        "/saved-views/remove", data={"csrf": visitor.token("/invoices"), "view": str(ours.id)}
    ).text
    assert "Only who saved a view may remove it" in page


def test_views_have_bounds(ledger: Ledger, filled: Story) -> None:
    """A view needs a short name, nobody keeps hundreds, and one that is gone is said to be."""
    with ledger.transaction() as tx:
        for name in ("", " ", "x" * 41):
            with pytest.raises(Refused, match="needs a name"):
                saved_views.save(tx, "lena", "/invoices", name, "", shared=False, at=filled.at)
        for number in range(saved_views.MOST):
            saved_views.save(tx, "lena", "/invoices", f"view {number}", "", shared=False, at=filled.at)
        saved_views.save(tx, "lena", "/invoices", "view 0", "status=late", shared=False, at=filled.at)
        with pytest.raises(Refused, match="remove one first"):
            saved_views.save(tx, "lena", "/invoices", "one more", "", shared=False, at=filled.at)
        first = saved_views.of(tx, "/invoices", "lena")[0]
        with pytest.raises(NotAllowed):
            saved_views.remove(tx, "tom", first.id)
        saved_views.remove(tx, "lena", first.id)
        with pytest.raises(NotFound):
            saved_views.remove(tx, "lena", first.id)


def test_export(filled: Story, visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file has all that match, not a page of it, in the order of the list, and no text a spreadsheet would run."""
    monkeypatch.setattr("starter.web.invoice_list.ROWS", 1)
    filled.drafted("evil", title="=HYPERLINK(1)", name="+49 GmbH")
    answer = visitor.sign_in("lena").get("/invoices.csv?sort=-open&currency=EUR")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert re.fullmatch(
        r'attachment; filename="invoices-\d{4}-\d\d-\d\d\.csv"', answer.headers["content-disposition"]
    )
    assert answer.content.startswith(b"\xef\xbb\xbf")
    found = list(csv.DictReader(StringIO(answer.text.removeprefix("\ufeff"))))
    assert [each["Open"] for each in found] == ["595.00", "119.00", "71.00", ""]
    assert (found[2]["Paid"], found[2]["Payment"], found[2]["Days late"]) == ("1000.00", "partly paid", "6")
    assert (found[-1]["Title"], found[-1]["Client's name"]) == ("'=HYPERLINK(1)", "'+49 GmbH")


def test_german_export(filled: Story, visitor: Visitor) -> None:
    """A spreadsheet in German opens the file: semicolons, decimal commas, German heads."""
    visitor.sign_in("lena")
    german = visitor.get("/invoices.csv?q=middle", headers={"accept-language": "de"}).text
    (row,) = csv.DictReader(StringIO(german.removeprefix("\ufeff")), delimiter=";")
    assert (row["Brutto"], row["Offen"], row["Kunde"]) == ("1071,00", "71,00", "ateliers")
    swiss = visitor.get("/invoices.csv?q=middle", headers={"accept-language": "de-CH"}).text
    (row,) = csv.DictReader(StringIO(swiss.removeprefix("\ufeff")), delimiter=";")
    assert row["Brutto"] == "1071.00"


def test_hostile_title(filled: Story, visitor: Visitor) -> None:
    """A title of one endless word neither stops an invoice nor hides it from a search for its beginning."""
    filled.drafted("endless", title="Ä" * 5000)
    assert rows(visitor.sign_in("lena").get("/invoices?q=ääää").text) == ["endless"]
