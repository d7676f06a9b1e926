"""Which agreements an event is about."""

from __future__ import annotations

from collections.abc import Sequence

from billing.agreements import Agreement
from billing.errors import NotFound
from billing.events import BillingEvent


def agreements_of(event: BillingEvent, agreements: Sequence[Agreement]) -> tuple[Agreement, ...]:
    """The agreements that fit everything the event names, at least one; `NotFound` saying which name fits none."""
    names = event.data.names
    found = tuple(
        each for each in agreements if all(_named(each, kind) == name for kind, name in names.items())
    )
    if found:
        return found
    for kind, name in names.items():
        known = sorted({value for each in agreements if (value := _named(each, kind)) is not None})
        if name not in known:
            there_are = ", ".join(known[:8]) + (" …" if len(known) > 8 else "") or "none"
            what = "there is no agreement" if kind == "agreement" else f"no agreement has the {kind}"
            raise NotFound(f"{what} {name!r}; there are: {there_are}")
    all_of_it = " and ".join(f"{kind} {name!r}" for kind, name in names.items())
    raise NotFound(f"no agreement has {all_of_it}: they belong to different ones")


def _named(agreement: Agreement, kind: str) -> str | None:
    return {
        "agreement": agreement.id,
        "deal": agreement.deal,
        "contract": agreement.contract,
        "project": agreement.project,
        "client": agreement.client,
    }[kind]
