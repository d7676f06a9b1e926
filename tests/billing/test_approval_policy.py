"""Who is asked, whose decision counts, and who is asked when nobody answers."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from billing.approval_policy import (
    ApprovalPolicy,
    ApprovalTier,
    Channel,
    Circumstances,
    Claim,
    Standing,
    Verdict,
    approval_limit,
    can_be_decided,
    escalate_to,
    judge,
    may_decide,
)
from billing.approval_round import up_the_line, whom_to_ask
from billing.money import Money
from billing.parties import Person
from tests.billing.properties import examples
from tests.billing.records import people, person

TODAY = date(2026, 6, 16)
NOBODY: frozenset[str] = frozenset()

# mara ← noor ← pia, mara ← otto; lea leads nobody and reports to nobody
STAFF = people(
    person("mara"),
    person("noor", reports_to="mara"),
    person("otto", reports_to="mara"),
    person("pia", reports_to="noor"),
    person("lea"),
)


def tier(**record: Any) -> ApprovalTier:
    return ApprovalTier.model_validate({"id": "large", "approvers": ["noor", "otto"], **record})


def required(policy: ApprovalPolicy, amount: str, currency: str = "EUR", **more: Any) -> list[str]:
    asked = policy.required(Money.of(amount, currency), Circumstances.model_validate(more))
    return [each.id for each in asked]


def away(key: str, delegate: str | None, start: str | None, until: str | None = None, **more: Any) -> Person:
    return person(key, delegate=delegate, away_from=start, away_until=until, **more)


# --- routing ----------------------------------------------------------------------------------------------------------

BY_AMOUNT = ApprovalPolicy(
    tiers=(
        tier(id="head", above={"EUR": "5000", "USD": "5500"}),
        tier(id="board", above={"EUR": "50000", "USD": "55000", "JPY": "8000000"}),
    )
)


@pytest.mark.parametrize(
    ("amount", "currency", "tiers"),
    [
        ("0.00", "EUR", []),
        ("4999.99", "EUR", []),
        ("5000.00", "EUR", []),  # at the limit: not above it
        ("5000.01", "EUR", ["head"]),
        ("50000.00", "EUR", ["head"]),
        ("50000.01", "EUR", ["head", "board"]),
        ("5500.00", "USD", []),
        ("5500.01", "USD", ["head"]),
        ("0.01", "CHF", ["head", "board"]),  # no limit in francs: everybody is asked
        ("8000000", "JPY", ["head"]),
        ("8000001", "JPY", ["head", "board"]),
    ],
)
def test_tiers_by_amount(amount: str, currency: str, tiers: list[str]) -> None:
    """A tier is asked above its limit, not at it; in a currency for which it names no limit it is always asked."""
    assert required(BY_AMOUNT, amount, currency) == tiers


@pytest.mark.parametrize(
    ("conditions", "circumstances", "asked"),
    [
        ({}, {}, True),  # no condition: every invoice
        ({"discount_above": "10"}, {"discount": "10"}, False),
        ({"discount_above": "10"}, {"discount": "10.01"}, True),
        ({"discount_above": "0"}, {}, False),
        ({"non_standard_terms": True}, {}, False),
        ({"non_standard_terms": True}, {"non_standard_terms": True}, True),
        ({"clients": ["acme"]}, {"client": "acme"}, True),
        ({"clients": ["acme"]}, {"client": "other"}, False),
        ({"triggers": ["manual"]}, {"trigger": "manual"}, True),
        ({"triggers": ["manual"]}, {"trigger": "time"}, False),
        ({"above": {"EUR": "5000"}, "clients": ["acme"]}, {"client": "acme"}, True),  # any of them is enough
        ({"above": {"EUR": "5000"}, "clients": ["acme"]}, {"client": "other"}, False),
        ({"above": {"EUR": "50"}, "clients": ["acme"]}, {"client": "other"}, True),
    ],
)
def test_tiers_by_circumstances(
    conditions: dict[str, Any], circumstances: dict[str, Any], asked: bool
) -> None:
    """Discount, terms, client and trigger ask for approval like an amount does; one condition that holds is enough."""
    policy = ApprovalPolicy(tiers=(tier(**conditions),))
    assert required(policy, "100.00", **circumstances) == (["large"] if asked else [])


def test_without_tiers_nobody_is_asked() -> None:
    """A company that has no tier issues everything unseen."""
    assert required(ApprovalPolicy(), "1000000.00") == []


@pytest.mark.parametrize(
    ("approvers", "needed", "quorum"),
    [
        (["noor", "otto"], 1, 1),
        (["noor", "otto"], 2, 2),
        (["noor", "otto"], "all", 2),
        (["noor", "noor"], "all", 1),
    ],
)
def test_quorum(approvers: list[str], needed: int | str, quorum: int) -> None:
    """Any of them, so many of them, or all of them; somebody named twice is one person."""
    assert tier(approvers=approvers, needed=needed).quorum == quorum


@pytest.mark.parametrize(
    "wrong",
    [{"approvers": []}, {"needed": 0}, {"needed": -1}, {"needed": "both"}, {"decide_within_hours": 0},
     {"above": {"EUX": "1"}}, {"above": {"EUR": 1.5}}, {"channels": ["fax"]}, {"discount_above": "100"}],
)  # fmt: skip
def test_tiers_that_are_none(wrong: dict[str, Any]) -> None:
    """A tier has approvers, needs at least one, gives them time, and its limits are in currencies there are."""
    with pytest.raises(ValidationError):
        tier(**wrong)


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({}, "any amount"),
        ({"USD": Decimal("5500.50"), "EUR": Decimal(5000)}, "EUR 5,000 · USD 5,500.50"),
        ({"JPY": Decimal(8000000)}, "JPY 8,000,000"),
    ],
)
def test_limits_in_words(limits: dict[str, Decimal], words: str) -> None:
    """The limits of a tier read in one line, in order of currency."""
    assert approval_limit(limits) == words


# --- delegates --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "until", "today", "stands_in"),
    [
        ("2026-06-10", "2026-06-20", "2026-06-09", False),
        ("2026-06-10", "2026-06-20", "2026-06-10", True),  # both days count
        ("2026-06-10", "2026-06-20", "2026-06-20", True),
        ("2026-06-10", "2026-06-20", "2026-06-21", False),
        ("2026-06-10", None, "2030-01-01", True),  # away until further notice
        (None, None, "2026-06-16", False),
    ],
)
def test_delegates_by_date(start: str | None, until: str | None, today: str, stands_in: bool) -> None:
    """A delegate decides from the first to the last day of absence; whoever is away may still decide too."""
    staff = STAFF | people(away("noor", "lea", start, until, reports_to="mara"))
    found = may_decide(tier(), staff, date.fromisoformat(today))
    assert found == {"noor": "noor", "otto": "otto"} | ({"lea": "noor"} if stands_in else {})


def test_a_delegate_who_is_an_approver_decides_as_himself() -> None:
    """Being named as delegate takes no right away, in whichever order the approvers stand."""
    staff = STAFF | people(away("noor", "otto", "2026-06-01"))
    for approvers in (["noor", "otto"], ["otto", "noor"]):
        assert may_decide(tier(approvers=approvers), staff, TODAY) == {"noor": "noor", "otto": "otto"}


def test_one_seat_is_one_voice() -> None:
    """Somebody away and the delegate are one voice of two needed, whoever speaks first; the other approver is asked."""
    staff = STAFF | people(away("noor", "lea", "2026-06-01"))
    both = tier(needed="all")
    for first, second in (("lea", "noor"), ("noor", "lea")):
        refused = refusal(second, both, staff, approved_by=(first,), also_asked=("noor", "otto", "lea"))
        assert refused == f"{first!r} has decided for 'noor' already"
        assert refusal("otto", both, staff, approved_by=(first,)) is None


def test_enough_people_are_left() -> None:
    """A tier can be decided while as many seats are left as it needs; people who are gone fill none."""
    one, both = tier(), tier(needed="all")
    assert can_be_decided(one, STAFF, NOBODY, TODAY)
    assert can_be_decided(one, STAFF, frozenset({"noor"}), TODAY)
    assert not can_be_decided(one, STAFF, frozenset({"noor", "otto"}), TODAY)
    assert can_be_decided(both, STAFF, frozenset({"pia"}), TODAY)
    assert not can_be_decided(both, STAFF, frozenset({"noor"}), TODAY)
    assert not can_be_decided(one, {"mara": STAFF["mara"]}, NOBODY, TODAY)


def test_a_delegate_fills_the_seat_of_one() -> None:
    """When one of two took part, the other one and his own delegate are not two voices."""
    staff = STAFF | people(away("noor", "lea", "2026-06-01"))
    both = tier(needed="all")
    assert can_be_decided(both, staff, NOBODY, TODAY)
    assert not can_be_decided(both, staff, frozenset({"otto"}), TODAY)
    assert can_be_decided(tier(approvers=["noor"]), staff, frozenset({"noor"}), TODAY)  # lea for noor


# --- judging a claim --------------------------------------------------------------------------------------------------


def refusal(
    who: str,
    asked: ApprovalTier | None = None,
    staff: dict[str, Person] | None = None,
    channel: Channel = Channel.WEB,
    digest: str | None = None,
    verdict: Verdict = Verdict.APPROVE,
    **standing: Any,
) -> str | None:
    """What `judge` says to somebody's claim on a draft with digest d1 that pia triggered."""
    claim = Claim(verdict=verdict, approver=who, channel=channel, draft_digest=digest)
    record = {
        "waiting": True,
        "state": "awaiting approval",
        "tier": asked or tier(),
        "digest": "d1",
        "took_part": {"pia"},
    }
    return judge(claim, Standing.model_validate({**record, **standing}), staff or STAFF, TODAY)


