"""Lines that meters cross: each billed or told once, in the transaction that moved the meter."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.ledger import company_exceptions, triggers
from activities.ledger.invoices import Requested
from activities.ledger.tables import MeterCrossingRow
from billing.agreements import Agreement, Occasion, PrepaidBlock, billing_key
from billing.change_orders import agreement_on
from billing.company import Company
from billing.errors import BillowError
from billing.exceptions import Finding, ReasonCode
from billing.meter_entries import Held, Measure, MeterEntry
from billing.meter_words import because, entries_held, line_crossed, line_refused
from billing.metering import Line, Meter
from billing.money import Money, rounded

METER = "meter/"
"""How subjects begin: `meter/<agreement>/<line>` of lines, `meter/<agreement>/held/<measure>/<kind>` of entries."""


@dataclass(frozen=True)
class Crossing:
    """A line that was crossed just now, and what came of it; `new` says that this made the invoice."""

    agreement: str
    line: Line
    outcome: str
    billing_key: str | None = None
    new: bool = False


def crossed_before(tx: Session, agreement: str) -> frozenset[str]:
    """The lines of an agreement that were crossed at some time."""
    return frozenset(tx.scalars(select(MeterCrossingRow.line).where(MeterCrossingRow.agreement == agreement)))


@dataclass(frozen=True)
class Crossings:
    """Acts on lines within one transaction, on behalf of whoever moved the meters."""

    tx: Session
    company: Company
    by: str
    channel: str
    at: datetime

    def cross(
        self,
        agreement: Agreement,
        meter: Meter,
        crossed: Collection[str],
        bought: Collection[str],
        last: MeterEntry | None,
    ) -> list[Crossing]:
        """Bills or tells each line that is reached and never was `crossed`. Its row is what keeps it to once.

        Of a block that is `bought` already nobody is told.
        """
        reached = [each for each in meter.lines if each.reached and each.name not in crossed]
        made = self._billed(agreement, meter.measure, [each for each in reached if each.item])
        made += [
            Crossing(agreement.id, each, "billed already", billing_key(agreement.id, each.name))
            if each.name in bought
            else self._told(agreement, meter.measure, each)
            for each in reached
            if not each.item
        ]
        for crossing in made:
            self._record(crossing, last)
        return made

    def _record(self, crossing: Crossing, last: MeterEntry | None) -> None:
        row = MeterCrossingRow(
            agreement=crossing.agreement,
            line=crossing.line.name,
            crossed_at=self.at,
            value=crossing.line.value,
            threshold=crossing.line.threshold,
            source=last.source if last else "",
            entry=last.id if last else "",
            billing_key=crossing.billing_key,
            outcome=crossing.outcome,
        )
        self.tx.add(row)

    def _billed(self, agreement: Agreement, measure: Measure, lines: Sequence[Line]) -> list[Crossing]:
        """Work is billed as far as it has come: of several lines of spend the last one bills what all of them would."""
        at_once = lines[-1:] if measure is Measure.SPEND else lines
        asked = {line.name: self._ask(agreement, measure, line) for line in at_once}
        made = []
        for line in lines:
            found = asked.get(line.name) or (asked[lines[-1].name] if line not in at_once else None)
            if found is None:
                continue
            key, new = found.invoice.billing_key, found.new and line in at_once
            along = f"billed with {lines[-1].name}" if line not in at_once else "billed already"
            made.append(Crossing(agreement.id, line, "invoice asked for" if new else along, key, new))
        return made

    def _ask(self, agreement: Agreement, measure: Measure, line: Line) -> Requested | None:
        """The invoice of a line. Where that is refused a person is told, and the next look tries again."""
        subject = f"{METER}{agreement.id}/{line.name}"
        try:
            with self.tx.begin_nested():
                asked = triggers.by_occasion(
                    self.tx,
                    Occasion(agreement=agreement.id, item=line.name),
                    "threshold",
                    by=self.by,
                    channel=self.channel,
                    reason=because(agreement, measure, line),
                    at=self.at,
                )
        except BillowError as error:
            self._raise(subject, line_refused(agreement, line, error), agreement)
            return None
        company_exceptions.close_repaired(self.tx, [subject], at=self.at)
        return asked

    def _told(self, agreement: Agreement, measure: Measure, line: Line) -> Crossing:
        stake = None
        if measure is Measure.SPEND:
            currency = agreement.currency
            stake = Money.of(rounded(line.value - line.threshold, currency), currency)
        elif isinstance(agreement, PrepaidBlock):
            price = agreement_on(agreement, triggers.company_today(self.company, agreement, self.at)).price
            stake = Money.of(rounded(price, agreement.currency), agreement.currency)
        finding = line_crossed(agreement, measure, line)
        self._raise(f"{METER}{agreement.id}/{line.name}", finding, agreement, stake)
        return Crossing(agreement.id, line, f"told: {finding.code}")

    def _raise(
        self, subject: str, finding: Finding, agreement: Agreement, stake: Money | None = None
    ) -> None:
        """Whose exception it is the policy may say; else the account manager's."""
        policy, client = self.company.exceptions, self.company.client(agreement.client)
        named = policy.client_owners.get(agreement.client) or policy.owners.get(finding.code)
        company_exceptions.raise_one(
            self.tx,
            subject,
            finding,
            self.company,
            client=agreement.client,
            at_stake=stake,
            owner=named or (client.account_manager if client else None),
            at=self.at,
        )

    def tell_held(self, agreement: Agreement, meter: Meter) -> None:
        """Makes the open exceptions about entries that do not count those there are: one a kind of reason."""
        prefix = f"{METER}{agreement.id}/held/{meter.measure}/"
        kinds: dict[str, list[tuple[MeterEntry, Held]]] = {}
        for entry, why in meter.held:
            kinds.setdefault(why.kind, []).append((entry, why))
        for kind, entries in kinds.items():
            self._raise(f"{prefix}{kind}", entries_held(agreement, kind, entries), agreement)
        gone = company_exceptions.open_subjects(self.tx, prefix) - {f"{prefix}{kind}" for kind in kinds}
        company_exceptions.close_repaired(self.tx, gone, at=self.at)

    def close_repaired(self, agreement: Agreement, meter: Meter, bought: Collection[str]) -> None:
        """Closes what was told of lines: a block that is billed now, a limit that was raised.

        A meter that only moved back leaves them open: the line is not told a second time.
        """
        prefix = f"{METER}{agreement.id}/"
        limits = {each.name for each in meter.lines if each.code is ReasonCode.CAP_EXCEEDED}
        kinds = {Measure.SPEND: ("budget-", "cap-"), Measure.HOURS: ("scope-",)}.get(meter.measure, ())
        names = [each.removeprefix(prefix) for each in company_exceptions.open_subjects(self.tx, prefix)]
        gone = [
            f"{prefix}{name}"
            for name in names
            if name in bought or (name.startswith(kinds) and name not in limits)
        ]
        company_exceptions.close_repaired(self.tx, gone, at=self.at)
