"""What a mail that came back says: of which message, for whom, and what became of it.

SOURCE: delivery status notifications, RFC 3464 (and 6533 for addresses beyond ASCII) in the envelope of RFC 6522;
automatic answers, RFC 3834. Bounces without a report are told by the words of the systems that still write them.
Everything here comes from strangers: nothing raises, nothing is believed that the ledger does not confirm.
"""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import policy
from email.errors import MessageError
from email.message import Message
from email.parser import BytesParser, HeaderParser
from enum import StrEnum

from activities.delivery.return_path import tokens_in

LARGEST = 512 * 1024
"""Bytes of a mail that are read: reports stand before the message they return."""

_MOST_PARTS, _MOST_RECIPIENTS = 100, 100
_LONGEST_TEXT, _LONGEST_WHY = 20_000, 300


class Kind(StrEnum):
    """What sort of mail it is."""

    REPORT = "delivery report"
    BOUNCE = "bounce without report"
    AUTOMATIC = "automatic answer"
    OTHER = "something else"


class Outcome(StrEnum):
    """What became of a message for one recipient, in the words of RFC 3464, section 2.3.3."""

    FAILED = "failed"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    RELAYED = "relayed"
    EXPANDED = "expanded"


@dataclass(frozen=True)
class Fate:
    """What became of a message for one recipient; `addresses` in lower case, as it was written and as it ended up.

    Without addresses the mail does not say for whom.
    """

    outcome: Outcome
    addresses: tuple[str, ...] = ()
    why: str = ""


@dataclass(frozen=True)
class Returned:
    """A mail that came back; `id` is that of its content. `tokens` and `message_ids` say what it is about."""

    id: str
    kind: Kind
    tokens: tuple[str, ...] = ()
    message_ids: tuple[str, ...] = ()
    fates: tuple[Fate, ...] = ()
    text: str = ""


_RECEIVED_BY = (
    *("to", "delivered-to", "x-original-to", "x-envelope-to", "envelope-to"),
    *("x-delivered-to", "apparently-to", "x-rcpt-to", "resent-to"),
)
_HEADERS_ONLY = frozenset({"text/rfc822-headers", "message/rfc822-headers", "message/global-headers"})
_WHOLE = frozenset({"message/rfc822", "message/global"})
_STATUS = frozenset({"message/delivery-status", "message/global-delivery-status"})
_DAEMONS = re.compile(
    r"mailer[-_. ]?daemon|post-?master|mail[-_ ]delivery|microsoftexchange|mdaemon|qmail|mailsystem",
    re.IGNORECASE,
)
_AWAY = re.compile(
    r"out of (the )?office|auto(matic)?[ -]?(reply|response|antwort)|abwesen|abwezig|r[ée]ponse automatique|on vacation"
    r"|respuesta autom|risposta automatica|on leave|nicht im b[üu]ro",
    re.IGNORECASE,
)
_WAITS = re.compile(
    r"delayed|delay(ed)? (in|notification)|still (being|trying)|will (be )?(retried|retry|keep trying|continue)"
    r"|has not yet been|not been delivered yet|do not need to (re)?send|verz[öo]ger|temporar(y|ily)",
    re.IGNORECASE,
)
_GONE = re.compile(
    r"permanent|could ?n[o']t be delivered|(was|is) ?n[o']t delivered|undeliver|delivery (to .{1,80} )?(has )?failed"
    r"|failed (permanently|to deliver)|gave up|giving up|user unknown|unknown user|no such (user|recipient|mailbox)"
    r"|mailbox (is )?(full|unavailable|not found|disabled)|over ?quota|address (not found|rejected)|does ?n[o']t exist"
    r"|unzustellbar|nicht zugestellt|unable to deliver|rejected"
    r"|(?<![\d.])5\.\d{1,3}\.\d{1,3}(?![\d.])|(?<!\d)55[0-4][ -]",
    re.IGNORECASE,
)
_WORDS = {each.value: each for each in Outcome}
_ADDRESS = re.compile(r"[^\s<>\"'(),;:\[\]]{1,64}@[^\s<>\"'(),;:\[\]]{1,255}")


