"""The command line against a real ledger; the steps of the story are taken by hand, without Temporal."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner, Result

from activities.invoicing.effects import Effects
from activities.invoicing.steps import DocumentSteps, LedgerSteps
from activities.ledger import company_records, opening_items
from billing.opening_item import OpeningItem
from starter.cli import main
from tests.company import TestCompany
from workers.assembly import effects
from workers.settings import Settings
from workflows.messages import Plan, Step, StepInput


def today() -> date:
    """The day it is for the issuer of the test company."""
    return datetime.now(ZoneInfo("Europe/Berlin")).date()


KEY_OF_ACME = f"acme-care/fee/{today().replace(day=1)}"
"""The billing key of the only period that is due."""


@dataclass
class Desk:
    """A terminal, the ledger behind it, and workers that work when they are told to."""

    effects: Effects
    company: TestCompany
    environment: dict[str, str | None]
    folder: Path
    runner: CliRunner = field(default_factory=CliRunner)

    def type(self, *arguments: object, code: int = 0, **environment: str) -> Result:
        """What `billow` answers; its exit code must be the one expected, and nothing a crash."""
        result = self.runner.invoke(
            main, [str(each) for each in arguments], env={**self.environment, **environment}
        )
        assert result.exit_code == code, f"{result.exit_code}: {result.output}"
        assert "Traceback" not in result.output
        return result

    def read(self, *arguments: object, code: int = 0) -> Any:
        """The one JSON document a command writes to stdout."""
        return json.loads(self.type(*arguments, "--json", code=code).stdout)

    def work(self, key: str) -> Plan:
        """Takes every step of an invoice that can be taken now; the plan that is left."""
        steps, render = LedgerSteps(self.effects), DocumentSteps(self.effects).render
        take = {
            Step.ASSEMBLE: steps.assemble,
            Step.APPROVE: steps.approve,
            Step.ISSUE: steps.issue,
            Step.RENDER: render,
            Step.DELIVER: steps.deliver,
            Step.COLLECT: steps.collect,
        }
        at = datetime.now(UTC)
        plan = steps.assemble(StepInput(billing_key=key, as_of=at))
        while plan.step is not None and (plan.at is None or plan.at <= at):
            plan = take[plan.step](StepInput(billing_key=key, as_of=at))
        return plan

    def opening_item(self, number: str = "OLD-1", *, late: int = 0, **changes: Any) -> str:
        """An issued invoice that is so many days late; cheaper than issuing one."""
        day = today()
        given: dict[str, Any] = {
            "number": number,
            "client": "acme",
            "title": "Managed service",
            "issue_date": day - timedelta(days=late + 14),
            "due_date": day - timedelta(days=late) if late else day + timedelta(days=10),
            "currency": "EUR",
            "net": Decimal("1000.00"),
            "tax": Decimal("190.00"),
            "gross": Decimal("1190.00"),
        }
        with self.effects.ledger.transaction() as tx:
            current = company_records.current(tx)
            opening_items.import_opening_item(
                tx,
                OpeningItem.model_validate(given | changes),
                current.company,
                current.version,
                by="pia",
                at=datetime.now(UTC),
            )
        return number

    def issue(self) -> str:
        """Bills the retainer of acme and issues it; its number."""
        self.type("trigger", "--agreement", "acme-care", "--as", "pia")
        self.work(KEY_OF_ACME)
        return str(self.read("show", KEY_OF_ACME)["number"])


@pytest.fixture
def company(tmp_path: Path) -> TestCompany:
    return TestCompany(tmp_path / "company")


@pytest.fixture
def empty_desk(settings: Settings, company: TestCompany, tmp_path: Path) -> Iterator[Desk]:
    """A desk where no company was applied yet."""
    outside = effects(settings)
    environment: dict[str, str | None] = {
        "BILLOW_DATABASE_URL": settings.database_url.get_secret_value(),
        "BILLOW_HOME": str(settings.home),
        "BILLOW_AS": None,
        "COLUMNS": "80",
    }
    yield Desk(outside, company, environment, tmp_path)
    outside.ledger.close()


@pytest.fixture
def desk(empty_desk: Desk) -> Desk:
    """A desk whose company runs."""
    empty_desk.company.apply(empty_desk.effects.ledger)
    return empty_desk
