"""Processes put together: which workflows and activities a worker runs, and with what."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from temporalio.client import Client
from temporalio.worker import Worker

from activities.delivery.signed_links import SignedLinks
from activities.delivery.smtp import SmtpTransport
from activities.documents.rendering import InThisProcess, Renderer
from activities.invoicing.billing_runs import LedgerBillingRuns
from activities.invoicing.effects import Effects
from activities.invoicing.reconciliation import LedgerReconciliation
from activities.invoicing.steps import DocumentSteps, LedgerSteps
from activities.ledger.database import Ledger
from activities.tax_ids.vies import COMMISSION, Vies
from workers.document_store import document_store
from workers.settings import Settings
from workers.web_secret import accepted
from workflows.billing_run import BillingRunWorkflow
from workflows.identifiers import INVOICING_QUEUE, RENDERING_QUEUE
from workflows.invoice import InvoiceWorkflow
from workflows.reconciliation import ReconciliationWorkflow

WORKFLOWS = [InvoiceWorkflow, BillingRunWorkflow, ReconciliationWorkflow]

INVOICING_THREADS = 16
"""Steps of one worker at a time: they wait for the database and the mail server, not for the CPU."""

_GRACE = timedelta(seconds=30)
"""How long a worker that is told to stop lets running steps finish: longer than a mail takes."""


def effects(settings: Settings, renderer: Renderer | None = None) -> Effects:
    """The outside world these settings name; without a `renderer`, documents are rendered in this process."""
    return Effects(
        ledger=Ledger(settings.database_url.get_secret_value()),
        documents=document_store(settings),
        mail=SmtpTransport(
            settings.smtp_host,
            settings.smtp_port,
            settings.smtp_username or "",
            settings.smtp_password.get_secret_value() if settings.smtp_password else "",
            settings.smtp_starttls,
        ),
        web_url=settings.web_url,
        vies=Vies(settings.vies_url or COMMISSION),
        renderer=renderer or InThisProcess(),
        portal_url=settings.portal_url,
        public=settings.public_url is not None and not settings.development,
        links=SignedLinks(accepted(settings.home), settings.web_url),
    )


def invoicing_worker(client: Client, outside: Effects, queue: str = INVOICING_QUEUE) -> Worker:
    """Runs the workflows, and every step but rendering; `issue` only for workflows that asked for it here before."""
    steps, runs = LedgerSteps(outside), LedgerBillingRuns(outside.ledger)
    return Worker(
        client,
        task_queue=queue,
        workflows=WORKFLOWS,
        activities=[
            steps.assemble,
            steps.approve,
            steps.issue,
            steps.deliver,
            steps.collect,
            steps.report_failure,
            runs.bill_batch,
            runs.bill_due_periods,
            LedgerReconciliation(outside.ledger).reconcile,
        ],
        activity_executor=ThreadPoolExecutor(INVOICING_THREADS, "step"),
        max_concurrent_activities=INVOICING_THREADS,
        graceful_shutdown_timeout=_GRACE,
    )


def rendering_worker(client: Client, outside: Effects, queue: str = RENDERING_QUEUE) -> Worker:
    """Validates and issues, and renders: as many documents at a time as the renderer has processes."""
    threads = outside.renderer.processes
    return Worker(
        client,
        task_queue=queue,
        activities=[LedgerSteps(outside).issue, DocumentSteps(outside).render],
        activity_executor=ThreadPoolExecutor(threads, "render"),
        max_concurrent_activities=threads,
        graceful_shutdown_timeout=_GRACE,
    )
