"""What the pages show, to whom, and what they show when something is missing."""

from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

import pytest
from sqlalchemy import insert, text
from starlette.types import Receive, Scope, Send

from activities.documents.store import FolderStore
from activities.ledger import invoices
from activities.ledger.database import Ledger
from activities.ledger.tables import DocumentRow
from billing.exceptions import ReasonCode
from starter.local_stack import mailbox
from starter.web import create_app
from tests.starter.web.conftest import Visitor
from tests.starter.web.story import Story
from workers.settings import NotConfigured, Settings
from workers.web_secret import secret


@pytest.mark.parametrize("path", ["/", "/invoices", "/invoices/manual/one?generation=1"])
def test_nobody_signed_in(story: Story, visitor: Visitor, path: str) -> None:
    """In development a page first asks who is there, and leads back afterwards."""
    story.drafted("one")
    asked = visitor.get(path)
    assert "Who are you?" in asked.text
    assert "Tom Iversen" in asked.text
    assert "head of finance" in asked.text


def test_sign_in_and_out(story: Story, visitor: Visitor) -> None:
    """A person is chosen and sent to where they wanted to go; signing out asks again."""
    answer = visitor.post(
        "/session", data={"csrf": visitor.token(), "person": "tom", "back": "/invoices?q=x"}
    )
    assert (answer.url.path, answer.url.query) == ("/invoices", b"q=x")
    cookie = visitor.get("/").request.headers["cookie"]
    assert "__Host-billow=" in cookie
    visitor.post("/session/end", data={"csrf": visitor.token("/")})
    assert "Who are you?" in visitor.get("/").text


def test_session_cookie(story: Story, visitor: Visitor) -> None:
    """The session is out of reach of scripts and other sites, and encrypted connections keep it to themselves."""
    made = visitor.get("/sign-in").headers["set-cookie"].lower()
    assert all(word in made for word in ("httponly", "samesite=lax", "secure"))


def test_forged_session(story: Story, visitor: Visitor) -> None:
    """A session nobody signed is no session."""
    visitor.cookies.set("__Host-billow", "eyJwZXJzb24iOiAidG9tIn0=.aaaa.bbbb")
    assert "Who are you?" in visitor.get("/").text


def test_no_such_person(story: Story, visitor: Visitor) -> None:
    """Only people of the company can be chosen."""
    answer = visitor.post("/session", data={"csrf": visitor.token(), "person": "mallory"})
    assert "not a person of this company" in answer.text


def test_headers(story: Story, visitor: Visitor) -> None:
    """Every answer forbids foreign scripts, frames and guessing; failures too."""
    for path in ("/sign-in", "/nowhere", "/static/billow.css", "/healthz", "/mailbox/x/html"):
        headers = visitor.get(path).headers
        assert "script-src 'self'" in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"


def test_empty_company(ledger: Ledger, visitor: Visitor) -> None:
    """Before a company is applied the page says how to apply one."""
    assert "billow init" in visitor.get("/").text


def test_nothing_waits(story: Story, visitor: Visitor) -> None:
    """Empty lists say so, and what would fill them."""
    visitor.sign_in("tom")
    assert "Nothing waits for you." in visitor.get("/").text
    assert "There are no invoices yet." in visitor.get("/invoices").text
    assert "No invoice matches." in visitor.get("/invoices?q=nothing").text
    assert "No message was sent yet." in visitor.get("/mailbox").text
    story.raised("one", ReasonCode.EMPTY, "nothing to bill")
    assert "1 thing waits for others" in visitor.get("/").text


def test_names_are_text(story: Story, visitor: Visitor) -> None:
    """What a CRM says is shown as text, never run."""
    nasty = "<script>alert('x')</script>"
    story.asked("one", name=nasty, title='"><img src=x onerror=alert(1)>')
    story.raised("two", ReasonCode.SOURCES_DIFFER, f"value differs {nasty}", name=nasty)
    visitor.sign_in("tom")
    for path in (
        "/?for=all",
        "/invoices",
        "/invoices/manual/one",
        "/invoices/manual/two",
        "/invoices?q=" + nasty,
    ):
        page = visitor.get(path).text
        assert "<script>alert" not in page
        assert "<img src=x" not in page
    assert "&lt;script&gt;alert" in visitor.get("/invoices").text


