"""Secrets somebody wrote into the company folder: it is under version control, and read by many.

SOURCE of the forms: the vendors' pages on their tokens; those of a form that nothing else has are found in every file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from activities.company.problems import KeyPath, Problem
from activities.company.yaml_reader import Document

_FORMS = (
    ("a HubSpot token", re.compile(r"\bpat-[a-z]{2,3}\d?-[0-9a-f]{8}-[0-9a-f-]{20,}", re.IGNORECASE)),
    ("a Slack token", re.compile(r"\bxox[a-z]-[\w-]{10,}|\bxapp-\d-[\w-]{10,}")),
    ("the address of a Slack webhook", re.compile(r"https://hooks\.slack\.com/(services|workflows)/\w+/\w+")),
    ("a signing secret", re.compile(r"\bwhsec_[\w+/=]{16,}")),
    ("an Atlassian token", re.compile(r"\bATATT3[\w=-]{20,}")),
    ("a Stripe key", re.compile(r"\b[sr]k_(live|test)_\w{16,}")),
    ("a GitHub token", re.compile(r"\bgh[pousr]_\w{30,}")),
    ("an AWS access key", re.compile(r"\bA(KIA|SIA)[0-9A-Z]{16}\b")),
    ("a JSON web token", re.compile(r"\beyJ[\w-]{10,}\.[\w-]{10,}\.")),
    ("a private key", re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")),
    ("a password", re.compile(r"[a-z][a-z0-9+.-]*://[^/\s:@]+:[^/\s@]+@", re.IGNORECASE)),
)
_CONNECTIONS = "integrations.yaml"
_KEY = re.compile(r"\b[0-9a-f]{40,}\b", re.IGNORECASE)
_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]{0,99}")
_NAMED_SO = re.compile(r"password|passwd|token|secret|api_?key|credential", re.IGNORECASE)
_ADVICE = (
    "take it out, set it as an environment variable and name that variable under `secrets` of the connection; "
    "and renew it, for whoever reads this folder has read it"
)


def written_secrets(document: Document) -> Iterator[tuple[Problem, str]]:
    """What looks like a secret, with the text nobody may repeat."""
    for path, value in _texts(document.data, ()):
        kind = next((name for name, form in _FORMS if form.search(value)), "")
        if not kind and document.file == _CONNECTIONS:
            kind = _in_connection(path, value)
        if kind:
            yield (
                document.problem(path, f"this looks like {kind}, and secrets have no place here; {_ADVICE}"),
                value,
            )


def _in_connection(path: KeyPath, value: str) -> str:
    """In a connection, also what has no form of its own: whatever stands where the name of a variable belongs."""
    within = path[1:2]
    if within == ("secrets",):
        return "" if _VARIABLE.fullmatch(value) else "a secret itself"
    if (
        within == ("settings",)
        and value
        and _NAMED_SO.search(str(path[-1]))
        and not _VARIABLE.fullmatch(value)
    ):
        return "a secret itself"
    return "a key" if _KEY.search(value) else ""


def unrepeated(problems: Sequence[Problem], told: Sequence[tuple[Problem, str]]) -> list[Problem]:
    """The problems without those that quote a secret, and with one for each secret."""
    texts = [text for _, text in told]
    kept = [each for each in problems if not any(_quotes(each.message, text) for text in texts)]
    return [*kept, *(problem for problem, _ in told)]


def _quotes(message: str, text: str) -> bool:
    return text[:20] in message or repr(text)[1:20] in message


def _texts(data: Any, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    if isinstance(data, str):
        yield path, data
    elif isinstance(data, dict):
        for key, value in data.items():
            yield from _texts(value, (*path, str(key)))
    elif isinstance(data, list):
        for n, value in enumerate(data):
            yield from _texts(value, (*path, n))
