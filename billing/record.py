"""Records people write into files."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

CountryCode = Annotated[str, Field(pattern=r"^[A-Z]{2}$", description="ISO 3166-1 alpha-2, e.g. DE")]


class Strict(BaseModel):
    """A record people write: frozen, and an unknown key is a mistake worth naming."""

    model_config = ConfigDict(frozen=True, extra="forbid")
