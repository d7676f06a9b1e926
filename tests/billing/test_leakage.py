"""What counts as revenue leakage, and what it is worth: tables worked by hand."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.agreements import Agreement, Expenses, Occasion, PrepaidBlock, Retainer, TimeAndMaterials
from billing.blocks import BoughtBlock
from billing.calendars import Calendar
from billing.company import Reconciliation
from billing.due import due
from billing.leakage.leak import Crossing, Leak, LeakFacts, ProjectFacts, Retired, VoidedDraft
from billing.leakage.search import find
from billing.money import Money
from billing.periods import Period
from billing.sources import Expense, TimeEntry
from billing.taken import NOTHING, Taken
from tests.billing.properties import examples
from tests.billing.records import (
    START,
    company,
    contract,
    deal,
    fixed_price,
    milestone,
    milestones,
    prepaid_block,
    retainer,
    time_and_materials,
    worked,
)

TODAY = date(2026, 4, 10)
JANUARY, FEBRUARY, MARCH, APRIL = (
    Period(start=date(2026, month, 1), end=date(2026, month + 1, 1) - timedelta(days=1))
    for month in (1, 2, 3, 4)
)
QUARTER = (JANUARY, FEBRUARY, MARCH)
CARE = {"fee": (*QUARTER, APRIL)}
HOURS = {"time": QUARTER}


def taken(agreement: str, periods: Mapping[str, tuple[Period, ...]], *items: str) -> Taken:
    """These periods and items of an agreement, as billed."""
    keys = {f"{agreement}/{item}/{each.start}" for item, all_ in periods.items() for each in all_}
    return Taken(keys=frozenset({*keys, *(f"{agreement}/{item}" for item in items)}), periods=periods)


def spent(key: str, amount: str, day: str = "2026-02-10", **changes: Any) -> Expense:
    """An approved, billable expense of project P-1."""
    record = {"id": key, "project": "P-1", "person": "Mira", "day": day, "description": "Train"}
    return Expense.model_validate(
        {**record, "amount": amount, "currency": "EUR", "approved": True, **changes}
    )


def passed_on(**changes: Any) -> Expenses:
    """Expenses of project P-1 with 5 % on top, monthly in arrears."""
    record = {"id": "spent", "model": "expenses", "client": "acme", "title": "Expenses", "currency": "EUR"}
    return Expenses.model_validate({**record, "project": "P-1", "start": START, "markup": "5", **changes})


def of_project(*time: TimeEntry, billed: Iterable[str] = (), **changes: Any) -> ProjectFacts:
    """Project P-1 of the client with this work, of which these entries are billed."""
    items = frozenset({(f"psa/{'expense' if each.startswith('e') else 'time'}", each) for each in billed})
    return ProjectFacts(id="P-1", client="C-1", time=time, billed=items, **changes)


def found(*agreements: Agreement, **facts: Any) -> list[Leak]:
    """The leaks of a company with these agreements, by 10 April 2026."""
    policy = facts.pop("policy", Reconciliation())
    today = facts.pop("today", TODAY)
    more = facts.pop("company", {})
    return list(find(LeakFacts(company=company(*agreements, **more), **facts), policy, today))


def said(leaks: Iterable[Leak]) -> list[tuple[str, str, str | None]]:
    """Kind, subject and money of each."""
    return sorted(
        (each.code, each.subject, str(each.at_stake.amount) if each.at_stake else None) for each in leaks
    )


def entry(written: str) -> TimeEntry:
    """`id day hours [role [free|open]]`."""
    key, day, hours, role, kind = [*written.split(), *["senior", ""][len(written.split()) - 3 :]][:5]
    return worked(key, hours, role, day=day, billable=kind != "free", approved=kind != "open")


# Fees


@pytest.mark.parametrize(
    ("changes", "billed", "leaks"),
    [
        ({}, CARE, []),
        ({}, {"fee": (JANUARY, FEBRUARY, APRIL)}, [("2026-03-01", "1000.00")]),
        ({}, {"fee": (MARCH, APRIL)}, [("2026-01-01", "1000.00"), ("2026-02-01", "1000.00")]),
        ({"discount": "10"}, {"fee": (*QUARTER,)}, [("2026-04-01", "900.00")]),
        # the first ten of 31 days are billed early, 21 are left: 1,000.00 less 322.58
        (
            {},
            {"fee": (JANUARY, FEBRUARY, Period(start=MARCH.start, end=date(2026, 3, 10)), APRIL)},
            [("2026-03-11", "677.42")],
        ),
        # a step of 5 % on 1 March
        (
            {"indexation": [{"since": "2026-03-01", "percent": "5", "source": "CPI"}]},
            {"fee": (JANUARY, FEBRUARY, APRIL)},
            [("2026-03-01", "1050.00")],
        ),
        # in arrears, April is not over
        ({"timing": "in arrears"}, {"fee": QUARTER}, []),
        # ended in the middle of March: 15 of 31 days
        ({"end": "2026-03-15"}, {"fee": (JANUARY, FEBRUARY)}, [("2026-03-01", "483.87")]),
        ({"end": "2026-02-28"}, {"fee": (JANUARY, FEBRUARY)}, []),
        # somebody must ask: once a period is over, and was not asked for
        ({"trigger": "manual"}, {"fee": (JANUARY, FEBRUARY)}, [("2026-03-01", "1000.00")]),
        ({"start": "2026-04-08"}, {}, []),  # within the days of grace
        ({"start": "2027-01-01"}, {}, []),
    ],
)
def test_fees(
    changes: dict[str, Any], billed: dict[str, tuple[Period, ...]], leaks: list[tuple[str, str]]
) -> None:
    """The fee of each period that is due for longer than the days of grace and unbilled, net of the discount."""
    each = found(retainer(**changes), taken={"care": taken("care", billed)})
    assert said(each) == [
        ("period-unbilled", f"leak/invoice/care/fee/{day}", amount) for day, amount in leaks
    ]


@pytest.mark.parametrize(
    ("grace", "today", "leaks"),
    [
        (0, "2026-04-01", 0),
        (0, "2026-04-02", 1),
        (3, "2026-04-04", 0),
        (3, "2026-04-05", 1),
        (90, "2026-06-30", 0),
    ],
)
def test_days_of_grace(grace: int, today: str, leaks: int) -> None:
    """April's fee, due on 1 April, is a leak once more days have passed than those of grace."""
    policy = Reconciliation(grace_days=grace)
    billed = {"care": taken("care", {"fee": QUARTER})}
    day = date.fromisoformat(today)
    each = found(retainer(end="2026-04-30"), taken=billed, policy=policy, today=day)
    assert len(each) == leaks


