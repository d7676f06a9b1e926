"""A Dropbox Sign account inside the test process: it answers as Dropbox Sign does, and only what its clients may ask.

Every answer is checked by the models of the official client. SOURCE of the example: SignatureRequestGetResponse of
https://github.com/hellosign/hellosign-openapi; of the API key and the hashes: its test_fixtures.
"""

from __future__ import annotations

import base64
from typing import Any

from dropbox_sign.models.signature_request_get_response import SignatureRequestGetResponse
from dropbox_sign.models.signature_request_list_response import SignatureRequestListResponse

from tests.activities.psa.counterpart import Answer, Asked, Counterpart, only

KEY = "324e3b0840f065eb51f3fd63231d0d33daa35d4ed10d27718839e81737065782"
EXAMPLE = "fa5c8a0b0f492d768749333ad6fcc214c111e967"

SIGNED_AT = 1346521550
"""2012-09-01, 17:45:50 UTC."""

FIELDS = {"client": "550001", "value": "9200.00", "currency": "EUR", "start": "2012-10-01", "end": ""}


class DropboxSignAccount:
    """Signature requests; `counts` is whether a list says how many there are in all."""

    def __init__(self, page: int = 100) -> None:
        self.page = page
        self.counts = True
        self.requests: dict[str, dict[str, Any]] = {}
        self.gone: set[str] = set()
        self.server = Counterpart(self.answer)

    def example(self) -> DropboxSignAccount:
        """The published example, with the fields of a contract."""
        self.request(EXAMPLE)
        return self

    def request(self, id_: str, fields: dict[str, Any] | None = FIELDS, **changes: Any) -> None:
        """A request that John Doe has signed."""
        custom = None
        if fields is not None:
            custom = [
                {
                    "name": name,
                    "type": "text",
                    "value": value,
                    "required": True,
                    "api_id": f"80c678_{n}",
                    "editor": None,
                }
                for n, (name, value) in enumerate(fields.items(), start=4)
            ]
        response = [
            {"api_id": "80c678_1", "name": "Needs Express Shipping", "value": True, "type": "checkbox"},
            {"api_id": "80c678_2", "name": "Shipping Address", "value": "1212 Park Avenue", "type": "text"},
            {"api_id": "80c678_3", "name": "DateSigned", "value": "09/01/2012", "type": "text"},
        ]
        record = {
            "signature_request_id": id_,
            "title": "Purchase Agreement",
            "original_title": "Purchase Agreement",
            "subject": "Purchase Agreement",
            "message": "Please sign and return.",
            "metadata": {},
            "created_at": 1570471067,
            "is_complete": True,
            "is_declined": False,
            "has_error": False,
            "test_mode": False,
            "custom_fields": custom,
            "response_data": response,
            "signing_url": None,
            "requester_email_address": "me@dropboxsign.com",
            "signatures": [signature("78caf2a1d01cd39cea2bc1cbb340dac3", SIGNED_AT)],
            "cc_email_addresses": [],
        }
        self.requests[id_] = record | changes

    def answer(self, asked: Asked) -> Answer:
        if asked.headers.get("authorization") != "Basic " + base64.b64encode(f"{KEY}:".encode()).decode():
            return _error(401, "unauthorized", "Unauthorized api key")
        match asked.method, *asked.path.strip("/").split("/"):
            case "GET", "signature_request", "list":
                only(asked, "account_id", "page", "page_size", "query")
                return self._listed(asked)
            case "GET", "signature_request", id_:
                only(asked)
                if id_ in self.gone:
                    return _error(410, "deleted", "This resource has been deleted")
                if id_ not in self.requests:
                    return _error(404, "not_found", "Not found")
                content = {"signature_request": self.requests[id_]}
                assert SignatureRequestGetResponse.init(content).signature_request.signature_request_id == id_
                return Answer(200, content)
        raise AssertionError(f"no operation {asked.method} {asked.path}")

    def _listed(self, asked: Asked) -> Answer:
        number, size = int(asked.one("page", "1")), int(asked.one("page_size", "20"))
        assert number >= 1 and 1 <= size <= 100
        newest_first = [
            each for each in reversed(self.requests.values()) if each["signature_request_id"] not in self.gone
        ]
        size = min(size, self.page)
        found = newest_first[(number - 1) * size : number * size]
        info = {"page": number, "num_pages": max(1, -(-len(newest_first) // size)), "page_size": size}
        info["num_results"] = len(newest_first) if self.counts else None  # type: ignore[assignment]
        content = {"list_info": info, "signature_requests": found}
        assert len(SignatureRequestListResponse.init(content).signature_requests) == len(found)
        return Answer(200, content)


def signature(id_: str, signed_at: int | None, **changes: Any) -> dict[str, Any]:
    """One of the signatures of a request."""
    record = {
        "signature_id": id_,
        "signer_email_address": "john@example.com",
        "signer_name": "John Doe",
        "signer_role": None,
        "order": None,
        "status_code": "signed" if signed_at else "awaiting_signature",
        "signed_at": signed_at,
        "last_viewed_at": 1346521483,
        "last_reminded_at": None,
        "has_pin": False,
        "has_sms_auth": False,
    }
    return record | changes


def _error(status: int, name: str, message: str) -> Answer:
    return Answer(status, {"error": {"error_name": name, "error_msg": message}})
