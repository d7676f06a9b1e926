"""Keeps the sentences that rules and commands say in step with their translations: `make languages`.

Read out of the code where they are said: what an error is raised with, what is handed on as a reason, and everything
the modules of `TOLD` say. A place in an f-string becomes a place of the message, named as in the code where it has a
name there; what may be said in two ways, such as 'line' and 'lines', becomes two messages.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator

from babel.messages.catalog import Catalog

from activities.languages import extraction
from starter.web.languages import SENTENCES, TRANSLATED

_SAID = ("billing", "activities/ledger", "activities/invoicing", "starter/web")
"""Where errors are raised, and reasons handed on, that people read on pages."""

_NOT_SAID = (
    "activities/invoicing/account_documents",
    "activities/invoicing/refunding",
    "activities/invoicing/taxing",
    "activities/ledger/looks",
    "activities/ledger/opening_items",
    "billing/number_pattern",
    "billing/simulation/",
    "billing/taxes/dated",
    "billing/taxes/notes",
    "starter/web/api/",
    "starter/web/bodies",
    "starter/web/callers",
    "starter/web/portal/",
    "starter/web/vendor_webhooks",
    "starter/web/webhooks",
)
"""Read at the command line, by programs, or by clients: in English, or in languages of their own."""

_TOLD = (
    "activities/ledger/agreement_views.py",
    "activities/ledger/inbox.py",
    "activities/ledger/integration_views.py",
    "activities/ledger/why.py",
    "activities/ledger/why_not.py",
    "billing/fees.py",
    "billing/go_ahead.py",
    "billing/hours.py",
    "billing/lines.py",
    "billing/matching.py",
    "billing/outlook.py",
    "billing/spending.py",
    "billing/approval_policy.py",
    "billing/leakage/",
    "billing/meter_words.py",
    "billing/source_checks.py",
    "billing/payment_text.py",
    "billing/taxes/",
    "billing/tax_explanation.py",
    "billing/work_checks.py",
    "starter/web/commands/",
    "starter/web/absences.py",
    "starter/web/bank.py",
    "starter/web/billing_by_hand.py",
    "starter/web/clients.py",
    "starter/web/failures.py",
    "starter/web/saved_views.py",
)
"""Modules whose every text is read by people; others say nothing but errors and reasons."""

_TRAIL = "activities/ledger/timeline.py"

_ERRORS = {
    "Conflicting", "HTTPException", "MoneyError", "NotAllowed", "NotFound", "NumberingError", "Refused",
    "SignInFailed", "SourceClosed", "SourceFaulty", "SourceUnavailable", "WrongState",
}  # fmt: skip
_REASONS = {"because", "verified", "message", "outcome", "question", "waits_for", "why"}
_KEPT = {"because", "how", "likely", "reason", "said", "why"}
_PIECE = "piece"
_TELLS = {"text", "money", _PIECE}
_FINDINGS = {"Finding", "finding"}

_TOGETHER = {
    "billing/payment_terms.py": (
        "net 1 minute",
        "net %(minutes)s minutes",
        "net 1 day",
        "net %(days)s days",
        "end of month + 1 day",
        "end of month + %(days)s days",
        "by the %(day)s. of the month",
        "by the %(day)s. of the month, 1 month later",
        "by the %(day)s. of the month, %(months)s months later",
        "%(days)s days before the service begins",
        "%(percent)s %% discount within %(days)s days",
        "end of month",
        "on receipt",
        "%(terms)s, or the next business day",
        "%(terms)s, or the business day before",
        "%(terms)s, or the next business day of that month, else the one before",
    ),
    "billing/agreement_terms.py": (
        "every month",
        "every quarter",
        "every half-year",
        "every year",
        "every %(count)s months",
        "every %(count)s days",
        "in advance",
        "in arrears",
        "on its first day",
        "the day after its last",
        "on day %(day)s of the month",
        "on the first business day of the month",
        "on the last business day of the month",
        "on the last day of the month",
        "when somebody asks",
        "each time %(amount)s are unbilled",
        "when its deal is won",
        "when its contract is signed",
        "when its project is completed",
        "each milestone when it is signed off",
        "each milestone when progress has come so far",
        "from %(day)s",
        "from %(first)s to %(last)s",
        "from %(day)s, no end",
        "%(hours)s hours for %(price)s",
        "%(amount)s in %(count)s milestones",
        "%(amount)s in 1 milestone",
        "%(amount)s for a period",
        "%(amount)s for the whole",
        "%(amount)s for the hours of a period",
        "as spent",
        "and %(percent)s %% on top",
        "at most %(amount)s a period",
        "%(percent)s %% off the net",
        "with tax",
        "%(hours)s hours of each period",
        "one for each %(what)s",
        "unbilled work of earlier periods: hold the invoice until a person decides",
        "unbilled work of earlier periods: billed along",
        "unbilled work of earlier periods: left alone",
        "%(hours)s hours; more is held for a person",
        "the next block is billed",
        "the next block is billed when %(hours)s hours are left",
        "more hours cost %(rate)s each",
        "billed by the month",
        "a person decides",
        "after %(months)s months",
        "after 1 month",
        "%(hours)s hours are kept",
        "%(amount)s from %(day)s (%(why)s)",
    ),
    "billing/findings.py": (
        "%(field)s differs: %(left)s against %(right)s; correct the system that is wrong, or accept the difference",
        (
            "%(field)s differs: %(left)s against %(right)s, a difference of %(by)s; "
            "correct the system that is wrong, or accept the difference"
        ),
    ),
    "billing/work_checks.py": (
        *(
            f"{said} not approved in the PSA (%(entries)s); approve them, or accept to leave them out"
            for said in ("%(hours)s hour of %(when)s is", "%(hours)s hours of %(when)s are")
        ),
        "1 entry: %(entries)s",
        "%(count)s entries: %(entries)s",
    ),
    "billing/taxes/member_states.py": (
        "service to a business in %(country)s, outside the EU, place of supply there",
        "service to a consumer in %(country)s, outside the EU, place of supply there",
    ),
    "billing/taxes/single_country.py": tuple(
        f"service to a {whom} in %(country)s, {how}"
        for whom in ("business", "consumer")
        for how in ("zero-rated export", "place of supply there")
    ),
    "billing/taxes/canada.py": (
        "S: service to a recipient in %(province)s, %(names)s, %(article)s",
        "Z: service to a non-resident in %(country)s, zero-rated, %(article)s",
    ),
    "billing/taxes/india.py": (
        "S: from state %(home)s to state %(there)s, %(names)s, %(article)s",
        *(
            f"{how}: {what}, under letter of undertaking %(undertaking)s, %(article)s"
            for how in ("G", "Z")
            for what in ("service to a special economic zone", "export of a service to %(country)s")
        ),
    ),
    "activities/invoicing/standing.py": (
        "decided or repaired: %(step)s again; undecided: goes up the line",
        "approved: numbered and sent; silence: goes up the line",
        "made again by itself; decided or repaired: at once",
        "look again",
    ),
    "activities/ledger/why.py": (
        "Asked for, and not issued yet: %(status)s, %(net)s net.",
        "Billed: %(number)s of %(day)s, %(net)s net.",
    ),
    "billing/taxes/national_rate.py": (
        "S: %(what)s in %(country)s, standard rate %(rate)s, %(law)s",
        "S: %(what)s in %(country)s, %(kind)s rate %(rate)s, %(law)s",
    ),
    "billing/taxes/outcome.py": tuple(
        f"{each}: %(why)s, {article}"
        for each in ("AE", "E", "G", "K", "O", "Z")
        for article in ("%(article)s", "Art. %(article)s", "§ %(article)s")
    ),
}
"""Sentences that the code puts together from pieces too small to be found."""

_HEADER = """What rules and commands say, in {name}, for the pages of Billow.

