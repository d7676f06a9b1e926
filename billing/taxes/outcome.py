"""What a tax rule answers: the taxes to charge with words and reasons, or that a person must decide."""

from __future__ import annotations

from decimal import Decimal

from pydantic import BaseModel, ConfigDict, Field

from billing.money import Figure
from billing.taxes.categories import TaxCategory


class TaxComponent(BaseModel):
    """One tax on the whole net: its name, category and rate in per cent. `on_top_of` is for taxes on taxes."""

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
    note: str = ""
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
    """No rule covers the case; `why` says which fact is missing, or which rule, and what to do."""

    model_config = ConfigDict(frozen=True)

    why: str
    field: str = "tax"


Outcome = TaxDecision | TaxUnknown
