"""The audit trail told in sentences: one readable line for each event, in English or in a voice of the caller's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from billing.money import rounded

Facts = Mapping[str, Any]

_SILENT = frozenset(
    {"draft_digest", "exception", "message", "verdict", "dispute", "reason_sha256", "answer_sha256"}
)
"""Facts that only programs need; they stay in `facts`."""


class Voice(NamedTuple):
    """How a language says a piece of a sentence, a fact of a name, an amount, and an instant of a zone."""

    piece: Callable[[str], str]
    fact: Callable[[str, str], str]
    money: Callable[[Decimal, str], str]
    instant: Callable[[datetime], str]
    unspoken: frozenset[str] = frozenset()
    """Names of facts that its sentences leave out."""


ENGLISH = Voice(
    piece=lambda said: said,
    fact=lambda _, value: value,
    money=lambda amount, currency: f"{currency} {rounded(amount, currency):,}",
    instant=lambda local: f"{local:%Y-%m-%d %H:%M %Z}",
)


def line(event: str, facts: Facts, currency: str | None, zone: str | None, voice: Voice = ENGLISH) -> str:
    """What happened, in words; instants in `zone` (or UTC), amounts in `currency`. Old facts never fail."""
    tell = _Teller(facts, currency, ZoneInfo(zone or "UTC"), voice)
    known = _KNOWN.get(event)
    return known(tell) if known else tell.rest()


class _Teller:
    """The facts of one event, ready to be put into words; what is missing reads as nothing."""

    def __init__(self, facts: Facts, currency: str | None, zone: ZoneInfo, voice: Voice) -> None:
        self._facts, self._zone, self._voice = facts, zone, voice
        self._currency = str(facts.get("currency") or currency or "")

    def text(self, key: str, before: str = "", after: str = "", longest: int = 600) -> str:
        value = self._facts.get(key)
        if value in (None, "", []) or key in self._voice.unspoken:
            return ""
        values = value if isinstance(value, list) else [value]
        shown = ", ".join(self._value(key, str(each)) for each in values)
        short = f"{shown[:longest]}…" if len(shown) > longest else shown
        return self.piece(before) + short + self.piece(after)

    def piece(self, said: str) -> str:
        return self._voice.piece(said) if said else ""

    def money(self, key: str, before: str = "", after: str = "") -> str:
        try:
            amount = Decimal(str(self._facts[key]))
            return self.piece(before) + self._voice.money(amount, self._currency) + self.piece(after)
        except (KeyError, InvalidOperation, ValueError):
            return self.text(key, before, after)

    def rest(self) -> str:
        """All facts, for events nobody has written a sentence for."""
        shown = (key for key in self._facts if key not in _SILENT)
        return " · ".join(filter(None, (self.text(key, f"{key.replace('_', ' ')}: ") for key in shown)))

    def _value(self, key: str, value: str) -> str:
        if len(value) < len("2026-01-01T00:00Z") or not value[:4].isdigit():
            return self._voice.fact(key, value)
        try:
            at = datetime.fromisoformat(value)
        except ValueError:
            return self._voice.fact(key, value)
        return self._voice.instant(at.astimezone(self._zone)) if at.tzinfo else value


def _resolved(tell: _Teller) -> str:
    return tell.text("code") + tell.text("reason", ": ")


def _money_moved(tell: _Teller) -> str:
    return (
        tell.money("amount")
        + tell.text("received_on", " on ")
        + tell.text("reference", ", ")
        + tell.money("open", "; open: ")
    )


def _asked(tell: _Teller) -> str:
    said = tell.text("reason", ": ") + tell.text("comment", ": ") + tell.text("error", ": ")
    return tell.text("item", "no. ", ", ") + tell.money("amount") + said


_KNOWN: dict[str, Callable[[_Teller], str]] = {
    "triggered": lambda t: t.text("trigger"),
    "assembled": lambda t: t.money("gross") + t.text("lines", ", lines: ") + t.text("tax", "; "),
    "rendered": lambda t: (
        t.text("size", after=" bytes")
        + t.text("sha256", ", SHA-256 ", longest=12)
        + t.text("cii", ", CII ", longest=12)
        + t.text("ubl", ", UBL ", longest=12)
    ),
    "sent": lambda t: t.text("message") + t.text("reply", "; the mail server said: "),
    "delivered": lambda t: t.text("message") + t.text("to", " arrived at ") + t.text("said", ": "),
    "delivery delayed": lambda t: t.text("message") + t.text("to", " to ") + t.text("said", ": "),
    "delivery handed on": lambda t: (
        t.text("message") + t.text("to", " to ", ", to a system that sends no reports") + t.text("said", ": ")
    ),
    "copy came back": lambda t: t.text("message") + t.text("to", " to ") + t.text("said", ": "),
    "bounced": lambda t: t.text("message") + t.text("reason", ": "),
    "settled": lambda t: t.text("how"),
    "approval asked": lambda t: (
        t.text("asked", "of ") + t.text("tier", ", tier ") + t.text("until", ", until ")
    ),
    "approval escalated": lambda t: (
        t.text("asked", "nobody answered; asked now: ") + t.text("tier", ", tier ")
    ),
    "approval handed over": lambda t: (
        t.text("asked", "asked in somebody's place: ")
        + t.text("tier", ", tier ")
        + t.text("until", ", until ")
    ),
    "approved": lambda t: t.text("tier", "tier ") + t.text("comment", ": "),
    "rejected": lambda t: t.text("tier", "tier ") + t.text("comment", ": "),
    "decision refused": lambda t: t.text("verdict", after=" refused: ") + t.text("because"),
    "signal refused": lambda t: t.text("because"),
    "to be billed again": lambda t: t.text("reason"),
    "voided": lambda t: t.text("reason") + t.text("billing_key", "; the billing key is "),
    "exception raised": lambda t: t.text("code") + t.text("message", ": "),
    "exception repaired": lambda t: t.text("code", after=" is gone"),
    "exception escalated": lambda t: t.text("was", "no answer from ") + t.text("owner", "; now with "),
    "exception: retry": _resolved,
    "exception: accept": _resolved,
    "issued": lambda t: (
        t.text("number")
        + t.money("gross", " over ")
        + t.text("due_date", ", due ")
        + t.text("warnings", "; warnings of validation: ")
    ),
    "credited": lambda t: (
        t.text("number")
        + t.money("gross", " over ")
        + t.text("reason", ": ")
        + t.money("open", "; open: ")
        + t.text("billed_again", "; free to be billed again: ")
    ),
    "credit note rendered": lambda t: (
        t.text("number")
        + t.text("size", ", ", " bytes")
        + t.text("sha256", ", SHA-256 ", longest=12)
        + t.text("cii", ", CII ", longest=12)
        + t.text("ubl", ", UBL ", longest=12)
    ),
    "correction asked for": lambda t: t.text("billing_key", "by ") + t.text("reason", ": "),
    "early payment discount": lambda t: (
        t.money("amount")
        + t.money("net", ": net ")
        + t.money("tax", ", tax ")
        + t.text("last_day", ", paid by ")
    ),
    "payment received": lambda t: (
        t.money("amount")
        + t.text("received_on", " on ")
        + t.text("reference", ", ")
        + t.money("open", "; open: ")
    ),
    "payment taken back": lambda t: (
        t.money("amount")
        + t.text("received_on", " on ")
        + t.text("reference", ", ")
        + t.money("open", "; open: ")
    ),
    "payment under way": lambda t: t.money("amount") + t.text("payment", ", "),
    "payment failed": lambda t: t.text("why").replace("_", " "),
    **dict.fromkeys(("refunded", "refund came back", "credit used", "credit received"), _money_moved),
    **dict.fromkeys(("credit given back", "allocation undone"), _money_moved),
    "written off": lambda t: (
        t.money("amount")
        + t.text("reason", ": ")
        + t.text("asked_by", "; asked by ")
        + t.money("open", "; open: ")
    ),
    "write-off taken back": lambda t: t.money("amount") + t.money("open", "; open: "),
    "write-off asked": _asked,
    "write-off agreed": _asked,
    "write-off refused": _asked,
    "write-off withdrawn": _asked,
    "refund asked": _asked,
    "refund agreed": _asked,
    "refund refused": _asked,
    "refund withdrawn": _asked,
    "refund failed": _asked,
    "held": lambda t: t.text("reason") + t.text("until", ", until "),
    "released": lambda t: t.text("reason", after="; ") + t.piece("reminders go on"),
    "payment promised": lambda t: t.text("on", "for ") + t.text("note", ": "),
    "credit hold": lambda t: t.text("reason"),
    "payment plan agreed": lambda t: t.text("reason"),
    "promise withdrawn": lambda t: t.text("reason"),
    "promise kept": lambda t: t.text("on", "for "),
    "promise broken": lambda t: t.text("on", "for "),
    "disputed": lambda t: (
        t.text("reason") + t.money("amount", "; of it ") + t.text("decide_by", "; to be decided by ")
    ),
    "dispute brought up again": lambda t: t.text("owner", "to ") + t.text("decide_by", "; to be decided by "),
    "dispute ended": lambda t: (
        t.text("outcome") + t.text("answer", ": ") + t.text("notice_until", "; no reminder before ")
    ),
    **dict.fromkeys(
        ("courtesy-note", *(f"reminder-{level}" for level in range(1, 7)), "escalation", "hand-over"),
        lambda t: t.text("planned_for", "planned for "),
    ),
    "taken over": lambda t: (
        t.text("number") + t.money("gross", " over ") + t.money("paid", ", paid before: ")
    ),
}