def read(content: bytes) -> Returned:
    """What the mail says; of a mail nobody can make sense of, that it is something else."""
    identity = hashlib.sha256(content).hexdigest()[:32]
    try:
        return _read(identity, BytesParser(policy=policy.compat32).parsebytes(content[:LARGEST]))
    except (MessageError, RecursionError, LookupError, TypeError, ValueError, AttributeError):
        return Returned(identity, Kind.OTHER)


def _read(identity: str, mail: Message) -> Returned:
    parts = list(_parts(mail))
    status = next((each for each in parts if each.get_content_type() in _STATUS), None)
    tokens = [token for name in _RECEIVED_BY for token in tokens_in(_headers(mail, name))]
    ids = tuple(_returned_ids(parts))
    if status is not None and mail.get_content_type() == "multipart/report":
        blocks = _blocks(status)
        tokens += [_header(each, "original-envelope-id").strip().lower() for each in blocks[:1]]
        fates = tuple(fate for each in blocks[:_MOST_RECIPIENTS] if (fate := _fate(each)))
        found = tuple(dict.fromkeys(filter(None, tokens)))
        return Returned(identity, Kind.REPORT if fates else Kind.OTHER, found, ids, fates)
    kind, text = _kind(mail), _text(parts)
    outcome = _outcome(mail, text) if kind is Kind.BOUNCE else None
    if outcome is None:
        return Returned(identity, Kind.OTHER if kind is Kind.BOUNCE else kind, tuple(dict.fromkeys(tokens)))
    failed = _addresses(_headers(mail, "x-failed-recipients"))
    fates = tuple(Fate(outcome, (each,), _why(text)) for each in failed) or (Fate(outcome, (), _why(text)),)
    return Returned(identity, kind, tuple(dict.fromkeys(tokens)), ids, fates, text)


def _parts(mail: Message) -> Iterator[Message]:
    """The parts in order, but not those of the message that came back."""
    waiting, seen = [mail], 0
    while waiting and seen < _MOST_PARTS:
        part = waiting.pop()
        seen += 1
        yield part
        inside = part.get_payload() if part.get_content_maintype() == "multipart" else None
        if isinstance(inside, list):
            waiting += [each for each in reversed(inside) if isinstance(each, Message)]


def _blocks(status: Message) -> list[Message]:
    """The groups of fields: the first of the message, each further one of a recipient."""
    payload = status.get_payload()
    encoded = _header(status, "content-transfer-encoding").strip().lower() in ("base64", "quoted-printable")
    if not encoded and isinstance(payload, list) and len(payload) > 1:
        return [each for each in payload if isinstance(each, Message)]
    if isinstance(payload, list):
        written = "\n\n".join(str(each) for each in payload)
        if encoded:  # the parser took the encoded text for fields
            carrier = Message()
            carrier["Content-Transfer-Encoding"] = _header(status, "content-transfer-encoding")
            carrier.set_payload(written.strip())
            written = _decoded(carrier)
    else:
        written = _decoded(status)
    groups = re.split(r"\n[ \t]*\n", written.replace("\r\n", "\n").strip())
    return [HeaderParser().parsestr(each) for each in groups if each.strip()]


def _fate(block: Message) -> Fate | None:
    """What a group of fields says of a recipient; None for that of the message, and for what says nothing known."""
    outcome = _WORDS.get(_header(block, "action").split("(")[0].strip().lower())
    names = (_typed(_header(block, name)) for name in ("final-recipient", "original-recipient"))
    addresses = tuple(dict.fromkeys(each for each in names if each))
    if outcome is None or not addresses:
        return None
    said = (_header(block, "status"), _typed(_header(block, "diagnostic-code"), lower=False))
    return Fate(outcome, addresses, _one_line(" ".join(filter(None, said))))


def _typed(value: str, *, lower: bool = True) -> str:
    """The value of a field such as `rfc822; kim@client.example`; xtext (RFC 3461, section 4) is read."""
    kind, sign, rest = value.partition(";")
    found = (rest if sign else kind).strip().strip("<>")
    if not lower:
        return found
    found = re.sub(r"\+([0-9A-F]{2})", lambda each: chr(int(each[1], 16)), found)
    return found.lower()


