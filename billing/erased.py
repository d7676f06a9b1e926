"""What is left of a draft once nobody may know any more whom it was for: figures, dates, codes, and no person."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

ERASED = "erased"
NOBODY = {"name": ERASED, "email": "erased@erased.invalid"}
"""A contact that is nobody; `.invalid` is reserved (RFC 2606), no mail can reach it."""

ERASED_AT = "erased_at"
"""The key in a stored draft that says it is not what was approved any more."""

_TEXTS = ("title", "note", "contract_reference", "order_reference", "buyer_reference")


def without_persons(draft: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    """A stored draft without buyer, contact and words; it can still be read as a draft, its figures hold."""
    buyer = draft.get("buyer") or {}
    country = (buyer.get("address") or {}).get("country", "ZZ")
    lines = [{**each, "description": ERASED, "detail": "", "why": ""} for each in draft.get("lines", ())]
    return {
        **draft,
        **{key: ERASED if key == "title" else "" for key in _TEXTS if key in draft},
        "buyer": {
            "name": ERASED,
            "address": {"street": ERASED, "city": ERASED, "country": country},
            "contact": NOBODY,
        },
        "copies_to": [],
        "lines": lines,
        "work": [],
        ERASED_AT: at.isoformat(),
    }


def request_without_words(request: Mapping[str, Any]) -> dict[str, Any]:
    """A stored request without what somebody wrote into it."""
    one_off = request.get("one_off")
    if not one_off:
        return dict(request)
    lines = [{**each, "description": ERASED} for each in one_off.get("lines", ())]
    return {
        **request,
        "one_off": {**one_off, "title": ERASED, "reason": ERASED, "order_reference": "", "lines": lines},
    }


def is_erased(draft: Mapping[str, Any] | None) -> bool:
    """Whether the stored draft was emptied."""
    return bool(erased_at(draft))


def erased_at(draft: Mapping[str, Any] | None) -> str:
    """When (ISO 8601) the stored draft was emptied; nothing if it was not."""
    return str((draft or {}).get(ERASED_AT, ""))