def test_invoice_page(story: Story, visitor: Visitor) -> None:
    """An invoice's page shows its amounts, why they are so, what it waits for, and its story."""
    number = story.issued("one", at=datetime.now(UTC) - timedelta(days=20))
    story.paid(number, "1500.00")
    page = visitor.sign_in("lena").get(f"/invoices/{number}").text
    for shown in (
        "EUR\u00a08,500.00", "open EUR\u00a07,000.00", "6 days late", "one-off: asked for", "domestic service in DE",
        "<b>Waits for</b> payment", "<b>payment received</b>", "Book a payment", "net 14 days", "(Europe/Berlin)",
    ):  # fmt: skip
        assert shown in page


def test_list_pages(story: Story, visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    """A long list goes on to older invoices and keeps its filter."""
    monkeypatch.setattr("starter.web.invoice_list.ROWS", 2)
    for number in range(3):
        story.drafted(f"n{number}")
    first = visitor.sign_in("tom").get("/invoices?status=draft").text
    assert ("manual/n2" in first, "manual/n0" in first) == (True, False)
    link = first.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&")
    older = visitor.get(link).text
    assert ("manual/n2" in older, "manual/n0" in older, "status=draft" in link) == (False, True, True)


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/invoices/manual/none", 404, "No invoice has the number or billing key"),
        ("/invoices/a%00b", 404, "No invoice has"),
        ("/invoices?status=payed", 400, "There is no status"),
        ("/invoices?before=abc&q=%00", 200, "There are no invoices yet"),
        ("/nowhere", 404, "There is nothing at this address"),
        ("/documents/" + "0" * 64, 404, "no document with this hash"),
        ("/mailbox/../../etc/passwd", 404, "Not found"),
        ("/mailbox/12345678901234567890-abcdef01", 404, "no such message"),
    ],
)
def test_what_is_missing(story: Story, visitor: Visitor, path: str, status: int, said: str) -> None:
    """An address that leads nowhere says so in words."""
    answer = visitor.sign_in("tom").get(path)
    assert answer.status_code == status
    assert said.lower() in answer.text.lower()


def test_document(story: Story, visitor: Visitor, settings: Settings) -> None:
    """A document is served byte for byte under its number; a damaged one is not."""
    number = story.issued("one")
    content = b"%PDF-1.7 an invoice"
    store = FolderStore(settings.documents_folder)
    sha256 = store.put(content)
    with story.ledger.transaction() as tx:
        row = invoices.find(tx, number)
        row.document = sha256
        tx.execute(
            insert(DocumentRow).values(
                sha256=sha256, invoice=row.id, kind="invoice", media_type="application/pdf", size=len(content),
                made_with={}, made_at=story.at,
            )
        )  # fmt: skip
    visitor.sign_in("tom")
    assert f'href="/documents/{sha256}">Open the PDF' in visitor.get(f"/invoices/{number}").text
    answer = visitor.get(f"/documents/{sha256}")
    assert (answer.content, answer.headers["content-type"]) == (content, "application/pdf")
    assert answer.headers["content-disposition"] == f'inline; filename="{number}.pdf"'
    file = settings.documents_folder / sha256[:2] / sha256[2:4] / sha256
    file.chmod(0o600)
    file.write_bytes(b"changed")
    assert visitor.get(f"/documents/{sha256}").status_code == 404


@pytest.mark.parametrize("kind", ["cii", "ubl"])
def test_e_invoice(story: Story, visitor: Visitor, settings: Settings, kind: str) -> None:
    """The e-invoice is offered beside the PDF by its syntax, and saved under its own name: it is not for reading."""
    number = story.issued("one")
    content = f"<{kind}/>".encode()
    sha256 = FolderStore(settings.documents_folder).put(content)
    with story.ledger.transaction() as tx:
        tx.execute(
            insert(DocumentRow).values(
                sha256=sha256, invoice=invoices.find(tx, number).id, kind=kind, media_type="application/xml",
                name=f"{number}-{kind}.xml", size=len(content), made_with={}, made_at=story.at,
            )
        )  # fmt: skip
    visitor.sign_in("tom")
    page = visitor.get(f"/invoices/{number}").text
    assert f'href="/documents/{sha256}" download="{number}-{kind}.xml"' in page
    assert f"{kind.upper()} XML</a>" in page
    answer = visitor.get(f"/documents/{sha256}")
    assert (answer.content, answer.headers["content-type"]) == (content, "application/xml")
    assert answer.headers["content-disposition"] == f'attachment; filename="{number}-{kind}.xml"'