def _returned_ids(parts: list[Message]) -> Iterator[str]:
    """The Message-IDs of the message that came back."""
    for part in parts:
        kind, payload = part.get_content_type(), part.get_payload()
        if kind in _WHOLE and isinstance(payload, list) and payload and isinstance(payload[0], Message):
            found = _header(payload[0], "message-id")
        elif kind in _HEADERS_ONLY:
            written = "\n".join(map(str, payload)) if isinstance(payload, list) else _decoded(part)
            found = _header(HeaderParser().parsestr(written.lstrip()), "message-id")
        else:
            continue
        if found.strip():
            yield f"<{found.strip().strip('<>')}>"


def _kind(mail: Message) -> Kind:
    """A mail without a delivery report: from a mail system, or an answer somebody's program gave (RFC 3834)."""
    if mail.get_content_type() == "multipart/report":  # a receipt (RFC 8098), a complaint (RFC 5965)
        return Kind.OTHER
    daemon = bool(_DAEMONS.search(_headers(mail, "from")))
    if daemon and not _AWAY.search(_headers(mail, "subject")):
        return Kind.BOUNCE
    answers = _header(mail, "auto-submitted").strip().lower().startswith(("auto-replied", "auto-notified"))
    marked = any(mail.get(name) for name in ("x-autoreply", "x-autorespond", "x-autoresponder"))
    precedence = _header(mail, "precedence").strip().lower() == "auto_reply"
    if answers or marked or precedence or _AWAY.search(_headers(mail, "subject")):
        return Kind.AUTOMATIC
    return Kind.OTHER


def _outcome(mail: Message, text: str) -> Outcome | None:
    subject = _headers(mail, "subject")
    if mail.get("x-failed-recipients"):
        return Outcome.FAILED
    if _WAITS.search(subject) or (_WAITS.search(text) and not _GONE.search(subject)):
        permanent = re.search(r"permanent|gave up|giving up|failed permanently", text, re.IGNORECASE)
        return Outcome.FAILED if permanent and not _WAITS.search(subject) else Outcome.DELAYED
    return Outcome.FAILED if _GONE.search(subject) or _GONE.search(text) else None


def _text(parts: list[Message]) -> str:
    """The text people are to read, of its plain part or else of its HTML."""
    for kind in ("text/plain", "text/html"):
        for part in parts:
            if part.get_content_type() == kind:
                found = _decoded(part)[: _LONGEST_TEXT * 2]
                if kind == "text/html":
                    found = html.unescape(re.sub(r"<[^<>]{0,2000}>", " ", found))
                if found.strip():
                    return found[:_LONGEST_TEXT]
    return ""


def _why(text: str) -> str:
    """The line that says why: the first with a status code, else the first that says something."""
    lines = [each.strip() for each in text.splitlines() if each.strip()]
    coded = (
        each for each in lines if re.search(r"(?<![\d.])[45]\.\d{1,3}\.\d{1,3}|(?<!\d)[45]\d\d[ -]", each)
    )
    return _one_line(next(coded, lines[0] if lines else ""))


def _addresses(text: str) -> list[str]:
    return list(dict.fromkeys(each.strip(".").lower() for each in _ADDRESS.findall(text)))[:_MOST_RECIPIENTS]


def _decoded(part: Message) -> str:
    content = part.get_payload(decode=True)
    if not isinstance(content, bytes):
        return ""
    try:
        return content.decode(part.get_content_charset() or "utf-8", "replace")
    except (LookupError, ValueError):
        return content.decode("latin-1")


def _headers(mail: Message, name: str) -> str:
    return " ".join(_clean(str(each)) for each in mail.get_all(name, [])[:20])


def _header(mail: Message, name: str) -> str:
    return _clean(str(mail.get(name, "")))


def _clean(value: str) -> str:
    return value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")[:4000]


def _one_line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:_LONGEST_WHY]
