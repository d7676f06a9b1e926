"""A command as a person gave it on a page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from activities.ledger.actors import Said
from activities.ledger.database import Ledger
from billing.approval_policy import Channel
from billing.roles import Role
from starter.web.forms import Form


@dataclass(frozen=True)
class Order:
    """By whom with which role, when, and with which fields; days are days of `zone`."""

    ledger: Ledger
    form: Form
    by: str
    role: Role
    at: datetime
    zone: ZoneInfo

    @property
    def said(self) -> Said:
        return {"by": self.by, "channel": Channel.WEB, "at": self.at}

    def __getitem__(self, field: str) -> str:
        return self.form.get(field, "")
