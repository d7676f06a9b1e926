"""Words the ledger keeps in English that pages say in the viewer's language: states, codes, units."""

from __future__ import annotations

from activities.languages.catalogue import message

TONES = {
    "awaiting approval": "waiting",
    "issued, document pending": "waiting",
    "partly paid": "waiting",
    "promised": "waiting",
    "disputed": "alert",
    "blocked": "waiting",
    "due": "alert",
    "reminded": "alert",
    "handed over": "alert",
    "paid": "good",
    "overpaid": "waiting",
    "credited": "plain",
    "written off": "plain",
    "late": "alert",
    "waiting": "waiting",
}
"""The calm colour of a state; those not named are plain."""

UNITS = {"HUR": message("h"), "MON": message("month"), "DAY": message("day")}
"""Unit codes of UN/ECE recommendation 20 that people would not read."""

PIECE = "C62"

STATES = (
    message("waiting"), message("open"), message("late"),
    message("draft"), message("awaiting approval"), message("issued"), message("issued, document pending"),
    message("voided draft"), message("credited"),
    message("unpaid"), message("partly paid"), message("paid"), message("overpaid"), message("written off"),
    message("not due"), message("due"), message("reminded"), message("promised"), message("disputed"),
    message("blocked"), message("handed over"), message("closed"),
)  # fmt: skip
"""Of `billing.status`, and what a list can be narrowed to."""

MESSAGES = (
    message("acted on"), message("refused"), message("ignored"), message("repeated"), message("signed"),
    message("polled"), message("unknown"),
)  # fmt: skip
"""What became of what systems sent."""

WAITS = (message("payment"), message("approval"), message("decision"))
"""What an invoice waits for, by the first word of what its plan says."""

CODES = (
    message("client unknown"), message("client inactive"), message("no contact"), message("not signed"),
    message("sources differ"), message("tax unknown"), message("vat id wrong"), message("exchange rate missing"),
    message("prepayment unpaid"), message("rate missing"), message("hours unapproved"), message("scope exceeded"),
    message("leftovers"), message("empty"), message("not done"), message("already billed"), message("look alike"),
    message("unprintable"), message("invalid document"), message("too many lines"), message("source unreadable"),
    message("rules changed"), message("no approver"), message("document pending"), message("not delivered"),
    message("bounced"), message("step failed"), message("unmatched payment"), message("event held"),
    message("integration failing"), message("block used up"), message("entry held"), message("billing stopped"),
    message("period unbilled"), message("milestone unbilled"), message("project unbilled"),
    message("line unbilled"), message("voided unbilled"), message("work unbilled"), message("work unapproved"),
    message("work without rate"), message("work without agreement"), message("work after end"),
    message("expenses unbilled"), message("deal without agreement"), message("contract without agreement"),
    message("write off"), message("refund"), message("payment reversed"), message("paid back"),
    message("statement faulty"),
    message("bank data old"),
)  # fmt: skip
"""Of `billing.exceptions.ReasonCode`, with blanks."""

FACTS = (
    message("gross"), message("number"), message("due date"), message("issue date"), message("draft digest"),
    message("trigger"), message("amount"), message("reason"), message("until"), message("tier"), message("owner"),
    message("open"), message("comment"), message("received on"), message("lines"), message("verdict"),
    message("because"), message("code"), message("message"), message("reply"), message("size"), message("to"),
)  # fmt: skip
"""Names of facts of the audit trail, with blanks."""

ITEMS = (message("fee"), message("price"), message("hours"), message("block"), message("expenses"))
"""Parts of an agreement that are billed."""

NOTICES = (
    message("approval request"), message("approval reminder"), message("agreement wanted"),
    message("company exception"), message("credit hold"), message("dispute"), message("dispute received"),
    message("dispute rejected"), message("exception"), message("payment plan"), message("receipt"),
    message("refund to pay"), message("unmatched payment"), message("chosen in development"),
)  # fmt: skip
"""Messages by what they are about; and how somebody came in."""

DOORS = (message("web"), message("cli"), message("signal"), message("api"), message("link"), message("VAT"))
"""By which a decision may come; and the tax that has a word of its own in each language."""

CODED = frozenset({"code", "how", "kind", "message", "outcome", "status", "verdict"})
"""Facts of the audit trail that hold one of these words."""

BILLING_RUN = message("billing run")
"""What triggers by the calendar."""

PERSONS = frozenset({"asked", "asked_by", "owner", "was"})
"""Facts of the audit trail that are ids of people."""

UNSPOKEN = frozenset({"size", "sha256", "cii", "ubl", "reply"})
"""Facts of the audit trail that pages show among the facts of an event only, not in its sentence."""

TRIGGERS = {
    "time": message("by the calendar"),
    "manual": message("by hand"),
    "threshold": message("by a meter"),
    "opening item": message("taken over"),
    "event": message("by an event"),
}
"""Of an invoice, by the first word where more follows."""

HAPPENED = (
    message("deal won"), message("contract signed"), message("project completed"),
    message("milestone signed off"), message("project progressed"),
)  # fmt: skip
"""What events tell of, without their prefix."""

TERMS = (
    message("Fee"), message("Price"), message("Block"), message("At least"), message("At most"), message("Then"),
    message("Billed"), message("Runs"), message("Discount"), message("Prices"), message("Terms"),
    message("Papers"), message("Used up"), message("Expires"), message("Rates"), message("Included"),
    message("Lines"), message("Leftovers"), message("Scope"), message("contract"), message("deal"),
    message("project"), message("order"), message("value"), message("rate"),
)  # fmt: skip
"""Of `billing.agreement_terms`: names of terms, and of papers."""

SYSTEMS = {f"/{each}": each.upper() for each in ("crm", "psa", "cms", "dms", "erp")}
"""Sources of events that stand for a person, as people call them."""

TAX_KINDS = {
    "AE": message("reverse charge"),
    "E": message("exempt"),
    "G": message("export"),
    "K": message("within the EU"),
    "O": message("not taxable here"),
    "Z": message("zero rate"),
}
"""Categories of EN 16931 in words; the standard one needs none."""

ROLES = (message("viewer"), message("operator"), message("approver"), message("admin"))

DIFFERENCES = (
    message("buyer"), message("address of the buyer"), message("VAT id of the buyer"), message("written to"),
    message("copies to"), message("issuer"), message("VAT id of the issuer"), message("bank account"),
    message("line"), message("words"), message("quantity"), message("unit"), message("unit price"),
    message("currency"), message("net"), message("tax"), message("gross"), message("allowances"),
    message("tax note"), message("payment terms"), message("kind of document"), message("agreement"),
    message("contract"), message("order of the client"), message("buyer reference"), message("language"),
)  # fmt: skip
"""What `billing.difference` tells of."""
