"""What happened to the invoice of the pictures: its document, the message with it, a part paid, and a dispute."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from activities.documents.pool import RenderingPool
from activities.documents.store import DocumentStore
from activities.invoicing import issued_files
from activities.invoicing.account_documents import invoice_document
from activities.ledger import commands, dispute_commands, looks
from activities.ledger.tables import MessageRow
from billing.approval_policy import Channel
from billing.dispute import DisputeCode
from tests.starter.web.story import Story


def deal(story: Story, number: str, documents: DocumentStore) -> None:
    """All of it, through the ledger's own functions; the document is rendered as any is."""
    with story.ledger.transaction() as tx:
        row = story.invoice(tx, number)
        at = row.issued_at or story.at
        document = invoice_document(tx, row, at)
        look = looks.of_issuer(tx, row.company_version, document.draft.issuer.id)
    with RenderingPool(1, seconds=60) as pool:
        made = pool.render(document, look)
    kept = issued_files.store(documents, made, document)
    with story.ledger.transaction() as tx:
        row = story.invoice(tx, number)
        issued_files.record(tx, row, kept, at=at)
        tx.add(
            MessageRow(
                key=f"invoice-{row.id}/invoice",
                message_id=f"<{number}@elbwerk.example>",
                invoice=row.id,
                event="invoice",
                audience="client",
                recipient="ap@nordlicht.example",
                copies_to=[],
                subject=f"Invoice {number}",
                body="Dear Kim,\n\nhere is our invoice.",
                html="<p>Dear Kim,</p><p>here is our invoice.</p>",
                prepared_at=at,
                handed_over_at=at,
                delivered_at=at + timedelta(minutes=1),
            )
        )
    day = (story.at - timedelta(days=30)).date()
    commands.pay(
        story.ledger,
        number,
        Decimal("1200.00"),
        "EUR",
        received_on=day,
        by="lena",
        channel=Channel.WEB,
        at=story.at,
    )
    dispute_commands.dispute(
        story.ledger,
        number,
        reason="Two nights of the migration were agreed as goodwill.",
        code=DisputeCode.OTHER,
        lines=(1,),
        by="lena",
        channel=Channel.WEB,
        at=story.at,
    )
