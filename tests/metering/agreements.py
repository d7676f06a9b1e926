"""Metered agreements for tests, as a company folder writes them."""

from __future__ import annotations

from datetime import date
from typing import Any

START = date(2026, 1, 1)


def _agreement(key: str, model: str, **changes: Any) -> dict[str, Any]:
    record = {
        "id": key,
        "model": model,
        "client": "acme",
        "title": "Work",
        "currency": "EUR",
        "project": "P-1",
        "start": START,
    }
    return {**record, **changes}


def block(key: str = "acme-block", **changes: Any) -> dict[str, Any]:
    """Ten prepaid hours for 1,000; the next block when they are used up."""
    return _agreement(key, "prepaid block", **{"hours": "10", "price": "1000", **changes})


def spend(key: str = "acme-spend", **changes: Any) -> dict[str, Any]:
    """Hours of a developer at 100, billed at every 1,000."""
    given = {"rates": {"dev": "100"}, "bill_at": "1000", "trigger": "spend reached"}
    return _agreement(key, "time and materials", **{**given, **changes})


def milestones(key: str = "acme-build", **changes: Any) -> dict[str, Any]:
    """Three milestones: at 30 %, at 80 %, and one that is signed off."""
    given = {
        "milestones": [
            {"id": "plan", "title": "Plan", "amount": "2000", "progress": 30},
            {"id": "build", "title": "Build", "amount": "4000", "progress": 80},
            {"id": "done", "title": "Done", "amount": "3000"},
        ]
    }
    return _agreement(key, "milestone", **{**given, **changes})


def fixed_price(key: str = "acme-fix", **changes: Any) -> dict[str, Any]:
    """Something for 9,000 within forty hours."""
    return _agreement(key, "fixed price", **{"amount": "9000", "scope_hours": "40", **changes})
