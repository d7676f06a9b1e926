"""Mails: composed from templates in the reader's language, built as MIME messages."""

from __future__ import annotations

import hashlib
import re
import textwrap
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from email.headerregistry import Address, BaseHeader, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import SMTP, Policy
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import FileSystemLoader, StrictUndefined, TemplateError, UndefinedError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from activities.documents.colour import readable_on_white
from activities.documents.typography import in_fours, typography
from activities.languages.templating import translated
from billing.errors import BillowError
from billing.parties import Contact, EmailAddress

TEMPLATES = Path(__file__).parent / "templates" / "email"

CLIENT_EVENTS = (
    "invoice",
    "courtesy-note",
    "reminder-1",
    "reminder-2",
    "reminder-3",
    "credit-note",
    "receipt",
    "dispute-received",
    "dispute-rejected",
    "payment-plan",
)
"""What clients are written about, in the client's language; a higher level reads like level 3."""

STAFF_EVENTS = (
    "approval-request",
    "approval-reminder",
    "exception",
    "unmatched-payment",
    "company-exception",
    "escalation",
    "hand-over",
    "dispute",
    "credit-hold",
    "agreement-wanted",
    "refund-to-pay",
)
"""What our own people are written about."""

_LAST_REMINDER = 3
_LONGEST_TEXT_LINE = 78
_LONGEST_LINE = 998
_LONGEST_ENCODED_LINE = 76
_SIGNATURE = "-- "


class MailTemplateFaulty(BillowError):
    """There is no template for the event, or it asks for something it was not given."""


