"""A register of VAT ids inside the test process that answers in VIES's form, and refuses what VIES would refuse."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

KEYS = {"countryCode", "vatNumber", "requesterMemberStateCode", "requesterNumber"}


class ViesServer:
    """Knows some numbers; `fail` makes it answer the next requests with a status or an error code."""

    def __init__(self, *valid: str) -> None:
        self.valid = set(valid)
        self.asked: list[dict[str, str]] = []
        self.refused: list[str] = []
        self.failures: list[int | str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}/rest-api"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> ViesServer:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.down()

    def down(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def fail(self, *failures: int | str) -> None:
        self.failures += failures

    def answer(self, path: str, kind: str, body: bytes) -> tuple[int, Any]:
        """The answer to a POST: 400 for what breaks the form, else what the register says."""
        if self.failures:
            failure = self.failures.pop(0)
            if isinstance(failure, int):
                return failure, {}
            return 200, {"actionSucceed": False, "errorWrappers": [{"error": failure}]}
        content = json.loads(body)
        country, number = content.get("countryCode", ""), content.get("vatNumber", "")
        wrong = [
            *([f"path {path}"] if path != "/rest-api/check-vat-number" else []),
            *([f"content type {kind}"] if kind != "application/json" else []),
            *(f"key {key}" for key in sorted(set(content) - KEYS)),
            *(["country"] if len(country) != 2 or not country.isalpha() else []),
            *([f"number {number}"] if not number.isalnum() or number.startswith(country) else []),
            *(
                ["requester"]
                if len({"requesterMemberStateCode", "requesterNumber"} & set(content)) == 1
                else []
            ),
        ]
        if wrong:
            self.refused += wrong
            return 400, {
                "actionSucceed": False,
                "errorWrappers": [{"error": "VOW-ERR-1", "message": str(wrong)}],
            }
        self.asked.append(content)
        valid = country + number in self.valid
        own = "requesterNumber" in content
        return 200, {
            "countryCode": country,
            "vatNumber": number,
            "requestDate": "2026-11-22T09:00:00.000Z",
            "valid": valid,
            "requestIdentifier": f"WAPI-{len(self.asked)}" if own and valid else "",
            "name": "PARIS SA" if valid else "---",
            "address": "---",
        }

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        register = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, content = register.answer(self.path, self.headers["Content-Type"], body)
                written = json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(written)))
                self.end_headers()
                self.wfile.write(written)

            def log_message(self, *args: object) -> None:
                """Quiet."""

        return Handler