def test_a_held_agreement() -> None:
    """What waits for a person already is not told again."""
    assert found(retainer(), held=frozenset({"care"})) == []
    assert len(found(retainer(), held=frozenset({"other"}))) == 4


def test_a_voided_period() -> None:
    """A period voided to be billed again is a leak from that day on, by that name; billed again it is none."""
    voided = VoidedDraft(
        "care/fee/2026-03-01",
        "acme",
        date(2026, 4, 2),
        "wrong order number",
        Money.of("1000.00", "EUR"),
        next(
            iter(due(retainer(), TODAY, Calendar(zone="UTC"), taken("care", {"fee": (JANUARY, FEBRUARY)})))
        ).occasion,
    )
    open_again = {"care": taken("care", {"fee": (JANUARY, FEBRUARY, APRIL)})}
    (leak,) = found(retainer(), taken=open_again, voided=(voided,))
    assert (leak.code, leak.since) == ("voided-unbilled", date(2026, 4, 2))
    assert "wrong order number" in leak.message
    assert found(retainer(), taken=open_again, voided=(voided,), today=date(2026, 4, 4)) == []
    assert found(retainer(), taken={"care": taken("care", CARE)}, voided=(voided,)) == []


def test_a_voided_one_off() -> None:
    """A one-off that was voided to be billed again and never was is a leak worth its draft."""
    voided = VoidedDraft("manual/training", "acme", date(2026, 3, 2), "typo", Money.of("900.00", "EUR"))
    assert said(found(voided=(voided,))) == [("voided-unbilled", "leak/invoice/manual/training", "900.00")]


# Hours


