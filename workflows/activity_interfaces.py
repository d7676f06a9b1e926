"""The effects the story asks for. The implementations live in `activities`; workflows never import those."""

from __future__ import annotations

from abc import ABC, abstractmethod

from temporalio import activity

from workflows.messages import (
    BillingRunOrder,
    BillingRunProgress,
    Failure,
    Plan,
    ReconciliationOrder,
    ReconciliationResult,
    StepInput,
)


class InvoiceSteps(ABC):
    """One activity a step. Each reads the ledger, asks the rule, acts, records, and returns what comes next.

    Every one is idempotent against the ledger: taken again, or out of turn, it changes nothing and says what is due.
    """

    @abstractmethod
    @activity.defn(name="assemble")
    def assemble(self, step: StepInput) -> Plan:
        """Fetches client, work and contract, makes the draft, checks it; exceptions wait for a person."""

    @abstractmethod
    @activity.defn(name="approve")
    def approve(self, step: StepInput) -> Plan:
        """Looks whether those asked have decided; past the deadline, asks further up."""

    @abstractmethod
    @activity.defn(name="issue")
    def issue(self, step: StepInput) -> Plan:
        """Validates the whole document under a number nobody has, then gives it number, issue date and due date.

        CPU work, so on the queue of those who render; asked for by earlier workflows on that of the others too.
        """

    @abstractmethod
    @activity.defn(name="deliver")
    def deliver(self, step: StepInput) -> Plan:
        """Looks again, then hands the invoice to the mail server."""

    @abstractmethod
    @activity.defn(name="collect")
    def collect(self, step: StepInput) -> Plan:
        """Looks again, then does what is due: note, reminder, escalation, hand-over, settlement; or nothing."""

    @abstractmethod
    @activity.defn(name="report-failure")
    def report_failure(self, failure: Failure) -> Plan:
        """Makes an exception of a step that did not work, for a person to look at."""


class RenderingSteps(ABC):
    """CPU work, on its own queue."""

    @abstractmethod
    @activity.defn(name="render")
    def render(self, step: StepInput) -> Plan:
        """Renders the issued document once, with its e-invoice, and stores the files by their SHA-256."""


class BillingRuns(ABC):
    """What a billing run does. A run is known to the ledger by its name and goes on where it was."""

    @abstractmethod
    @activity.defn(name="bill-batch")
    def bill_batch(self, order: BillingRunOrder) -> BillingRunProgress:
        """Looks at the next agreements and asks for an invoice for every period that is due and unbilled."""

    @abstractmethod
    @activity.defn(name="bill-due-periods")
    def bill_due_periods(self, order: BillingRunOrder) -> BillingRunProgress:
        """The whole run at once, as runs did that were started before there were batches."""


class Reconciliations(ABC):
    """What a reconciliation does."""

    @abstractmethod
    @activity.defn(name="reconcile")
    def reconcile(self, order: ReconciliationOrder) -> ReconciliationResult:
        """Looks for what should have been billed and was not; each leak becomes an exception, once."""
