"""What a tax rule answers: the taxes to charge with words and reasons, or that a person must decide."""

from __future__ import annotations

from decimal import Decimal

from pydantic import BaseModel, ConfigDict, Field

from billing.money import Figure
from billing.taxes.categories import TaxCategory
from billing.taxes.notes import NoteCode, english


class TaxComponent(BaseModel):
    """One tax on the net (or on a share of it): its name, category and rate in per cent."""

    model_config = ConfigDict(frozen=True)

    name: str = "VAT"
    category: TaxCategory
    rate: Figure
    share: Figure = Field(default=Decimal(100), description="per cent of the net that is taxed (TX: 80)")
    number: str = Field(
        default="", description="the issuer's registration for it, where the document must name it"
    )


class TaxDecision(BaseModel):
    """The taxes, the words for the document, and why: by which article, from which sources."""

    model_config = ConfigDict(frozen=True)

    category: TaxCategory
    rate: Figure
    note: str = Field(default="", description="in English; other languages by `note_code`")
    note_code: NoteCode = NoteCode.NONE
    why: str
    components: tuple[TaxComponent, ...] = ()
    article: str = ""
    exemption_code: str = Field(default="", description="VATEX code (BT-121), where one fits")
    jurisdiction: str = Field(
        default="", description="where the service is taxable: DE, US-TX, CA-QC; empty: nowhere"
    )
    sources: tuple[str, ...] = ()

    @property
    def taxes(self) -> tuple[TaxComponent, ...]:
        return self.components or (TaxComponent(category=self.category, rate=self.rate),)


class TaxUnknown(BaseModel):
    """No rule covers the case: which fact is missing or contradicts another, and what a person does next."""

    model_config = ConfigDict(frozen=True)

    reason: str = Field(min_length=1)
    next_step: str = Field(min_length=1)
    field: str = "tax"

    @property
    def why(self) -> str:
        return f"{self.reason}; {self.next_step}"


Outcome = TaxDecision | TaxUnknown


def untaxed(
    category: TaxCategory,
    code: NoteCode,
    why: str,
    *,
    article: str,
    home: str,
    tax: str = "VAT",
    jurisdiction: str = "",
    number: str = "",
    exemption_code: str = "",
    source: str = "",
) -> TaxDecision:
    """A decision that charges nothing: its note from the code, its `why` led by the category."""
    return TaxDecision(
        category=category,
        rate=Decimal(0),
        note=english(code, article=article, home=home, tax=tax, number=number),
        note_code=code,
        why=f"{category}: {why}, {article}",
        components=(TaxComponent(name=tax, category=category, rate=Decimal(0)),),
        article=article,
        exemption_code=exemption_code,
        jurisdiction=jurisdiction,
        sources=(source or article,),
    )


def charged(
    why: str,
    taxes: tuple[TaxComponent, ...],
    *,
    article: str,
    jurisdiction: str,
    sources: tuple[str, ...],
) -> TaxDecision:
    """A decision that charges the taxes given; the first is the one `rate` tells."""
    return TaxDecision(
        category=TaxCategory.STANDARD,
        rate=taxes[0].rate,
        why=f"{TaxCategory.STANDARD}: {why}",
        components=taxes,
        article=article,
        jurisdiction=jurisdiction,
        sources=tuple(dict.fromkeys(sources)),
    )


def per_cent(rate: Decimal) -> str:
    """A rate as people write it: 19 %, 9.975 %, 10 %."""
    return f"{rate.normalize():f} %"
