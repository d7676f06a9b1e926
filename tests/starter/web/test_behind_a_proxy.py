"""The web app as a process of its own behind a reverse proxy that speaks https to the world, over real sockets."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from activities.ledger.database import Ledger
from starter.web.limits import SIGN_INS
from tests.starter.web.story import Story
from workers.settings import Settings

HOST = "billow.example"
_LISTENING = re.compile(r"listening on (http://\S+)")
_TOKEN = re.compile(r'name="csrf" value="([^"]+)"')
_HOP_BY_HOP = {"connection", "transfer-encoding", "content-length", "keep-alive"}


class Proxy(ThreadingHTTPServer):
    """Hands on to the app what a client sent, as nginx does with the lines of docs/security.md."""

    def __init__(self, upstream: str, client: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handing)
        self.upstream, self.client = httpx.Client(base_url=upstream), client


class _Handing(BaseHTTPRequestHandler):
    server: Proxy
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        kept = [(name, value) for name, value in self.headers.items() if name.lower() not in _HOP_BY_HOP]
        headers = httpx.Headers(kept)
        before = [self.headers["x-forwarded-for"]] if "x-forwarded-for" in self.headers else []
        headers["Host"] = HOST
        headers["X-Forwarded-For"] = ", ".join([*before, self.server.client])  # $proxy_add_x_forwarded_for
        headers["X-Forwarded-Proto"] = "https"
        answer = self.server.upstream.request(self.command, self.path, content=body, headers=headers)
        self.send_response(answer.status_code)
        for name, value in answer.headers.multi_items():
            if name.lower() not in _HOP_BY_HOP | {"content-encoding"}:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.content)))
        self.end_headers()
        self.wfile.write(answer.content)

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, *_: object) -> None:
        """Nothing: what the app logs is enough."""


@contextmanager
def proxied(upstream: str, client: str) -> Iterator[httpx.Client]:
    """A browser at that address, whose requests reach the app through a proxy on this machine."""
    proxy = Proxy(upstream, client)
    serving = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.05})
    serving.start()
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{proxy.server_port}", timeout=30) as browser:
            yield browser
    finally:
        proxy.shutdown()
        serving.join()
        proxy.server_close()
        proxy.upstream.close()


@contextmanager
def serving(settings: Settings, trusted: str) -> Iterator[str]:
    """`billow web`, for the world at https://billow.example, trusting proxies at these addresses; where it listens."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("BILLOW_")} | {
        "BILLOW_HOME": str(settings.home),
        "BILLOW_DATABASE_URL": settings.database_url.get_secret_value(),
        "BILLOW_WEB_URL": f"https://{HOST}",
        "BILLOW_DEVELOPMENT": "true",
        "FORWARDED_ALLOW_IPS": trusted,
    }
    with subprocess.Popen(
        [sys.executable, "-c", "from starter.cli import main; main()", "web", "--port", str(_free())],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            yield _address(process)
        finally:
            process.terminate()


def _free() -> int:
    from starter.local_stack import ports

    # below those the system hands out by itself, from 32768 on
    return ports.choose(31000 + os.getpid() % 150 * 10, None, "a port")


def _address(process: subprocess.Popen[str]) -> str:
    """Where it listens, once it says so and answers."""
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if found := _LISTENING.search(line):
            # the socket is open by then: the answer comes once the app is ready
            assert httpx.get(f"{found[1]}/healthz", timeout=60).status_code == 200
            return found[1]
    raise AssertionError(said)


@pytest.fixture
def applied(ledger: Ledger) -> Story:
    return Story(ledger)


def test_a_trusted_proxy(applied: Story, settings: Settings) -> None:
    """Scheme and client are those the proxy says: absolute addresses are https, each client has limits of its own,
    which no made-up address gets round; sessions are for https alone, and forms come from our own pages."""
    with (
        serving(settings, "127.0.0.1") as app,
        proxied(app, "198.51.100.7") as one,
        proxied(app, "198.51.100.8") as other,
    ):
        moved = one.get("/money/")
        assert (moved.status_code, moved.headers["location"]) == (307, f"https://{HOST}/money")
        page = one.get("/sign-in")
        assert page.headers["strict-transport-security"] == "max-age=31536000"
        cookie = page.headers["set-cookie"]
        assert cookie.startswith("__Host-billow=") and "; secure" in cookie and "httponly" in cookie
        found = _TOKEN.search(page.text)
        assert found
        form = {"csrf": found[1], "person": "lena"}
        sent = {"Cookie": cookie.partition(";")[0], "Origin": f"https://{HOST}"}
        foreign = sent | {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
        assert one.post("/session", data=form, headers=foreign).status_code == 403
        assert one.post("/session", data=form | {"csrf": "made up"}, headers=sent).status_code == 403
        signed_in = one.post("/session", data=form, headers=sent | {"Sec-Fetch-Site": "same-origin"})
        assert (signed_in.status_code, signed_in.headers["location"]) == (303, "/")
        session = signed_in.headers["set-cookie"].partition(";")[0]
        assert "Lena" in one.get("/", headers={"Cookie": session}).text

        answers = [
            one.get("/sign-in/provider", headers={"X-Forwarded-For": f"203.0.113.{each}"}).status_code
            for each in range(SIGN_INS)
        ]
        assert answers[-1] == 429 and answers[0] == 404
        assert other.get("/sign-in/provider").status_code == 404


def test_a_proxy_that_is_not_trusted(applied: Story, settings: Settings) -> None:
    """What it says of scheme and client is not believed: all its clients count as one. Cookies and HSTS do not depend
    on it."""
    with (
        serving(settings, "192.0.2.1") as app,
        proxied(app, "198.51.100.7") as one,
        proxied(app, "198.51.100.8") as other,
    ):
        assert one.get("/money/").headers["location"] == f"http://{HOST}/money"
        page = one.get("/sign-in")
        assert page.headers["set-cookie"].startswith("__Host-billow=")
        assert "strict-transport-security" in page.headers
        for _ in range(SIGN_INS):
            assert one.get("/sign-in/provider").status_code == 404
        assert other.get("/sign-in/provider").status_code == 429
