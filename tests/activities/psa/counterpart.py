"""The frame of a vendor's counterpart: an HTTP server in the test process that refuses what the vendor would refuse."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Asked:
    """A request; every query parameter is a list, as it came."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: Mapping[str, str]
    body: bytes

    def one(self, name: str, default: str = "") -> str:
        values = self.query.get(name, [default])
        assert len(values) == 1, f"{name} stands there {len(values)} times"
        return values[0]


@dataclass(frozen=True)
class Answer:
    """What is answered; `raw` in place of JSON."""

    status: int = 200
    content: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | None = None


HTML = Answer(raw=b"<html>Please sign in</html>", headers={"Content-Type": "text/html; charset=utf-8"})


def limited(seconds: str = "0") -> Answer:
    """Too many requests."""
    return Answer(429, {"message": "slow down"}, {"Retry-After": seconds})


class Counterpart:
    """Answers by `answer`; `next_answers` come first. An assertion that fails there is a refusal: HTTP 400, kept."""

    def __init__(self, answer: Callable[[Asked], Answer]) -> None:
        self.asked: list[Asked] = []
        self.refused: list[str] = []
        self.next_answers: list[Answer] = []
        self._answer = answer
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> Counterpart:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """From now on nobody answers."""
        self._server.shutdown()
        self._server.server_close()

    def take(self, asked: Asked) -> Answer:
        self.asked.append(asked)
        if self.next_answers:
            return self.next_answers.pop(0)
        try:
            return self._answer(asked)
        except (AssertionError, KeyError, ValueError) as error:
            self.refused.append(f"{asked.method} {asked.path}: {error!r}")
            return Answer(400, {"errorMessages": [repr(error)]})

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        counterpart = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                url = urlsplit(self.path)
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                query = parse_qs(url.query, keep_blank_values=True, strict_parsing=bool(url.query))
                headers = {name.lower(): value for name, value in self.headers.items()}
                answer = counterpart.take(Asked(self.command, url.path, query, headers, body))
                written = answer.raw if answer.raw is not None else json.dumps(answer.content).encode()
                if answer.status == 204:
                    written = b""
                self.send_response(answer.status)
                for name, value in ({"Content-Type": "application/json"} | answer.headers).items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(written)))
                self.end_headers()
                self.wfile.write(written)

            do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815

            def log_message(self, *args: object) -> None:
                """Quiet."""

        return Handler


def only(asked: Asked, *names: str) -> None:
    """No other query parameters than these."""
    assert not set(asked.query) - set(names), f"unknown parameters {set(asked.query) - set(names)}"
