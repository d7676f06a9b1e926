"""Official rules run over a document: XSLT by SaxonC, each set compiled once a process, its report read.

Two seconds of compiling a process; after that 2 to 30 ms a document and set. Documents leave some memory behind
(SaxonC, about 7 kB each), so a process that validates for ever is recycled.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

from lxml import etree

from activities.einvoice.rule_files import ALL, RuleFile, RulesMissing
from billing.einvoice.breach import Breach, Severity
from billing.einvoice.words import plain

_REPORT = "{http://purl.oclc.org/dsdl/svrl}"
_FOUND = (f"{_REPORT}failed-assert", f"{_REPORT}successful-report")
_STEP = re.compile(r"/@?(?:\*:|[\w.-]+:)?([\w.-]+)(?:\[namespace-uri\(\)=[^\]]*\])?(?:\[(\d+)\])?")


class ValidationFailed(RulesMissing):
    """The rules could not be run to their end, so nothing is known of the document."""


NAMELESS = "FX-NOT-USED"
"""What stands for an id where Factur-X gives none: a term that its profile does not know."""

Words = Callable[[str, str], str]
"""What to say of a broken rule, from its id and its official text."""


def broken(rule_file: RuleFile, xml: str, words: Words = plain) -> tuple[Breach, ...]:
    """What the document (well-formed, without a document type) breaks of one rule set, in the order it is found.

    `RulesMissing` if the file or SaxonC is not installed, `ValidationFailed` if the rules end in an error: a set is
    never left out in silence.
    """
    processor, executable = _processor(), _compiled(rule_file)
    try:
        report = executable.transform_to_string(xdm_node=processor.parse_xml(xml_text=xml))
    except Exception as error:
        raise ValidationFailed(f"the rules {rule_file.rules} failed on the document: {error}") from error
    if not report or "<svrl:schematron-output" not in report:
        raise ValidationFailed(f"the rules {rule_file.rules} gave no report on the document")
    return tuple(_read(rule_file, report, words))


def prepare() -> None:
    """Compiles every rule set now, so that the first document does not wait for it. `RulesMissing` as above."""
    for rule_file in ALL:
        _compiled(rule_file)


@lru_cache(maxsize=1)
def _processor() -> Any:
    try:
        from saxonche import PySaxonProcessor
    except ImportError as error:
        raise RulesMissing(
            f"SaxonC is not installed ({error}): no invoice can be validated; "
            "install saxonche as requirements.txt has it (make environment), then try again"
        ) from error
    return PySaxonProcessor(license=False)


@lru_cache(maxsize=len(ALL))
def _compiled(rule_file: RuleFile) -> Any:
    path = rule_file.find()
    try:
        return _processor().new_xslt30_processor().compile_stylesheet(stylesheet_file=str(path))
    except RulesMissing:
        raise
    except Exception as error:
        raise ValidationFailed(f"the rules {rule_file.rules} do not compile ({path}): {error}") from error


def _read(rule_file: RuleFile, report: str, words: Words) -> Iterator[Breach]:
    """The report as ISO/IEC 19757-3, annex D, has it. Factur-X flags none of its own rules: they are fatal."""
    for element in etree.fromstring(report.encode()).iter(*_FOUND):
        flag = element.get("flag") or element.get("role") or "fatal"
        rule = element.get("id") or NAMELESS
        yield Breach(
            rule=rule,
            severity=Severity.FATAL if flag in {"fatal", "error"} else Severity.WARNING,
            words=words(rule, "".join(element.itertext())),
            place=place(element.get("location") or ""),
            rules=rule_file.rules,
        )


def place(location: str) -> str:
    """An XPath as people read it: no namespaces, positions only where there are several."""
    steps = [f"{name}[{n}]" if n and n != "1" else name for name, n in _STEP.findall(location)]
    return "/".join(steps)