@pytest.mark.parametrize("verdict", list(Verdict))
@pytest.mark.parametrize("digest", [None, "", "d1"])
@pytest.mark.parametrize("channel", [each for each in Channel if each is not Channel.LINK])
def test_claims_that_count(verdict: Verdict, digest: str | None, channel: Channel) -> None:
    """An approver who took no part decides once, on the draft as it is, by any channel the tier takes."""
    assert refusal("noor", verdict=verdict, digest=digest, channel=channel) is None
    assert refusal("mara", also_asked=("mara",), verdict=verdict, digest=digest, channel=channel) is None


@pytest.mark.parametrize(
    ("who", "changes", "says"),
    [
        ("noor", {"waiting": False, "state": "issued"}, "nothing to decide: the invoice is issued"),
        ("eve", {}, "'eve' is not a person of this company"),
        ("", {}, "'nobody' is not a person of this company"),
        ("Noor", {}, "'Noor' is not a person"),
        ("mara", {}, "'mara' is not an approver of tier 'large'; asked are: noor, otto"),
        ("lea", {"also_asked": ("mara",)}, "asked are: mara, noor, otto"),
        ("pia", {"also_asked": ("pia",)}, "four eyes: 'pia' triggered or changed this draft"),
        ("noor", {"took_part": {"noor"}}, "four eyes"),
        ("noor", {"approved_by": ("noor",)}, "'noor' has decided already"),
        ("noor", {"digest": "d0"}, "the draft has changed since"),
    ],
)
@pytest.mark.parametrize("verdict", list(Verdict))
def test_claims_that_are_refused(who: str, changes: dict[str, Any], says: str, verdict: Verdict) -> None:
    """Stranger, requester, second decision, stale draft, nothing to decide: each is told why, for and against."""
    refused = refusal(who, verdict=verdict, **changes)
    assert refused is not None and says in refused


