"""Under which numbers and schemes an issuer is registered with tax authorities, and when."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from pydantic import Field

from billing.record import CountryCode, Strict


class Scheme(StrEnum):
    """Under which rules an issuer is registered."""

    STANDARD = "standard"
    SMALL_BUSINESS = "small business"
    EXEMPT = "exempt"
    OSS = "one-stop shop"
    BELOW_THRESHOLD = "below the threshold"
    """No registration but a statement the issuer answers for: electronic services to consumers in other member states
    stay within EUR 10,000 in this and the last calendar year (Art. 59c of Directive 2006/112/EC)."""


LIABILITIES = frozenset({Scheme.STANDARD, Scheme.SMALL_BUSINESS, Scheme.EXEMPT})
"""Schemes that say how the issuer is taxed in a place: only one of them can hold there at a time."""


class Registration(Strict):
    """A registration of the issuer with a tax authority, from a day and up to a day (both included)."""

    country: CountryCode
    region: str = Field(default="", description="state or province, where it registers by itself: TX, QC, 27")
    scheme: Scheme = Scheme.STANDARD
    tax: str = Field(default="", description="which tax, where a country has several: GST, QST, PST")
    number: str = Field(default="", description="as it stands on invoices")
    since: date | None = None
    until: date | None = None
    established: bool = Field(
        default=False, description="the issuer has an establishment there, not only a number"
    )
    article: str = Field(default="", description="why it is exempt or small, by which article")
    undertaking: str = Field(
        default="", description="India: reference of the letter of undertaking (form GST RFD-11) of the year"
    )

    def holds(self, day: date) -> bool:
        return (self.since is None or self.since <= day) and (self.until is None or day <= self.until)