@dataclass(frozen=True)
class Composed:
    """A mail before it is addressed: a subject of one line, the same content as text and as HTML."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True)
class Attachment:
    """A file that goes with a mail."""

    name: str
    media_type: str
    data: bytes


class _Subject(UnstructuredHeader, BaseHeader):
    """Written with its text from the first line on: in one line, or wholly as encoded words (RFC 2047).

    Folding in the middle of plain text leaves some readers with blanks, or with a first line that is empty.
    """

    def fold(self, *, policy: Policy) -> str:
        text = _header(str(self))
        line = f"{self.name}: {text}"
        plain = "=?" not in text and (text.isascii() or getattr(policy, "utf8", False))
        if not plain or len(line.encode()) > _LONGEST_LINE:
            words = Header(text, "utf-8", _LONGEST_ENCODED_LINE, self.name)
            line = f"{self.name}: {words.encode(linesep=policy.linesep)}"
        return line + policy.linesep


_HEADERS = HeaderRegistry()
_HEADERS.map_to_type("subject", _Subject)
_POLICY = SMTP.clone(header_factory=_HEADERS)


def compose(
    event: str,
    language: str,
    context: Mapping[str, Any],
    *,
    territory: str = "",
    more: bytes | None = None,
) -> Composed:
    """The mail about an event, in the language (English where there is none); `territory` as in `Typography`.

    `more` is the company's own catalogue for the language. Dates and instants in the context are written by locale,
    instants in `zone`. No line of the text is longer than 78 characters, unless a word is. `MailTemplateFaulty` for
    an unknown event and for a field the template needs and the context lacks.
    """
    name = _template(event)
    writes = typography(language, territory, more)
    values = {
        **{name: _one_line(value) for name, value in context.items()},
        "type": writes,
        "catalogue": writes.words,
        "in_fours": in_fours,
        "readable_on_white": readable_on_white,
    }
    try:
        subject, text, html = (
            _environment(as_html=kind == "html")
            .get_template(name)
            .render(values, frame=f"{part}.{kind}.j2", parts=f"parts.{kind}.j2")
            for part, kind in (("subject", "txt"), ("letter", "txt"), ("letter", "html"))
        )
    except UndefinedError as error:
        raise MailTemplateFaulty(f"the mail {name} needs a field it was not given: {error}") from error
    except TemplateError as error:
        raise MailTemplateFaulty(f"the mail {name} has a faulty template: {error}") from error
    return Composed(subject=_header(subject), text=_tidy(_folded(text)), html=_tidy(html))


def build(
    message_id: str,
    sender: Contact,
    to: Contact,
    cc: Sequence[EmailAddress],
    reply_to: EmailAddress | None,
    composed: Composed,
    attachments: Sequence[Attachment] = (),
    *,
    date: datetime,
) -> EmailMessage:
    """The message as it goes over the wire; the same arguments make the same bytes.

    `message_id` is `<left@right>`, with or without the brackets; `date` is aware. Marked as sent by a program
    (RFC 3834), so that no out-of-office note answers it.
    """
    message = EmailMessage(policy=_POLICY)
    message["Message-ID"] = f"<{_header(message_id).strip('<>')}>"
    message["Date"] = date
    message["From"] = _address(sender.name, sender.email)
    message["To"] = _address(to.name, to.email)
    if copies := [each for each in dict.fromkeys(cc) if each.lower() != to.email.lower()]:
        message["Cc"] = [_address("", each) for each in copies]
    if reply_to:
        message["Reply-To"] = _address("", reply_to)
    message["Subject"] = _header(composed.subject)
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(composed.text, cte="quoted-printable")
    message.add_alternative(composed.html, subtype="html", cte="quoted-printable")
    for attachment in attachments:
        main, _, sub = attachment.media_type.partition("/")
        message.add_attachment(attachment.data, maintype=main, subtype=sub, filename=_header(attachment.name))
    _name_boundaries(message)
    return message


@lru_cache(maxsize=2)
def _environment(*, as_html: bool) -> ImmutableSandboxedEnvironment:
    """One template serves both: what it says stands in it once, `frame` and `parts` say how it is written."""
    environment = ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=as_html,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    translated(environment)
    return environment


def _template(event: str) -> str:
    if match := re.fullmatch(r"reminder-([1-9][0-9]*)", event):
        event = f"reminder-{min(int(match[1]), _LAST_REMINDER)}"
    if event not in CLIENT_EVENTS + STAFF_EVENTS:
        raise MailTemplateFaulty(
            f"there is no mail for {event!r}; there are {', '.join(CLIENT_EVENTS + STAFF_EVENTS)}"
        )
    return f"{event}.j2"


def _one_line(value: Any) -> Any:
    """Texts without line breaks: a name must not be able to begin a paragraph of its own."""
    if isinstance(value, str):
        return " ".join(value.split())
    if isinstance(value, list | tuple):
        return [_one_line(each) for each in value]
    return value


def _header(text: str) -> str:
    """A text fit for a header: one line, no control characters, so that none can add a header."""
    visible = (" " if unicodedata.category(c) in {"Cc", "Zl", "Zp"} else c for c in text)
    return " ".join("".join(visible).split())


def _address(name: str, email: str) -> Address:
    """An address whose domain is in ASCII (IDNA); the part before the @ stays as it is."""
    local, _, domain = email.rpartition("@")
    return Address(_header(name), username=local, domain=domain.encode("idna").decode("ascii"))


def _folded(text: str) -> str:
    """Lines as long as mail programs show them whole (RFC 5322 asks for 78); words and addresses stay in one piece."""
    return "\n".join(_folded_line(line) for line in text.splitlines())


def _folded_line(line: str) -> str:
    if len(line) <= _LONGEST_TEXT_LINE or line == _SIGNATURE:
        return line
    return textwrap.fill(
        line,
        _LONGEST_TEXT_LINE,
        subsequent_indent="  " if line.startswith("- ") else "",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _tidy(text: str) -> str:
    """Without trailing blanks, and never more than one empty line in a row."""
    lines = "\n".join(line if line == _SIGNATURE else line.rstrip() for line in text.splitlines())
    return re.sub(r"\n{3,}", "\n\n", lines).strip() + "\n"


def _name_boundaries(message: EmailMessage) -> None:
    """Boundaries from the Message-ID instead of chance; `=_` cannot occur in any encoding used inside."""
    seed = hashlib.sha256(str(message["Message-ID"]).encode()).hexdigest()[:24]
    for index, part in enumerate(part for part in message.walk() if part.is_multipart()):
        part.set_boundary(f"=_{index}_{seed}")
