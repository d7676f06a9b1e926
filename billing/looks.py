"""How the documents of an issuer look: as a company writes it in `templates/looks.yaml`."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from billing.parties import Identifier, Language, Strict


class LookName(StrEnum):
    """The looks that come with Billow."""

    CLEAR = "clear"
    CLASSIC = "classic"
    BOLD = "bold"


class Look(Strict):
    """The look of one issuer; its `id` is the issuer's. Files are named by their path below `templates/`."""

    id: Identifier = Field(description="id of the issuer whose documents look like this")
    based_on: LookName = LookName.CLEAR
    accent: str | None = Field(
        default=None, pattern=r"^#[0-9a-fA-F]{6}$", description="colour; else the issuer's accent"
    )
    logo: str | None = Field(default=None, description="an SVG, PNG or JPEG file, e.g. logo.svg")
    text_fonts: tuple[str, ...] = Field(default=(), description="TrueType or OpenType files of the text")
    heading_fonts: tuple[str, ...] = Field(default=(), description="the same of headings; else as the text")
    footer: dict[Language, str] = Field(
        default_factory=dict, description="a line in the foot of each page, by language"
    )
    terms: dict[Language, str] = Field(
        default_factory=dict, description="printed below the payment, by language"
    )
