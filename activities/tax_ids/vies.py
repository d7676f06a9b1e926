"""VIES: the European Commission's register of VAT ids, over its REST interface.

An answer names a consultation number (`requestIdentifier`) where the one who asks names an own VAT id: that is the
evidence a tax office wants. A member state that does not answer says nothing about a number.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import httpx

from billing.errors import SourceUnavailable
from billing.taxes.facts import IdEvidence

COMMISSION = "https://ec.europa.eu/taxation_customs/vies/rest-api"
"""Where the Commission answers."""

SOURCE = "VIES"

_NO_SUCH_NUMBER = "INVALID_INPUT"
"""The country or the number cannot be one at all; every other error says nothing about the number."""

_IN_VAIN = frozenset({"INVALID_REQUESTER_INFO", "VAT_BLOCKED", "IP_BLOCKED"})
"""Codes that another try would get again."""

_LONGEST_WAIT = 5.0


@dataclass(frozen=True)
class Vies:
    """The service at a base URL. `timeout` in seconds counts for each answer; between tries is a growing pause.

    All tries together stay below the minute an activity has.
    """

    base_url: str = COMMISSION
    timeout: float = 5.0
    tries: int = 3
    pause: float = 1.0

    def check(self, number: str, requester: str, at: datetime) -> IdEvidence:
        """Whether a VAT id is valid, asked as the holder of another one (may be empty).

        `SourceUnavailable` if nobody knows now; trying again later may help.
        """
        asked = _compact(number)
        content = {"countryCode": asked[:2], "vatNumber": asked[2:]}
        if own := _compact(requester):
            content |= {"requesterMemberStateCode": own[:2], "requesterNumber": own[2:]}
        why = ""
        for n in range(self.tries):
            if n:
                time.sleep(min(self.pause * 2 ** (n - 1), _LONGEST_WAIT))
            try:
                answer = self._answer(content)
            except _NotNow as error:
                why = str(error)
                continue
            if isinstance(answer.get("valid"), bool):
                return _evidence(asked, answer, at)
            codes = _codes(answer)
            if codes == {_NO_SUCH_NUMBER}:
                return IdEvidence(number=asked, valid=False, checked_on=_utc(at), source=SOURCE)
            why = ", ".join(sorted(codes)) or "an answer of unknown form"
            if not codes or codes & _IN_VAIN:
                break
        raise SourceUnavailable(
            f"VIES says nothing about {asked} ({why}); try again later, or let such invoices go on (tax.when_down)"
        )

    def _answer(self, content: dict[str, str]) -> dict[str, Any]:
        try:
            response = httpx.post(
                f"{self.base_url.rstrip('/')}/check-vat-number", json=content, timeout=self.timeout
            )
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise _NotNow(f"{type(error).__name__}: {error}") from error
        if response.status_code == httpx.codes.TOO_MANY_REQUESTS or response.is_server_error:
            raise _NotNow(f"HTTP {response.status_code}")
        return _object(response)


class _NotNow(Exception):
    """What another try in a moment may mend."""


def _codes(answer: dict[str, Any]) -> set[str]:
    wrappers = answer.get("errorWrappers")
    found = wrappers if isinstance(wrappers, list) else []
    return {str(each.get("error", "")) for each in found if isinstance(each, dict)}


def _object(response: httpx.Response) -> dict[str, Any]:
    try:
        answer = response.json()
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise SourceUnavailable(
            f"VIES answers HTTP {response.status_code} and no JSON object; check BILLOW_VIES_URL"
        )
    return answer


def _evidence(number: str, answer: dict[str, Any], at: datetime) -> IdEvidence:
    name = str(answer.get("name") or "").strip()
    return IdEvidence(
        number=number,
        valid=answer["valid"],
        checked_on=_utc(at),
        source=SOURCE,
        receipt=str(answer.get("requestIdentifier") or ""),
        # three dashes: the member state tells no names
        name="" if name == "---" else name,
    )


def _compact(number: str) -> str:
    return re.sub(r"[^A-Z0-9+*]", "", number.upper())


def _utc(at: datetime) -> date:
    return at.astimezone(UTC).date()