@pytest.mark.parametrize(
    ("time", "billed", "facts", "leaks"),
    [
        # all of it billed, or still of a running month
        (["a 2026-02-10 4", "b 2026-04-02 4"], "a", {}, []),
        # late for February
        (["a 2026-02-10 4"], "", {}, [("work-unbilled", "unbilled/hours/time/2026-02-01", "480.00")]),
        # two late ones of one month are one leak: 4 × 120 + 2 × 95
        (
            ["a 2026-02-10 4", "b 2026-02-11 2 junior"],
            "",
            {},
            [("work-unbilled", "unbilled/hours/time/2026-02-01", "670.00")],
        ),
        # the draft of February is still open: it can take them in
        (["a 2026-02-10 4"], "", {"drafts": {"hours": taken("hours", {"time": (FEBRUARY,)})}}, []),
        # February was waived as it was
        (["a 2026-02-10 4"], "", {"waived": {"hours": taken("hours", {"time": (FEBRUARY,)})}}, []),
        # no invoice at all for February
        (
            ["a 2026-02-10 4"],
            "",
            {"taken": {"hours": taken("hours", {"time": (JANUARY, MARCH)})}},
            [("period-unbilled", "invoice/hours/time/2026-02-01", "480.00")],
        ),
        # March by hand up to the 15th; the rest is due and takes along what came late for the first half
        (
            ["a 2026-03-10 4", "b 2026-03-20 1"],
            "",
            {
                "taken": {
                    "hours": taken(
                        "hours",
                        {"time": (JANUARY, FEBRUARY, Period(start=MARCH.start, end=date(2026, 3, 15)))},
                    )
                }
            },
            [("period-unbilled", "invoice/hours/time/2026-03-16", "600.00")],
        ),
        # nobody worked: no invoice is missing
        ([], "", {"taken": {}}, []),
        # before the agreement, somebody else billed
        (["a 2025-12-10 4"], "", {}, []),
        # not billable, of nobody, of tomorrow
        (["a 2026-02-10 4 senior free", "b 2026-02-10 0", "c 2026-04-11 4"], "", {}, []),
        # never approved
        (
            ["a 2026-02-10 4 senior open", "b 2026-04-01 4 senior open"],
            "",
            {},
            [("work-unapproved", "unapproved/hours/time/2026-02-01", "480.00")],
        ),
        # no rate
        (
            ["a 2026-02-10 4 chief"],
            "",
            {},
            [("work-without-rate", "rate/hours/time/2026-02-01/chief", None)],
        ),
    ],
)
def test_hours_by_the_month(
    time: list[str], billed: str, facts: dict[str, Any], leaks: list[tuple[str, str, str | None]]
) -> None:
    """Hours at 120 and 95, billed by the month: what is late, unapproved, without a rate, or of no invoice."""
    work = of_project(*map(entry, time), billed=billed.split())
    given_facts = {"taken": {"hours": taken("hours", HOURS)}, **facts}
    each = found(time_and_materials(), projects=[work], **given_facts)
    assert said(each) == [(code, f"leak/{subject}", amount) for code, subject, amount in leaks]


@pytest.mark.parametrize(
    ("leftovers", "changes", "leaks"),
    [
        ("hold", {}, 1),
        ("leave", {}, 1),
        ("bill", {}, 0),  # the next invoice takes it along
        ("bill", {"end": "2026-03-31"}, 1),  # there is none
        ("bill", {"trigger": "manual"}, 1),  # nobody can tell whether there will be one
    ],
)
def test_what_is_left_over(leftovers: str, changes: dict[str, Any], leaks: int) -> None:
    """Late hours are no leak while the next invoice will bill them by itself."""
    agreement = time_and_materials(leftovers=leftovers, **changes)
    work = of_project(entry("a 2026-02-10 4"))
    assert len(found(agreement, projects=[work], taken={"hours": taken("hours", HOURS)})) == leaks


@pytest.mark.parametrize(
    ("changes", "amount"),
    [
        ({}, "1200.00"),  # 10 h at 120
        ({"discount": "5"}, "1140.00"),
        ({"cap": "1000"}, "1000.00"),
        ({"included_hours": "4"}, "720.00"),  # 6 h at 120
        (
            {
                "rates": {
                    "senior": [
                        {"since": "2026-01-01", "price": "100"},
                        {"since": "2026-02-10", "price": "110"},
                    ]
                }
            },
            "1060.00",
        ),
    ],
)
def test_what_hours_are_worth(changes: dict[str, Any], amount: str) -> None:
    """Four hours of 9 February and six of the 10th, unbilled: at the rates of their days, less what is included."""
    work = of_project(entry("a 2026-02-09 4"), entry("b 2026-02-10 6"))
    billed = {"hours": taken("hours", {"time": (JANUARY, MARCH)})}
    assert said(found(time_and_materials(**changes), projects=[work], taken=billed)) == [
        ("period-unbilled", "leak/invoice/hours/time/2026-02-01", amount)
    ]