msgid is the English text as the code says it. %(name)s is a place that is filled, by
figures, days, names, or another of these sentences: put it where it belongs."""

_MOST_WAYS = 8
_WORDS = re.compile(r"[A-Za-z]{2,}")
_CODE = re.compile(r"[_$={}]")
_PLACE = re.compile(r"%\(\w+\)s")


def messages() -> Catalog:
    """Every sentence said."""
    found = Catalog()
    for folder in _SAID:
        for path in sorted((extraction.ROOT / folder).rglob("*.py")):
            place = path.relative_to(extraction.ROOT).as_posix()
            if place.startswith(_NOT_SAID):
                continue
            tree = ast.parse(path.read_text())
            for node in _everything(tree) if place.startswith(_TOLD) else _errors_and_reasons(tree):
                for text in filter(_is_sentence, _ways(node)):
                    found.add(text, None, [(place, node.lineno)])
            for node in _pieces(tree) if place == _TRAIL else ():
                for text in filter(_WORDS.search, _ways(node)):
                    found.add(text, None, [(place, node.lineno)])
    for place, texts in _TOGETHER.items():
        for text in texts:
            found.add(text, None, [(place, 1)])
    return found


def _errors_and_reasons(tree: ast.AST) -> Iterator[ast.expr]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign | ast.AugAssign) and _targets(node) & _KEPT:
            yield from _within(node.value)
        if isinstance(node, ast.FunctionDef) and node.name.strip("_") in _KEPT:
            for each in ast.walk(node):
                if isinstance(each, ast.Return) and each.value:
                    yield from _within(each.value)
        if isinstance(node, ast.Call):
            yield from _handed_on(node)


def _handed_on(node: ast.Call) -> Iterator[ast.expr]:
    name = getattr(node.func, "id", getattr(node.func, "attr", ""))
    if name in _ERRORS or name in _FINDINGS:
        for each in node.args:
            yield from _within(each)
    for keyword in node.keywords:
        if keyword.arg in _REASONS:
            yield from _within(keyword.value)


def _targets(node: ast.Assign | ast.AugAssign) -> set[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return {each.id for each in targets if isinstance(each, ast.Name)}


def _pieces(tree: ast.AST) -> Iterator[ast.expr]:
    """What the audit trail says before and after each fact."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _TELLS:
            first = 0 if node.func.attr == _PIECE else 1
            yield from [*node.args[first:], *(each.value for each in node.keywords)]