@pytest.mark.parametrize("channel", [each for each in Channel if each is not Channel.LINK])
def test_who_is_asked_without_the_role(channel: Channel) -> None:
    """Whoever has not the role of an approver decides nothing, though asked: by no channel, in words that help."""
    staff = STAFF | people(person("noor", roles=["finance", "operator"]))
    refused = refusal("noor", staff=staff, channel=channel)
    assert refused == (
        "'noor' has the role operator, and decisions need the role approver; "
        "roles are given in people.yaml of the company folder"
    )


def test_a_tier_that_is_gone_decides_nothing() -> None:
    """Where the ledger waits for a tier that the policy no longer has, nobody's claim counts."""
    claim = Claim(verdict=Verdict.APPROVE, approver="noor", channel=Channel.WEB)
    refused = judge(claim, Standing(waiting=True, state="awaiting approval"), STAFF, TODAY)
    assert refused == "nothing to decide: the invoice is awaiting approval"


def test_a_link_counts_only_where_it_is_listed() -> None:
    """Whoever has the message is not yet the person: by its link nobody decides unless the tier says so."""
    assert "takes no decision by link" in (refusal("noor", channel=Channel.LINK) or "")
    assert refusal("noor", tier(channels=["web", "link"]), channel=Channel.LINK) is None


@pytest.mark.parametrize("channel", list(Channel))
def test_a_tier_takes_only_the_channels_it_lists(channel: Channel) -> None:
    """Where only the web app carries proof of who decides, a signal and the command line are refused by name."""
    refused = refusal("noor", tier(channels=["web"]), channel=channel)
    if channel is Channel.WEB:
        assert refused is None
    else:
        assert refused == f"tier 'large' takes no decision by {channel}; use one of: web"


