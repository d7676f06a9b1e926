"""What the page of an invoice says of acts, refusals and events, for the catalogues."""

from __future__ import annotations

from collections.abc import Mapping

from activities.languages.catalogue import message
from billing.allowed_acts import Act

ACTS: Mapping[Act, str] = {
    Act.PAY: message("Book a payment"),
    Act.CREDIT: message("Credit"),
    Act.USE_CREDIT: message("Use credit"),
    Act.REFUND: message("Refund"),
    Act.WRITE_OFF: message("Write off"),
    Act.PROMISE: message("Note a promise"),
    Act.WITHDRAW_PROMISE: message("Withdraw the promise"),
    Act.HOLD: message("Hold reminders"),
    Act.RELEASE: message("Release the hold"),
    Act.DISPUTE: message("Note a dispute"),
    Act.REJECT_DISPUTE: message("The claim stands"),
    Act.WITHDRAW_DISPUTE: message("The client withdraws it"),
    Act.CHANGE_DUE_DATE: message("Change the due date"),
    Act.PLAN: message("Agree on a payment plan"),
    Act.END_PLAN: message("End the plan"),
    Act.RESEND: message("Send again"),
    Act.RENEW_LINK: message("Make a new link"),
    Act.REVOKE_LINK: message("Revoke the link"),
    Act.FETCH_AGAIN: message("Fetch again"),
    Act.VOID: message("Void the draft"),
    Act.BILL_AGAIN: message("Bill it after all"),
}
"""What a button says."""

WHY_NOT = (
    message("This needs the role of an operator."),
    message("The invoice is not issued yet."),
    message("This draft is void."),
    message("An issued invoice never changes; it is corrected with a credit note."),
    message("The invoice is closed: nothing is waited for any more."),
    message("The dispute must be decided first."),
    message("It is disputed already."),
    message("Nobody disputes it."),
    message("No payment is promised."),
    message("The dunning policy takes no further promise; agree on a payment plan instead."),
    message("It is not on hold."),
    message("Nothing of it is open."),
    message("There is no payment plan."),
    message("It was issued by the system before; it is credited there."),
    message("Its document is not made yet, so there is nothing to correct."),
    message("It is credited in full already."),
    message("It is a credit note itself."),
    message("What it says was erased, its retention over."),
    message("A write-off waits already; have that one decided first."),
    message("Nothing is paid too much for it, or all of that is set apart already."),
    message("The client has no credit with this issuer in this currency."),
    message("There is no document to send."),
    message("No link leads to it."),
    message("Nothing of it was waived."),
)
"""Of `billing.allowed_acts.WhyNot`; a test holds the two together."""

EVENTS = (
    message("triggered"), message("assembled"), message("rendered"), message("sent"), message("delivered"),
    message("delivery delayed"), message("delivery handed on"), message("copy came back"), message("bounced"),
    message("settled"), message("approval asked"), message("approval escalated"), message("approval reminded"),
    message("approval handed over"), message("approval withdrawn"), message("approval goes on"),
    message("approved"), message("rejected"), message("decision refused"), message("signal refused"),
    message("voided"), message("to be billed again"), message("exception raised"),
    message("exception repaired"), message("exception reminded"),
    message("exception escalated"), message("exception: retry"), message("exception: accept"),
    message("exception: override"), message("credit note rendered"), message("correction asked for"),
    message("early payment discount"), message("accepted difference"), message("payment received"),
    message("payment taken back"), message("payment under way"), message("payment failed"), message("refunded"),
    message("refund came back"), message("credit used"), message("credit received"), message("credit given back"),
    message("allocation undone"), message("write off taken back"), message("write off asked"),
    message("write off agreed"), message("write off refused"), message("write off withdrawn"),
    message("refund asked"), message("refund agreed"), message("refund refused"), message("refund withdrawn"),
    message("refund failed"), message("credit note asked"), message("credit note agreed"),
    message("credit note refused"), message("credit note withdrawn"), message("held"), message("released"),
    message("payment promised"), message("promise withdrawn"), message("promise kept"), message("promise broken"),
    message("payment plan agreed"), message("due date changed"), message("credit hold"),
    message("credit hold lifted"), message("dispute brought up again"), message("dispute ended"),
    message("file sent with dispute"), message("taken over"), message("fetch again"), message("sending again"),
    message("not sent again"), message("paid meanwhile"), message("credited meanwhile"),
    message("written off meanwhile"), message("the dispute ended meanwhile"),
    message("the plan ended meanwhile"), message("portal link revoked"), message("viewed"),
    message("erased"), message("reminder 1"), message("reminder 2"), message("reminder 3"), message("reminder 4"),
    message("courtesy note"), message("hand over"), message("escalation"),
)  # fmt: skip
"""Of the audit trail, with blanks for hyphens."""

CHANNELS: Mapping[str, str] = {
    "web": message("on these pages"),
    "cli": message("by the command line"),
    "api": message("by the API"),
    "signal": message("by a signal of Temporal"),
    "portal": message("by the client's page"),
    "link": message("by a link in a message"),
    "slack": message("by Slack"),
}
"""From where something came; what Billow does by itself needs no word."""

OUTCOMES = (
    message("kept"), message("broken"), message("moved"), message("withdrawn"), message("corrected"),
    message("asked"), message("agreed"), message("refused"), message("done"), message("failed"),
    message("bank transfer"), message("write off"), message("refund"), message("credit note"),
    message("manual"), message("credit"), message("overtaken"),
    message("price"), message("quantity"), message("quality"), message("not delivered"), message("not ordered"),
    message("duplicate"), message("order number"), message("tax"), message("other"),
    message("invoice"), message("invoice copy"), message("reminder"),
)  # fmt: skip
"""Of promises, of what was asked for, of disputes, of what was sent."""