@pytest.mark.parametrize(
    ("hours", "billed", "leaks"),
    [
        ("6 4", "", []),  # ten are included
        ("6 6", "", [("period-unbilled", "invoice/care/overage/2026-02-01", "240.00")]),  # two beyond, at 120
        (
            "12 4",
            "a",
            [("period-unbilled", "invoice/care/overage/2026-02-01", "480.00")],
        ),  # none left of the ten
    ],
)
def test_hours_beyond_a_retainer(hours: str, billed: str, leaks: list[tuple[str, str, str]]) -> None:
    """Of a retainer with ten hours a month, only those beyond are missing on an invoice."""
    first, second = hours.split()
    work = of_project(entry(f"a 2026-02-09 {first}"), entry(f"b 2026-02-10 {second}"), billed=billed.split())
    agreement = retainer(project="P-1", included_hours="10", rates={"senior": "120"})
    done = {"care": taken("care", {**CARE, "overage": (JANUARY, MARCH)})}
    each = found(agreement, projects=[work], taken=done)
    assert said(each) == [(code, f"leak/{subject}", amount) for code, subject, amount in leaks]


def test_included_hours_that_nobody_approved() -> None:
    """Approved hours use up the included ones first: 8 of 10, so that of 4 unapproved ones 2 cost 120.00 each."""
    work = of_project(entry("a 2026-02-09 8"), entry("b 2026-02-10 4 senior open"))
    agreement = retainer(project="P-1", included_hours="10", rates={"senior": "120"})
    done = {"care": taken("care", {**CARE, "overage": (JANUARY, MARCH)})}
    assert said(found(agreement, projects=[work], taken=done)) == [
        ("work-unapproved", "leak/unapproved/care/overage/2026-02-01", "240.00")
    ]


@pytest.mark.parametrize(
    ("completed", "items", "billed", "leaks"),
    [
        (None, (), "", []),
        ("2026-04-08", (), "", []),
        ("2026-03-20", (), "", [("project-unbilled", "invoice/hours/completion", "480.00")]),
        ("2026-03-20", ("completion",), "a", []),
        ("2026-03-20", ("completion",), "", [("work-unbilled", "unbilled/hours/completion", "480.00")]),
        ("2026-04-08", ("completion",), "", []),
    ],
)
def test_hours_at_completion(
    completed: str | None, items: tuple[str, ...], billed: str, leaks: list[tuple[str, str, str]]
) -> None:
    """Hours that are billed when their project is completed are missing from then on, not before."""
    day = date.fromisoformat(completed) if completed else None
    work = of_project(entry("a 2026-02-10 4"), billed=billed.split(), completed=day)
    agreement = time_and_materials(trigger="project completed")
    each = found(agreement, projects=[work], taken={"hours": taken("hours", {}, *items)})
    assert said(each) == [(code, f"leak/{subject}", amount) for code, subject, amount in leaks]


@pytest.mark.parametrize(
    ("hours", "changes", "facts", "leaks"),
    [
        ("8", {}, {}, []),  # 960.00 of 1,000.00
        ("9", {}, {}, [("line-unbilled", "invoice/hours/spend-2", "1080.00")]),
        ("9", {}, {"drafts": {"hours": taken("hours", {}, "spend-1")}}, []),  # just being billed
        (
            "8",
            {"end": "2026-03-31"},
            {},
            [("line-unbilled", "invoice/hours/spend-2", "960.00")],
        ),  # no more comes
    ],
)
def test_hours_by_spend(
    hours: str, changes: dict[str, Any], facts: dict[str, Any], leaks: list[tuple[str, str, str]]
) -> None:
    """Work billed each time it comes to 1,000.00 is missing once it has, or once no more is to come."""
    agreement = time_and_materials(trigger="spend reached", bill_at="1000", **changes)
    work = of_project(entry(f"a 2026-02-10 {hours}"))
    each = found(agreement, projects=[work], taken={"hours": taken("hours", {}, "spend-1")}, **facts)
    assert said(each) == [(code, f"leak/{subject}", amount) for code, subject, amount in leaks]


@pytest.mark.parametrize(
    ("agreements", "time", "leaks"),
    [
        # no agreement for the project; the client's other one has a rate for the role, or has not
        (
            [retainer(rates={"senior": "100"})],
            "2026-03-10 4",
            [("work-without-agreement", "project/P-1/2026-03", "400.00")],
        ),
        ([retainer()], "2026-03-10 4", [("work-without-agreement", "project/P-1/2026-03", None)]),
        ([], "2026-04-08 4", []),  # within the days of grace
        ([], "2025-01-10 4", []),  # longer ago than one looks back
        ([], "2026-03-10 4 senior open", []),  # nobody has approved it yet
        # after the end of the only agreement
        (
            [time_and_materials(end="2026-01-31")],
            "2026-03-10 4",
            [("work-after-end", "after-end/hours/2026-03", "480.00")],
        ),
        # a price covers them
        ([milestones()], "2026-03-10 4", []),
        ([fixed_price()], "2026-03-10 4", []),
        ([retainer(project="P-1")], "2026-03-10 4", []),
    ],
)
def test_hours_of_nobody(
    agreements: list[Agreement], time: str, leaks: list[tuple[str, str, str | None]]
) -> None:
    """Hours on a project no agreement covers, or none any more, are a leak of their month."""
    done = {"care": taken("care", CARE), "hours": taken("hours", HOURS)}
    each = found(*agreements, projects=[of_project(entry(f"a {time}"))], taken=done)
    assert said(each) == [(code, f"leak/{subject}", amount) for code, subject, amount in leaks]