def test_a_delegate_decides_for_who_is_away() -> None:
    """The delegate's claim counts on the days of absence, not before."""
    asked = tier(approvers=["noor"])
    assert refusal("lea", asked, STAFF | people(away("noor", "lea", "2026-06-16"))) is None
    assert refusal("lea", asked, STAFF | people(away("noor", "lea", "2026-06-17"))) is not None


def test_escalation_passes_over_who_may_not() -> None:
    """Up the line goes the question to the next who has the role; where nobody is left, it stays with those asked."""
    staff = STAFF | people(person("noor", reports_to="mara", roles=["operator"]))
    assert up_the_line(["pia"], staff, "lea", NOBODY) == ("mara", ("pia", "mara"))
    without = {who: each.model_copy(update={"roles": ("operator",)}) for who, each in STAFF.items()}
    assert up_the_line(["pia"], without, "lea", NOBODY) == ("lea", ("pia",))
    assert whom_to_ask(tier(approvers=["pia"]), staff, "lea", frozenset({"pia"}), TODAY) == ("mara",)
    assert whom_to_ask(tier(approvers=["pia"]), without, "lea", frozenset({"pia"}), TODAY) == ()
    assert whom_to_ask(tier(), staff, "lea", NOBODY, TODAY) == ("otto",)
    assert whom_to_ask(tier(approvers=["noor"]), staff, "lea", NOBODY, TODAY) == ("mara",)
    assert whom_to_ask(tier(needed="all"), staff, "lea", NOBODY, TODAY) == ()


# --- escalation -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "took_part", "next_one"),
    [
        (["pia"], NOBODY, "noor"),
        (["pia", "noor"], NOBODY, "mara"),
        (["pia"], {"noor"}, "mara"),  # noor took part: one further up
        (["noor", "otto"], NOBODY, "mara"),
        (["noor", "otto", "mara"], NOBODY, "lea"),  # the top: the last resort
        (["mara"], NOBODY, "lea"),
        (["lea"], NOBODY, "lea"),  # nobody else: stays there
        (["gone"], NOBODY, "lea"),
        ([], NOBODY, "lea"),
    ],
)
def test_silence_goes_up_the_line(asked: list[str], took_part: frozenset[str], next_one: str) -> None:
    """Past the deadline the next one up who is not asked yet and took no part, in the end the last resort."""
    assert escalate_to(asked, STAFF, "lea", frozenset(took_part)) == next_one


def test_a_last_resort_who_took_part_passes_it_on() -> None:
    """Whoever triggered the draft cannot decide it: where that is the last resort, it goes up from there."""
    assert escalate_to(["lea"], STAFF, "pia", frozenset({"pia"})) == "noor"
    assert escalate_to(["lea"], STAFF, "pia", frozenset({"pia", "noor"})) == "mara"
    assert escalate_to(["lea"], STAFF, "pia", frozenset({"pia", "noor", "mara"})) == "pia"


@pytest.mark.timeout(30)
@pytest.mark.parametrize(
    ("asked", "took_part"), [(["a", "b"], set()), (["a"], {"b"}), (["c"], {"a", "b"}), (["d"], set())]
)
def test_a_circle_of_reports_ends(asked: list[str], took_part: set[str]) -> None:
    """a reports to b, b to a, c to a, d to himself: whoever is silent, the search ends with the last resort."""
    circle = people(
        person("a", reports_to="b"),
        person("b", reports_to="a"),
        person("c", reports_to="a"),
        person("d", reports_to="d"),
    )
    assert escalate_to(asked, circle, "mara", frozenset(took_part)) == "mara"


KEYS = ["a", "b", "c", "d", "e"]


@pytest.mark.timeout(30)
@given(
    st.lists(st.none() | st.sampled_from([*KEYS, "gone"]), min_size=5, max_size=5),
    st.sets(st.sampled_from(KEYS), max_size=3),
    st.sets(st.sampled_from(KEYS), max_size=3),
    st.sampled_from(KEYS),
)
@examples(200)
def test_escalation_always_ends_with_somebody(
    bosses: list[str | None], first: set[str], took_part: set[str], last_resort: str
) -> None:
    """In any line of reports, circles included, asking ever one more ends, and never with somebody who is gone."""
    staff = people(*(person(key, reports_to=boss) for key, boss in zip(KEYS, bosses, strict=True)))
    asked = sorted(first)
    for _ in range(len(KEYS) + 1):
        next_one = escalate_to(asked, staff, last_resort, frozenset(took_part))
        assert next_one in staff
        assert next_one == last_resort or next_one not in took_part | set(asked)
        if next_one in asked or next_one in took_part:
            break
        asked.append(next_one)
    else:
        pytest.fail("escalation does not come to rest")