def test_workflow_link(story: Story, ledger: Ledger, settings: Settings) -> None:
    """An invoice links to its workflow, the id escaped as one part of the path."""
    story.drafted("one")
    app = create_app(settings.model_copy(update={"temporal_ui_url": "http://temporal.test/"}), ledger)
    with Visitor(app, base_url="https://billow.test") as visitor:
        page = visitor.sign_in("tom").get("/invoices/manual/one").text
    assert 'href="http://temporal.test/namespaces/default/workflows/invoice%2Fmanual%2Fone"' in page


def test_mailbox(story: Story, visitor: Visitor, settings: Settings) -> None:
    """A message shows its head and text; its HTML stays in a sandbox, its attachments are downloads."""
    message = EmailMessage()
    message["From"], message["To"] = "billing@elbwerk.example", "ap@nordlicht.example"
    message["Subject"] = "Invoice <b>1</b>"
    message.set_content("Dear Kim")
    message.add_alternative("<p>Dear Kim</p><script>alert(1)</script>", subtype="html")
    message.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename='Rechnung "1"\r\nü.pdf')
    assert settings.mailbox is not None
    kept = mailbox.keep(settings.mailbox, "a@elbwerk.example", ["ap@nordlicht.example"], message.as_bytes())
    visitor.sign_in("tom")
    assert "Invoice &lt;b&gt;1&lt;/b&gt;" in visitor.get("/mailbox").text
    page = visitor.get(f"/mailbox/{kept}").text
    assert "Dear Kim" in page
    assert "<script>alert" not in page
    assert 'sandbox="allow-popups' in page
    frame = visitor.get(f"/mailbox/{kept}/html")
    assert frame.headers["content-security-policy"].startswith("sandbox ")
    assert "script-src" not in frame.headers["content-security-policy"]
    attached = visitor.get(f"/mailbox/{kept}/attachments/1")
    assert attached.content == b"%PDF"
    assert attached.headers["content-disposition"].startswith("attachment;")
    assert visitor.get(f"/mailbox/{kept}/attachments/2").status_code == 404


def production(settings: Settings, **changes: object) -> Settings:
    return settings.model_copy(update={"development": False, "public_url": None, **changes})


HERE = ("127.0.0.1", 50000)


def test_not_configured(story: Story, ledger: Ledger, settings: Settings) -> None:
    """Without sign-in pages say so, and decide nothing; the mailbox is not there."""
    story.asked("one")
    app = create_app(production(settings), ledger)
    with Visitor(app, base_url="http://127.0.0.1:8080", client=HERE) as visitor:
        for path in ("/", "/invoices", "/invoices/manual/one"):
            page = visitor.get(path).text
            assert "Sign-in is not configured" in page
            assert 'action="/commands/' not in page
        assert visitor.get("/mailbox").status_code == 404
        answer = visitor.post("/commands/decide", data={"invoice": "manual/one", "verdict": "approve"})
        assert (answer.status_code, "nobody can decide" in answer.text) == (403, True)
        assert visitor.post("/session", data={"person": "tom"}).status_code == 403


@pytest.mark.parametrize(
    ("server", "client", "change"),
    [
        ("127.0.0.1", HERE, {"public_url": "https://billow.example"}),
        ("192.0.2.7", HERE, {}),
        ("127.0.0.1", ("192.0.2.9", 50000), {}),
    ],
)
def test_not_to_the_network(
    story: Story,
    ledger: Ledger,
    settings: Settings,
    server: str,
    client: tuple[str, int],
    change: dict[str, str],
) -> None:
    """Without sign-in nothing is shown to the network, only whether the app is well."""
    story.asked("one")
    app = create_app(production(settings, **change), ledger)
    with Visitor(app, base_url=f"http://{server}:8080", client=client) as visitor:
        for path in ("/", "/invoices", "/invoices/manual/one", "/documents/" + "0" * 64, "/sign-in"):
            answer = visitor.get(path)
            assert (answer.status_code, "Nordlicht" in answer.text) == (403, False)
        assert visitor.get("/readyz").status_code == 200


