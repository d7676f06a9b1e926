"""The command line `billow`: one module a noun, loaded only when it is asked for."""

from __future__ import annotations

import click

from starter.cli.command_table import CommandTable, Entry, remember_debug

TABLE: dict[str, tuple[Entry, ...]] = {
    "Start": (Entry("up", "processes", "Everything on this machine, until Ctrl-C"),),
    "Company": (
        Entry("init", "company", "Write a company folder to begin with"),
        Entry("check", "company", "Name every problem of a company folder"),
        Entry("schema", "schema", "JSON Schema of the company's files, for editors"),
        Entry("apply", "company", "Make a company folder the one that runs"),
        Entry("preview", "preview", "Show how documents look, with sample or real data"),
        Entry("simulate", "simulate", "What would be billed, asked, sent and reminded, and when"),
        Entry("import-opening-items", "opening_items", "Take over open invoices of the system before"),
    ),
    "Agreements": (
        Entry("agreements", "agreements", "What each agreement is billed for next, and its meter"),
        Entry("agreement", "agreements", "Everything about one agreement"),
        Entry("why", "agreements", "Why something was billed, or not"),
    ),
    "Invoices": (
        Entry("trigger", "trigger", "Bill an agreement, an event or a one-off now"),
        Entry("meter", "meter", "Take in hours, spend or progress from a file"),
        Entry("meters", "meter", "Where every meter stands, and its next line"),
        Entry("events", "events", "Events that came in, and what came of them"),
        Entry("invoices", "invoices", "List invoices, newest first"),
        Entry("show", "invoices", "Everything about one invoice"),
        Entry("timeline", "invoices", "What happened to an invoice, and who did it"),
        Entry("pdf", "documents", "Write the PDF of an issued invoice to a file"),
        Entry("einvoice", "einvoice", "Write the XML of an issued invoice, or check one"),
    ),
    "Decisions": (
        Entry("inbox", "inbox", "Approvals and exceptions that wait for somebody"),
        Entry("approve", "decisions", "Approve a draft"),
        Entry("reject", "decisions", "Reject a draft; it is voided"),
        Entry("resolve", "decisions", "Decide an exception"),
        Entry("absence", "absences", "Say who decides while somebody is away"),
        Entry("absences", "absences", "Who is away when, and who decides instead"),
        Entry("fetch-again", "decisions", "Make a draft anew from what the sources say now"),
        Entry("void", "drafts", "End a draft that was never issued"),
        Entry("bill-again", "drafts", "Bill after all what was waived"),
    ),
    "Money": (
        Entry("pay", "payments", "Book a payment, or money taken back"),
        Entry("allocate", "payments", "Book an unmatched payment, or set it aside"),
        Entry("import-statement", "bank", "Import a bank statement (camt.053)"),
        Entry("bank", "bank", "Bank statements, and what became of each entry"),
        Entry("write-off", "settling", "Give up what is open of an invoice"),
        Entry("refund", "settling", "Pay back what was paid too much"),
        Entry("refund-paid", "settling", "Note that a refund was paid"),
        Entry("agree", "settling", "Agree to a write-off or refund"),
        Entry("refuse", "settling", "Refuse a write-off or refund"),
        Entry("withdraw", "settling", "Take back what was asked for and is not done"),
        Entry("credit-balance", "client_credit", "What clients have paid too much"),
        Entry("use-credit", "client_credit", "Pay an invoice with a client's credit"),
        Entry("keep-credit", "client_credit", "Keep an unmatched payment as a client's credit"),
        Entry("unallocate", "client_credit", "Take a booking from the wrong invoice again"),
        Entry("credit", "credit", "Credit an issued invoice, in whole or in part"),
        Entry("hold", "collection", "Send no reminders until a day"),
        Entry("release", "collection", "End a hold"),
        Entry("dispute", "disputes", "Note a dispute, or how it was decided"),
        Entry("dispute-files", "disputes", "Save the files a client sent with disputes"),
        Entry("promise", "collection", "Note that the client promised to pay by a day"),
        Entry("due", "collection", "Agree on another due date"),
        Entry("plan", "payment_plans", "Agree on instalments, or show them"),
        Entry("credit-hold", "credit_holds", "Put a client on credit hold, or see who is"),
        Entry("portal-link", "portal", "The client's link to an invoice, or its end"),
        Entry("resend", "collection", "Mail an issued invoice once more"),
        Entry("ageing", "ageing", "What is owed, and how late it is"),
        Entry("interest", "interest", "What late payment of an invoice has cost so far"),
        Entry("statement", "account_documents", "A client's account: movements, open items, ageing"),
        Entry("receipt", "account_documents", "Confirm what was paid for an invoice"),
        Entry("reminder-letter", "account_documents", "A reminder of an invoice, as a letter"),
        Entry("tax", "tax", "Which tax a sale bears, and why"),
        Entry("reconcile", "reconcile", "Find what should have been billed and was not"),
    ),
    "Operation": (
        Entry("audit", "audit", "Prove that nothing was changed afterwards"),
        Entry("documents", "documents", "Check every stored document against its hash"),
        Entry("integrations", "integrations", "How connected systems fare; ask them now"),
        Entry("deliveries", "deliveries", "What systems delivered, and what came of it"),
        Entry("export", "export", "One zip with everything an auditor asks for"),
        Entry("retention", "retention", "What must be kept, until when, and what may go"),
        Entry("erase", "retention", "Erase what may go of a client or a contact"),
        Entry("api-token", "api_tokens", "Make or end a token that speaks for a person"),
        Entry("api-tokens", "api_tokens", "Tokens by which programs speak for people"),
        Entry("migrate", "processes", "Bring the database to the newest schema"),
        Entry("rebuild", "processes", "Start every open invoice again on an empty Temporal"),
        Entry("worker", "processes", "Work on one task queue"),
        Entry("web", "processes", "The web app"),
        Entry("run", "runs", "Bill every period that is due now, and watch it"),
        Entry("runs", "runs", "Billing runs: how far they are, and what they did"),
        Entry("sync-schedules", "schedules", "Put the schedules of the company into Temporal"),
    ),
}
"""Every command: its section in the help, the module it lives in, and what it does in one line."""

EPILOG = (
    "INVOICE is a number or a billing key. Reading commands take --json; BILLOW_AS stands for --as. "
    "Exit codes: 0 done, 1 refused or not possible (the reason is on stderr), 2 wrong usage, "
    "130 stopped with Ctrl-C, 70 a fault of the program."
)


def _version(context: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        from importlib.metadata import version

        click.echo(f"billow {version('billow')}")
        context.exit()


@click.command(
    cls=CommandTable, table=TABLE, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Show the version."
)
@click.option(
    "--debug",
    is_flag=True,
    expose_value=False,
    callback=remember_debug,
    help="Show where the program failed, if it does.",
)
def main() -> None:
    """Billow sends invoices and follows them until the money is there."""
