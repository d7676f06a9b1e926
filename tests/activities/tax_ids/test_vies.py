"""VIES: what is asked, what its answers mean, and that no answer is never taken for one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest

from activities.tax_ids.vies import Vies
from billing.errors import SourceUnavailable
from tests.activities.tax_ids.vies_server import ViesServer

AT = datetime(2026, 11, 22, 9, tzinfo=UTC)
PARIS, BERLIN = "FR40303265045", "DE136695976"


@pytest.fixture
def register() -> Iterator[ViesServer]:
    with ViesServer(PARIS, "EL094259216") as server:
        yield server


def vies(register: ViesServer, **changes: float) -> Vies:
    return Vies(register.url, timeout=5, pause=0.01, **changes)  # type: ignore[arg-type]


def test_a_valid_number(register: ViesServer) -> None:
    """Asked with our own number, the answer has a consultation number and the name; blanks do not matter."""
    found = vies(register).check("FR 40 303 265 045", BERLIN, AT)
    assert register.asked == [
        {
            "countryCode": "FR",
            "vatNumber": "40303265045",
            "requesterMemberStateCode": "DE",
            "requesterNumber": "136695976",
        }
    ]
    assert (found.valid, found.number, found.receipt, found.name) == (True, PARIS, "WAPI-1", "PARIS SA")
    assert (found.checked_on, found.source) == (date(2026, 11, 22), "VIES")
    assert register.refused == []


def test_greece_is_asked_by_its_prefix(register: ViesServer) -> None:
    """Greek numbers begin with EL, in the register too."""
    assert vies(register).check("EL094259216", "", AT).valid
    assert register.asked == [{"countryCode": "EL", "vatNumber": "094259216"}]


def test_a_number_nobody_has(register: ViesServer) -> None:
    """The register knows no such number: not valid, no name, no receipt."""
    found = vies(register).check("FR83404833048", BERLIN, AT)
    assert (found.valid, found.receipt, found.name) == (False, "", "")


def test_what_can_be_no_number(register: ViesServer) -> None:
    """INVALID_INPUT is an answer about the number: not valid."""
    register.fail("INVALID_INPUT")
    assert vies(register).check("FR1", BERLIN, AT).valid is False


@pytest.mark.parametrize("failures", [[503], [429, 500], ["MS_MAX_CONCURRENT_REQ"], ["TIMEOUT", 502]])
def test_what_waiting_mends(register: ViesServer, failures: list[int | str]) -> None:
    """Too many requests, errors of the server and busy member states are tried again."""
    register.fail(*failures)
    assert vies(register).check(PARIS, BERLIN, AT).valid


@pytest.mark.parametrize(
    ("failures", "says"),
    [
        ([503, 503, 503], "HTTP 503"),
        ([429, 429, 429], "HTTP 429"),
        (["MS_UNAVAILABLE"] * 3, "MS_UNAVAILABLE"),
        (["MS_MAX_CONCURRENT_REQ"] * 3, "MS_MAX_CONCURRENT_REQ"),
        (["INVALID_REQUESTER_INFO"], "INVALID_REQUESTER_INFO"),
    ],
)
def test_no_answer_is_none(register: ViesServer, failures: list[int | str], says: str) -> None:
    """A register or member state that does not answer says nothing about the number: unavailable, and why."""
    register.fail(*failures)
    with pytest.raises(SourceUnavailable, match=says):
        vies(register).check(PARIS, BERLIN, AT)


def test_a_register_that_is_gone(register: ViesServer) -> None:
    """Nothing listens: unavailable, with what to do."""
    register.down()
    with pytest.raises(SourceUnavailable, match="when_down"):
        vies(register).check(PARIS, BERLIN, AT)


def test_a_wrong_address(register: ViesServer) -> None:
    """What answers in no known form is unavailable, never an answer."""
    with pytest.raises(SourceUnavailable):
        Vies(register.url + "/elsewhere", timeout=5, tries=1).check(PARIS, BERLIN, AT)