@pytest.mark.parametrize(
    "header", ["X-Forwarded-For", "x-forwarded-host", "Forwarded", "Via", "X-Real-IP", "CF-Connecting-IP"]
)
def test_not_by_a_proxy(story: Story, ledger: Ledger, settings: Settings, header: str) -> None:
    """Without sign-in nothing is shown to whom a proxy on this machine speaks for, though it asks by our own name."""
    app = create_app(production(settings), ledger)
    with Visitor(app, base_url="http://127.0.0.1:8080", client=HERE) as visitor:
        for path in ("/", "/invoices", "/sign-in"):
            assert visitor.get(path).status_code == 200
            assert visitor.get(path, headers={header: "198.51.100.7"}).status_code == 403


def test_not_by_http_1_0(story: Story, ledger: Ledger, settings: Settings) -> None:
    """HTTP/1.0 is what a proxy speaks that was set up with one line, and no browser: nothing is shown to it."""
    app = create_app(production(settings), ledger)

    async def as_nginx(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, "http_version": "1.0"}, receive, send)

    with Visitor(app, base_url="http://127.0.0.1:8080", client=HERE) as visitor:
        assert visitor.get("/invoices").status_code == 200
    with Visitor(as_nginx, base_url="http://127.0.0.1:8080", client=HERE) as visitor:
        assert visitor.get("/invoices").status_code == 403


def test_health(story: Story, visitor: Visitor) -> None:
    """The app says that it is up and can work."""
    assert (visitor.get("/healthz").text, visitor.get("/readyz").text) == ("up\n", "ready\n")


@pytest.mark.parametrize(("version", "status"), [("0007", 503), ("9999", 200)])
def test_schema_of_another_version(
    ledger: Ledger, story: Story, visitor: Visitor, version: str, status: int
) -> None:
    """On the tables of an older version the app is not ready, and says what to do; a newer version's may serve it."""
    with ledger.transaction() as tx:
        tx.execute(text("update alembic_version set version_num = :version"), {"version": version})
    answer = visitor.get("/readyz")
    assert (answer.status_code, "billow migrate" in answer.text) == (status, status == 503)


def test_database_down(settings: Settings) -> None:
    """While the database is away pages say so in words, and the app stays up."""
    ledger = Ledger("postgresql+psycopg://nobody@127.0.0.1:9/none")
    with Visitor(create_app(settings, ledger), raise_server_exceptions=False) as visitor:
        assert visitor.get("/healthz").status_code == 200
        assert visitor.get("/readyz").status_code == 503
        answer = visitor.get("/invoices")
        assert answer.status_code == 503
        assert "The database does not answer now" in answer.text
        assert "psycopg" not in answer.text
    ledger.close()


def test_unexpected_error(story: Story, visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mistake of ours shows a plain page without internals, with the headers of every other."""
    visitor.sign_in("tom")
    monkeypatch.setattr("starter.web.inbox.views.inbox", lambda *_, **__: 1 / 0)
    answer = visitor.get("/")
    assert answer.status_code == 500
    assert "it was logged" in answer.text
    assert "ZeroDivision" not in answer.text
    assert "script-src 'self'" in answer.headers["content-security-policy"]


def test_secret(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The secret is made once, kept for the owner's eyes, and replaced by the environment's."""
    monkeypatch.delenv("BILLOW_SECRET", raising=False)
    made = secret(settings.home)
    assert (len(made) >= 43, secret(settings.home)) == (True, made)
    assert stat.S_IMODE((settings.home / "web-secret").stat().st_mode) == 0o600
    monkeypatch.setenv("BILLOW_SECRET", "from the environment, and long enough")
    assert secret(settings.home) == "from the environment, and long enough"
    monkeypatch.setenv("BILLOW_SECRET", "easily guessed")
    with pytest.raises(NotConfigured, match="BILLOW_SECRET is too short"):
        secret(settings.home)
