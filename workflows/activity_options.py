"""Timeouts and retries, each named once with its reason."""

from datetime import timedelta
from typing import TypedDict

from temporalio.common import RetryPolicy

from workflows.identifiers import INVOICING_QUEUE, RENDERING_QUEUE


class StepOptions(TypedDict, total=False):
    """Where an activity runs, how long it may take and how it is tried again."""

    task_queue: str
    start_to_close_timeout: timedelta
    schedule_to_close_timeout: timedelta
    heartbeat_timeout: timedelta
    retry_policy: RetryPolicy


REFUSALS = [
    "Refused",
    "NotFound",
    "NotAllowed",
    "WrongState",
    "Conflicting",
    "MoneyError",
    "NumberingError",
    "StoreRefused",
    "DocumentDamaged",
]
"""Errors by which a rule (`billing.errors`) or the document store says no: trying again would be told the same, so a
person hears at once."""


# A ledger transaction or a few source files take well under a second. A database or source that restarts is back
# within minutes; what still fails after about half an hour is for a person, who sees it in the inbox.
LEDGER = StepOptions(
    task_queue=INVOICING_QUEUE,
    start_to_close_timeout=timedelta(minutes=1),
    retry_policy=RetryPolicy(
        non_retryable_error_types=REFUSALS,
        initial_interval=timedelta(seconds=1),
        backoff_coefficient=2,
        maximum_interval=timedelta(minutes=5),
        maximum_attempts=14,
    ),
)

# A mail server may be away over a night: seldom tries (each is an Action), but for a day. A mail takes at most the
# transport's 20 s for each of a handful of dialogue steps.
MAIL = StepOptions(
    task_queue=INVOICING_QUEUE,
    start_to_close_timeout=timedelta(minutes=2),
    schedule_to_close_timeout=timedelta(hours=24),
    retry_policy=RetryPolicy(
        non_retryable_error_types=REFUSALS,
        initial_interval=timedelta(seconds=5),
        backoff_coefficient=3,
        maximum_interval=timedelta(hours=1),
    ),
)

# CPU work: rules compiled once a process, a document validated, or set; the longest allowed (1,500 lines) within a
# minute. What a template does wrong is an exception at once; what fails is the machine, the database or the disk, which
# are tried as patiently as by the other steps.
RENDERING = StepOptions(
    task_queue=RENDERING_QUEUE,
    start_to_close_timeout=timedelta(minutes=5),
    retry_policy=LEDGER["retry_policy"],
)

# Reporting a failure is the last resort, so it is never given up; a ledger that is down is asked every few minutes.
LAST_RESORT = StepOptions(
    task_queue=INVOICING_QUEUE,
    start_to_close_timeout=timedelta(minutes=1),
    retry_policy=RetryPolicy(initial_interval=timedelta(seconds=5), maximum_interval=timedelta(minutes=5)),
)

# A batch is a few small transactions, but may wait until invoices it asked for have been started. It beats at every
# one of them, so that a worker that dies is noticed soon; whatever fails is tried until it works, the ledger knows
# where the run is.
BILLING_BATCH = StepOptions(
    task_queue=INVOICING_QUEUE,
    start_to_close_timeout=timedelta(minutes=30),
    heartbeat_timeout=timedelta(seconds=15),
    retry_policy=RetryPolicy(
        non_retryable_error_types=REFUSALS,
        initial_interval=timedelta(seconds=1),
        maximum_interval=timedelta(minutes=5),
    ),
)

# A whole run in one activity, as runs that were started before there were batches.
BILLING_RUN = StepOptions(
    task_queue=INVOICING_QUEUE,
    start_to_close_timeout=timedelta(hours=1),
    heartbeat_timeout=timedelta(minutes=2),
    retry_policy=RetryPolicy(initial_interval=timedelta(seconds=5), maximum_interval=timedelta(minutes=5)),
)

# Reads every source and the whole ledger: minutes for thousands of agreements. What fails for half a day is seen in
# Temporal, and the next night looks again.
RECONCILIATION = StepOptions(
    task_queue=INVOICING_QUEUE,
    start_to_close_timeout=timedelta(minutes=30),
    schedule_to_close_timeout=timedelta(hours=12),
    retry_policy=RetryPolicy(
        non_retryable_error_types=REFUSALS,
        initial_interval=timedelta(seconds=10),
        maximum_interval=timedelta(minutes=30),
    ),
)