@pytest.mark.parametrize(
    ("agreement", "day", "leaks"),
    [
        (fixed_price(), "2026-03-10", 0),  # its price covered them
        (fixed_price(), "2026-03-20", 1),  # worked after it was taken out of the company folder
        (fixed_price(project="P-2"), "2026-03-10", 1),
        (time_and_materials(), "2026-03-10", 1),  # it bills by the hour, and these are on no invoice
    ],
)
def test_hours_of_a_retired_agreement(agreement: Agreement, day: str, leaks: int) -> None:
    """Hours under a price that was agreed until 15 March are none of nobody's, though the folder has it no more."""
    gone = (Retired(agreement, date(2026, 3, 15)),)
    assert len(found(projects=[of_project(entry(f"a {day} 4"))], retired=gone)) == leaks


def test_an_agreement_nobody_can_make_sense_of(monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be searched is told as such and hides nothing else."""

    def broken(*_: object) -> None:
        raise ArithmeticError("no such day")

    monkeypatch.setattr("billing.leakage.periods.fee", broken)
    leaks = found(retainer(), deals=(deal("8500", won_on="2026-03-12"),))
    assert said(leaks) == [
        ("deal-without-agreement", "leak/deal/D-1", "8500.00"),
        ("step-failed", "leak/unsearched/agreement/care", None),
    ]
    assert "agreement care could not be searched for what nobody billed: no such day" in leaks[0].message


# Expenses


@pytest.mark.parametrize(
    ("agreements", "expense", "billed", "leaks"),
    [
        (
            [passed_on()],
            spent("e1", "80"),
            QUARTER,
            [("expenses-unbilled", "expenses/spent/expenses/2026-02-01", "84.00")],
        ),
        (
            [passed_on()],
            spent("e1", "80"),
            (JANUARY, MARCH),
            [("period-unbilled", "invoice/spent/expenses/2026-02-01", "84.00")],
        ),
        ([passed_on()], spent("e1", "80", billable=False), (), []),
        (
            [passed_on()],
            spent("e1", "80", approved=False),
            QUARTER,
            [("work-unapproved", "unapproved/spent/expenses/2026-02-01", "84.00")],
        ),
        (
            [passed_on()],
            spent("e1", "80", currency="CHF"),
            (),
            [("expenses-unbilled", "expenses/spent/expenses/2026-02-01/CHF", "80.00")],
        ),
        # nobody passes them on
        (
            [fixed_price()],
            spent("e1", "80"),
            (),
            [("expenses-unbilled", "expenses/P-1/2026-02/EUR", "80.00")],
        ),
        ([fixed_price(start="2026-03-01")], spent("e1", "80"), (), []),  # before the agreement
    ],
)
def test_expenses(
    agreements: list[Agreement],
    expense: Expense,
    billed: tuple[Period, ...],
    leaks: list[tuple[str, str, str]],
) -> None:
    """An expense of February: left over, of a month without invoice, unapproved, in another currency, of nobody."""
    done = {"spent": taken("spent", {"expenses": billed})}
    each = found(*agreements, projects=[of_project(expenses=(expense,))], taken=done)
    assert said(each) == [(code, f"leak/{subject}", amount) for code, subject, amount in leaks]


def test_hours_and_expenses_of_one_invoice() -> None:
    """A month whose invoice does not exist is one leak, whatever would stand on it: 4 × 120.00 and 80.00."""
    work = of_project(entry("a 2026-02-10 4"), expenses=(spent("e1", "80"),))
    billed = {"hours": taken("hours", {"time": (JANUARY, MARCH)})}
    (leak,) = found(time_and_materials(expenses=True), projects=[work], taken=billed)
    assert said([leak]) == [("period-unbilled", "leak/invoice/hours/time/2026-02-01", "560.00")]
    assert leak.measure == "4 h and expenses of EUR 80.00"


# What is billed as a whole


@pytest.mark.parametrize(
    ("changes", "facts", "leaks"),
    [
        ({}, {}, []),
        ({}, {"completed": date(2026, 3, 20)}, [("project-unbilled", "9200.00")]),
        ({}, {"completed": date(2026, 4, 7)}, []),
        ({}, {"completed": date(2025, 12, 20)}, []),  # before the agreement
        (
            {"trigger": "contract signed", "contract": "CT-1"},
            {"signed": "2026-02-10"},
            [("project-unbilled", "9200.00")],
        ),
        ({"trigger": "contract signed", "contract": "CT-2"}, {}, []),
        ({"trigger": "deal won", "deal": "D-1"}, {"won": "2026-02-10"}, [("project-unbilled", "9200.00")]),
        ({"discount": "10"}, {"completed": date(2026, 3, 20)}, [("project-unbilled", "8280.00")]),
    ],
)
def test_fixed_prices(changes: dict[str, Any], facts: dict[str, Any], leaks: list[tuple[str, str]]) -> None:
    """A fixed price is missing once what bills it has happened."""
    each = found(
        fixed_price(**changes),
        projects=[of_project(completed=facts.get("completed"))],
        contracts=(contract("9200.00", signed_on=facts["signed"]),) if "signed" in facts else (),
        deals=(deal("9200.00", won_on=facts["won"]),) if "won" in facts else (),
    )
    assert said(each) == [(code, "leak/invoice/move/price", amount) for code, amount in leaks]


@pytest.mark.parametrize(
    ("signed_off", "items", "leaks"),
    [
        ({"design": "2026-03-01"}, ("design",), []),
        ({"design": "2026-03-01", "launch": "2026-03-20"}, ("design",), [("invoice/shop/launch", "6000.00")]),
        ({"launch": "2026-04-08"}, (), []),
        ({"extra": "2026-03-20"}, (), [("milestone/P-1/extra", None)]),  # nobody agreed on a price
        ({"design": "2025-12-01", "extra": "2025-12-01"}, (), []),  # before the agreement
    ],
)
def test_milestones(
    signed_off: dict[str, str], items: tuple[str, ...], leaks: list[tuple[str, str | None]]
) -> None:
    """A milestone is missing once it is signed off; one without a price is told, too."""
    done = tuple(milestone(id=key, signed_off=day) for key, day in signed_off.items())
    each = found(
        milestones(), projects=[of_project(milestones=done)], taken={"shop": taken("shop", {}, *items)}
    )
    assert said(each) == [("milestone-unbilled", f"leak/{subject}", amount) for subject, amount in leaks]


def test_a_milestone_reached_by_progress() -> None:
    """A line that was crossed and whose invoice does not live is a leak worth the milestone."""
    crossing = Crossing("shop", "design", date(2026, 3, 20), "shop/design")
    assert said(found(milestones(), crossings=(crossing,))) == [
        ("milestone-unbilled", "leak/invoice/shop/design", "3200.00")
    ]
    billed = {"shop": taken("shop", {}, "design")}
    assert found(milestones(), crossings=(crossing,), taken=billed) == []


def test_one_leak_a_milestone() -> None:
    """A milestone that was voided to be billed again, is signed off and was reached by progress is one leak."""
    done = of_project(milestones=(milestone(id="design", signed_off="2026-03-01"),))
    voided = VoidedDraft(
        "shop/design", "acme", date(2026, 3, 2), occasion=Occasion(agreement="shop", item="design")
    )
    crossing = Crossing("shop", "design", date(2026, 3, 1), "shop/design")
    assert said(found(milestones(), projects=[done], voided=(voided,), crossings=(crossing,))) == [
        ("voided-unbilled", "leak/invoice/shop/design", "3200.00")
    ]


def bought(*numbers: int) -> dict[str, tuple[BoughtBlock, ...]]:
    """These blocks of the prepaid agreement, all asked for on its first day."""
    return {"block": tuple(BoughtBlock(number, START, START) for number in numbers)}


@pytest.mark.parametrize(
    ("changes", "hours", "blocks", "leaks"),
    [
        ({}, "19", (1,), []),
        ({}, "25", (1,), [("line-unbilled", "invoice/block/block-2", "2000.00")]),
        ({}, "25", (1, 2), []),
        (
            {},
            "41",
            (1,),
            [
                ("line-unbilled", "invoice/block/block-2", "2000.00"),
                ("line-unbilled", "invoice/block/block-3", "2000.00"),
            ],
        ),
        ({"replenish_at": "5"}, "15", (1,), [("line-unbilled", "invoice/block/block-2", "2000.00")]),
        ({"overage": "hold"}, "25", (1,), []),  # the meter has told a person
        # five hours beyond the block, at 110
        (
            {"overage": "rate", "overage_rate": "110"},
            "25",
            (1,),
            [("period-unbilled", "invoice/block/overage/2026-02-01", "550.00")],
        ),
        (
            {"trigger": "manual"},
            "1",
            (),
            [("line-unbilled", "invoice/block/block-1", "2000.00")],
        ),  # work without a block
    ],
)
def test_prepaid_blocks(
    changes: dict[str, Any], hours: str, blocks: tuple[int, ...], leaks: list[tuple[str, str, str]]
) -> None:
    """The next block of twenty hours is missing once those that are billed are used up."""
    agreement: PrepaidBlock = prepaid_block(**changes)
    facts = {"taken": {"block": taken("block", {}, *(f"block-{number}" for number in blocks))}}
    each = found(
        agreement, projects=[of_project(entry(f"a 2026-02-10 {hours}"))], blocks=bought(*blocks), **facts
    )
    assert said(each) == [(code, f"leak/{subject}", amount) for code, subject, amount in leaks]


@pytest.mark.parametrize(
    ("day", "leaks"),
    [
        (
            "2026-02-10",
            [("work-unapproved", "leak/unapproved/block/2026-02", "200.00")],
        ),  # 2 h of a block of 20 h
        ("2026-04-02", []),  # the month runs
    ],
)
def test_hours_that_draw_no_block_down(day: str, leaks: list[tuple[str, str, str]]) -> None:
    """Hours nobody approved draw no block down; after their month they are a leak."""
    work = of_project(entry(f"a {day} 2 senior open"))
    each = found(
        prepaid_block(), projects=[work], taken={"block": taken("block", {}, "block-1")}, blocks=bought(1)
    )
    assert said(each) == leaks


def test_hours_no_meter_counts() -> None:
    """An entry of more hours than any can have, a slip the meter holds, is no leak of millions of blocks."""
    slip = of_project(entry("a 2026-02-10 19"), entry("b 2026-02-11 99999999999"))
    facts: dict[str, Any] = {"taken": {"block": taken("block", {}, "block-1")}, "blocks": bought(1)}
    assert said(found(prepaid_block(), projects=[slip], **facts)) == []


def test_the_first_block() -> None:
    """The first block is missing once its contract is signed."""
    agreement = prepaid_block(contract="CT-1")
    signed = (contract("2000.00", signed_on="2026-02-10"),)
    assert said(found(agreement, contracts=signed, projects=[of_project()])) == [
        ("line-unbilled", "leak/invoice/block/block-1", "2000.00")
    ]


# Sales


@pytest.mark.parametrize(
    ("deals", "contracts", "leaks"),
    [
        ([deal("8500", won_on="2026-03-12")], [], [("deal-without-agreement", "deal/D-1", "8500.00")]),
        ([deal("8500")], [], [("deal-without-agreement", "deal/D-1", "8500.00")]),  # nobody noted when
        ([deal("8500", won=False)], [], []),
        ([deal("8500", won_on="2026-04-08")], [], []),
        ([deal("8500", won_on="2024-03-12")], [], []),
        (
            [],
            [contract("4400", signed_on="2026-03-11")],
            [("contract-without-agreement", "contract/CT-1", "4400.00")],
        ),
        ([], [contract("4400", signed_on="2026-03-11", start="2026-05-01")], []),  # begins later
        # won, then signed: one sale
        (
            [deal("8500", won_on="2026-03-12")],
            [contract("8500", signed_on="2026-03-20")],
            [("deal-without-agreement", "deal/D-1", "8500.00")],
        ),
        # two sales
        (
            [deal("8500", won_on="2026-03-12")],
            [contract("4400", signed_on="2026-03-20")],
            [
                ("contract-without-agreement", "contract/CT-1", "4400.00"),
                ("deal-without-agreement", "deal/D-1", "8500.00"),
            ],
        ),
    ],
)
def test_sales(deals: list[Any], contracts: list[Any], leaks: list[tuple[str, str, str]]) -> None:
    """What was won or signed and no agreement names is a leak; a deal and the contract it became are one."""
    each = found(deals=tuple(deals), contracts=tuple(contracts))
    assert said(each) == [(code, f"leak/{subject}", amount) for code, subject, amount in leaks]
    named = found(
        retainer(deal="D-1", contract="CT-1"),
        deals=tuple(deals),
        contracts=tuple(contracts),
        taken={"care": taken("care", CARE)},
    )
    assert named == []


def test_signed_change_orders() -> None:
    """The document of a change order is named by its agreement."""
    order = {
        "id": "co-1",
        "effective": "2026-03-01",
        "reason": "more",
        "document": "CT-1",
        "proposed_by": "pia",
        "amount": "1000.00",
    }
    paper = contract("1000", signed_on="2026-03-11")
    assert (
        found(retainer(change_orders=[order]), contracts=(paper,), taken={"care": taken("care", CARE)}) == []
    )


def test_who_is_no_client() -> None:
    """A deal with somebody the company folder does not know is a leak without a client, and says so."""
    (leak,) = found(deals=(deal("8500", client="C-9", won_on="2026-03-12"),))
    assert leak.client is None
    assert "C-9 (no client of the company folder)" in leak.message


# Always


AGREEMENTS = st.sampled_from(
    [
        retainer(),
        retainer(timing="in arrears", every="quarter"),
        retainer(every="30 days", end="2026-05-12"),
        retainer(start="2026-01-31", bill_on=31),
        retainer(start="2026-02-10", anchor="2026-01-01", bill_on="last business day"),
        time_and_materials(),
        time_and_materials(every="2 weeks", end="2026-05-12"),
    ]
)


def bill_all(agreement: Agreement, runs: Iterable[date], work: list[TimeEntry]) -> tuple[Taken, set[str]]:
    """What billing runs on these days make of an agreement: its periods, and the entries on its invoices."""
    done, entries = NOTHING, set[str]()
    for day in sorted(runs):
        periods = defaultdict(list, {item: list(each) for item, each in done.periods.items()})
        keys = set(done.keys)
        for each in due(agreement, day, Calendar(zone="UTC"), done):
            period = each.occasion.period
            assert period is not None
            keys.add(each.occasion.billing_key)
            periods[each.occasion.item].append(period)
            if isinstance(agreement, TimeAndMaterials):
                entries |= {one.id for one in work if period.start <= one.day <= period.end}
        done = Taken(frozenset(keys), {item: tuple(each) for item, each in periods.items()})
    return done, entries


@given(
    AGREEMENTS,
    st.sets(st.dates(date(2026, 1, 1), date(2026, 8, 30)), max_size=8),
    st.dates(date(2026, 1, 1), date(2026, 8, 30)),
    st.integers(0, 3),
    st.lists(st.dates(date(2026, 2, 10), date(2026, 5, 12)), max_size=10),
    st.data(),
)
@examples(150)
def test_a_company_whose_runs_happen(
    agreement: Agreement, runs: set[date], last: date, ago: int, days: list[date], data: st.DataObject
) -> None:
    """Whenever billing runs happened, if the last is no longer ago than the days of grace, nothing is missing; and an
    invoice that is taken away is found, and nothing else."""
    work = [
        worked(f"t{number}", "2", day=day.isoformat()) for number, day in enumerate(days) if agreement.project
    ]
    done, entries = bill_all(agreement, {each for each in runs if each <= last} | {last}, work)
    today = last + timedelta(days=ago)
    on_time = [each for each in work if each.day <= last]

    def leaks(kept: Taken, billed: set[str]) -> list[Leak]:
        project = of_project(*on_time, billed=billed)
        return found(agreement, projects=[project], taken={agreement.id: kept}, today=today)

    assert leaks(done, entries) == []
    item = "fee" if isinstance(agreement, Retainer) else "time"
    gone = data.draw(st.sampled_from([None, *done.periods.get(item, ())]))
    if gone is None:
        return
    key = f"{agreement.id}/{item}/{gone.start}"
    kept = Taken(done.keys - {key}, {item: tuple(each for each in done.periods[item] if each != gone)})
    missing = leaks(
        kept, {each.id for each in on_time if each.id in entries and not gone.start <= each.day <= gone.end}
    )
    worth = isinstance(agreement, Retainer) or any(gone.start <= each.day <= gone.end for each in on_time)
    since = next(each.since for each in due(agreement, today, Calendar(zone="UTC"), kept))
    late = (today - since).days > 3
    assert [each.subject for each in missing] == ([f"leak/invoice/{key}"] if worth and late else [])


def test_every_leak_says_what_to_do() -> None:
    """A leak is a finding whose identity changes with its measure, so that more of it is asked about again."""
    four, five = (
        found(
            time_and_materials(),
            projects=[of_project(entry(f"a 2026-02-10 {hours}"))],
            taken={"hours": taken("hours", HOURS)},
        )[0]
        for hours in ("4", "5")
    )
    assert four.subject == five.subject
    assert four.finding.identity != five.finding.identity
    assert four.at_stake == Money.of(Decimal("480.00"), "EUR")