def _everything(tree: ast.AST) -> Iterator[ast.expr]:
    """The outermost texts, and those in their places; no docstrings, and nothing logged."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue
        if isinstance(node, ast.Call) and _is_log(node.func):
            continue
        if isinstance(node, ast.keyword) and node.arg == "description":
            continue
        if isinstance(node, ast.expr) and next(_ways(node), None) is not None:
            yield from _within(node)
        else:
            yield from _everything(node)


def _within(node: ast.expr) -> Iterator[ast.expr]:
    """A text, and those it may be put together from."""
    yield node
    pieces = {
        id(piece) for each in ast.walk(node) if isinstance(each, ast.JoinedStr) for piece in each.values
    }
    for each in ast.walk(node):
        if each is not node and isinstance(each, ast.Constant | ast.JoinedStr) and id(each) not in pieces:
            yield each


def _is_log(called: ast.expr) -> bool:
    return (
        isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name) and called.value.id == "log"
    )


def _is_sentence(text: str) -> bool:
    rest = _PLACE.sub(" ", text)
    words = _WORDS.findall(rest)
    enough = len(words) > 1 or (len(words) == 1 and "(" in rest and rest != text)
    return enough and " " in text.strip() and rest.upper() != rest and not _CODE.search(rest)


def _ways(node: ast.expr) -> Iterator[str]:
    """The texts an expression may come to, with their places; none if it is no text."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value.replace("%", "%%")
    elif isinstance(node, ast.IfExp):
        yield from _ways(node.body)
        yield from _ways(node.orelse)
    elif isinstance(node, ast.JoinedStr):
        yield from _joined(node.values)
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        yield from _joined([node.left, node.right])


def _joined(parts: Iterable[ast.expr]) -> Iterator[str]:
    said, places = [""], 0
    for part in parts:
        inner = part.value if isinstance(part, ast.FormattedValue) else part
        ways = list(_ways(inner)) if not _has_places(inner) else []
        if not ways and isinstance(part, ast.BinOp | ast.JoinedStr):
            ways = list(_ways(part))
        if not ways or len(ways) * len(said) > _MOST_WAYS:
            places += 1
            ways = [f"%({_name(inner, places)})s"]
        said = [before + way for before in said for way in ways]
    texts = [_apart(text) for text in said]
    if any(_PLACE.sub("", text).strip() for text in texts):
        yield from texts


def _has_places(node: ast.expr) -> bool:
    return any(isinstance(each, ast.FormattedValue) for each in ast.walk(node))


def _name(node: ast.expr, number: int) -> str:
    name = getattr(node, "id", getattr(node, "attr", ""))
    return name.strip("_") or str(number)


def _apart(text: str) -> str:
    """The same, no name of a place twice."""
    seen: dict[str, int] = {}

    def named(found: re.Match[str]) -> str:
        name = found[0][2:-2]
        seen[name] = seen.get(name, 0) + 1
        return f"%({name}{seen[name] if seen[name] > 1 else ''})s"

    return _PLACE.sub(named, text)


def updated(language: str) -> Catalog:
    """The catalogue of a language, in step with the sentences said."""
    return extraction.updated(language, messages(), SENTENCES, _HEADER)


def main() -> None:
    """Updates the file of every language and says what is left to translate."""
    for language in TRANSLATED:
        extraction.update(SENTENCES / f"{language}.po", updated(language))


if __name__ == "__main__":
    main()
