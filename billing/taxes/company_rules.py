"""What a company adds to the tax rules: rates of its own, and rules that come before those of Billow.

Whoever writes a rule answers for it: it needs a reason, and holds for sales whose tax point lies in its days.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Self

from pydantic import Field, model_validator

from billing.money import Figure
from billing.record import CountryCode, Strict
from billing.taxes.categories import TaxCategory
from billing.taxes.facts import ServiceKind, TaxFacts
from billing.taxes.outcome import TaxComponent, TaxDecision
from billing.taxes.rates import RateTable, TaxRate, published

RuleId = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$", description="a name such as T-1")]

EXPLAINED = frozenset(TaxCategory) - {TaxCategory.STANDARD, TaxCategory.ZERO_RATED}
"""Categories that need a reason on the document (EN 16931, BR-AE-10, BR-E-10, BR-G-10, BR-O-10)."""


class When(Strict):
    """The sales a rule is about: all that is said must fit; what is left out fits any sale."""

    issuer: str = Field(default="", description="id of an issuer")
    issuer_country: CountryCode | None = None
    client: str = Field(default="", description="id of a client")
    client_country: CountryCode | None = None
    client_region: str = Field(default="", description="state or province of `client_country`")
    service: tuple[ServiceKind, ...] = ()
    business: bool | None = Field(
        default=None, description="true: taxable persons only; false: consumers only"
    )

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not str(self):
            raise ValueError("a rule for every sale would end all others; name at least one condition")
        if self.client_region and self.client_country is None:
            raise ValueError(
                f"region {self.client_region} may lie in several countries; write client_country too"
            )
        return self

    def fits(self, facts: TaxFacts, issuer: str = "", client: str = "") -> bool:
        """Whether a sale between the issuer and the client with these ids is one of them."""
        return (
            self.issuer in ("", issuer)
            and self.client in ("", client)
            and self.issuer_country in (None, facts.issuer_country)
            and self.client_country in (None, facts.client_country)
            and self.client_region.upper() in ("", facts.client_region.upper())
            and (not self.service or facts.service in self.service)
            and self.business in (None, facts.to_business)
        )

    def __str__(self) -> str:
        kind = {True: "businesses", False: "consumers", None: ""}[self.business]
        said = (
            ("issuer", self.issuer),
            ("issuer in", self.issuer_country),
            ("client", self.client),
            ("client in", "-".join(filter(None, (self.client_country, self.client_region)))),
            ("", kind),
            ("", " or ".join(self.service)),
        )
        return ", ".join(f"{name} {value}".strip() for name, value in said if value)


class TaxRule(Strict):
    """A rule of the company: for which sales, which tax, why, since when."""

    id: RuleId
    when: When
    category: TaxCategory
    rate: Figure = Field(default=Decimal(0), ge=0, le=100, description="per cent")
    tax: str = Field(default="VAT", min_length=1, description="name of the tax on the document")
    number: str = Field(
        default="", description="the issuer's registration for it, where documents must name it"
    )
    note: str = Field(default="", description="stands on the document as it is, in every language")
    article: str = Field(default="", description="of the law")
    exemption_code: str = Field(
        default="",
        pattern=r"^(VATEX-[A-Z]{2}(-[A-Z0-9]+)+)?$",
        description="why no tax is charged, for programs (BT-121): a VATEX code such as VATEX-EU-132-1I",
    )
    reason: str = Field(min_length=1, description="why this rule is right, and who said so")
    since: date
    until: date | None = None
    source: str = Field(
        default="", description="where it can be looked up: law, ruling, letter of an adviser"
    )

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.category is TaxCategory.STANDARD and not self.rate:
            raise ValueError("category S charges tax; write its rate, or another category")
        if self.category is not TaxCategory.STANDARD and self.rate:
            raise ValueError(
                f"category {self.category} charges nothing; leave the rate out, or write category S"
            )
        if self.category in EXPLAINED and not self.note.strip():
            raise ValueError(f"category {self.category} must be explained on the document; write a note")
        if self.exemption_code and self.category not in EXPLAINED:
            raise ValueError(f"category {self.category} exempts from nothing; leave exemption_code out")
        if self.until is not None and self.until < self.since:
            raise ValueError(f"ends {self.until}, before it begins on {self.since}")
        return self

    def holds(self, day: date) -> bool:
        return self.since <= day and (self.until is None or day <= self.until)

    def decision(self, facts: TaxFacts) -> TaxDecision:
        """What the rule decides for a sale it fits; its name and reason lead."""
        cited = self.article or f"company rule {self.id}"
        return TaxDecision(
            category=self.category,
            rate=self.rate,
            note=self.note,
            why=f"{self.category}: company rule {self.id} ({self.when}): {self.reason}",
            components=(
                TaxComponent(name=self.tax, category=self.category, rate=self.rate, number=self.number),
            ),
            article=cited,
            exemption_code=self.exemption_code,
            jurisdiction=facts.issuer_country if self.rate else "",
            sources=(self.source or cited,),
        )


class AskVies(StrEnum):
    """Whether VAT ids of other member states are asked of VIES before tax is left to the client."""

    OFF = "off"
    ASK = "ask"


class WhenDown(StrEnum):
    """What happens to an invoice whose VAT id nobody can check now."""

    HOLD = "hold"
    GO_ON = "go on"


class TaxSettings(Strict):
    """How VAT ids are checked; by default nothing is asked outside."""

    vies: AskVies = AskVies.OFF
    fresh_days: int = Field(default=30, ge=0, le=366, description="how long an answer is good for")
    when_down: WhenDown = Field(
        default=WhenDown.HOLD, description="hold the invoice, or go on without an answer"
    )


class TaxRules(TaxSettings):
    """All of it: settings, rates beside the packaged ones, rules in the order in which they are tried."""

    rates: tuple[TaxRate, ...] = ()
    rules: tuple[TaxRule, ...] = ()

    @cached_property
    def table(self) -> RateTable:
        """The packaged rates and the company's. ValueError where two of them hold on one day."""
        return published().with_more(self.rates) if self.rates else published()

    def matching(self, facts: TaxFacts, issuer: str = "", client: str = "") -> TaxRule | None:
        """The first rule that fits a sale and holds on its tax point."""
        return next(
            (
                each
                for each in self.rules
                if each.holds(facts.tax_point) and each.when.fits(facts, issuer, client)
            ),
            None,
        )
