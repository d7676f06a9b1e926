"""Mails that come back, in the shapes in which mail systems write them; every one composed here."""

from __future__ import annotations

TOKEN = "0123456789abcdef01234567"
VERP = f"bounces+{TOKEN}@issuer.example"
KIM = "ap@client.example"
MESSAGE_ID = "<invoice-1.invoice@issuer.example>"
RETURNED = (
    f"From: billing@issuer.example\nTo: {KIM}\nMessage-ID: {MESSAGE_ID}\nSubject: Invoice B-2026-00001\n"
)


def report(
    *recipients: dict[str, str],
    to: str = VERP,
    envid: str | None = TOKEN,
    sender: str = "MAILER-DAEMON@mx.client.example (Mail Delivery System)",
    message_id: str = MESSAGE_ID,
    text: str = "This is the mail system at host mx.client.example.",
    returned: str = "message/rfc822",
    status: str = "message/delivery-status",
    headers: str = "Auto-Submitted: auto-replied\n",
) -> bytes:
    """A delivery status notification (RFC 3464) of those recipients; each dict is a group of fields."""
    per_message = "Reporting-MTA: dns; mx.client.example\n" + (
        f"Original-Envelope-Id: {envid}\n" if envid else ""
    )
    groups = [per_message, *("".join(f"{k}: {v}\n" for k, v in each.items()) for each in recipients)]
    body = RETURNED.replace(MESSAGE_ID, message_id) + (
        "\nDear Kim,\n" if returned == "message/rfc822" else ""
    )
    kind = status.rpartition("/")[2]
    return (
        f"Return-Path: <>\nFrom: {sender}\nTo: {to}\nSubject: Undelivered Mail Returned to Sender\n{headers}"
        f'MIME-Version: 1.0\nContent-Type: multipart/report; report-type={kind}; boundary="=b"\n\n'
        f"--=b\nContent-Type: text/plain; charset=utf-8\n\n{text}\n\n"
        f"--=b\nContent-Type: {status}\n\n"
        + "\n".join(groups)
        + f"\n--=b\nContent-Type: {returned}\n\n{body}"
        "\n--=b--\n"
    ).encode()


def of(action: str, status: str, diagnostic: str = "", to: str = KIM, **more: str) -> dict[str, str]:
    """The group of fields of one recipient."""
    fields = {"Final-Recipient": f"rfc822; {to}", "Action": action, "Status": status}
    if diagnostic:
        fields["Diagnostic-Code"] = f"smtp; {diagnostic}"
    return {name.replace("_", "-"): value for name, value in (fields | more).items()}


def plain(
    text: str,
    subject: str,
    sender: str = "MAILER-DAEMON@mx.client.example",
    to: str = VERP,
    headers: str = "",
    kind: str = "text/plain; charset=utf-8",
) -> bytes:
    """A mail without a report."""
    return (
        f"Return-Path: <>\nFrom: {sender}\nTo: {to}\nSubject: {subject}\n{headers}MIME-Version: 1.0\n"
        f"Content-Type: {kind}\n\n{text}\n"
    ).encode()


QMAIL = f"""Hi. This is the qmail-send program at mx.client.example.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<{KIM}>:
Sorry, no mailbox here by that name. (#5.1.1)

--- Below this line is a copy of the message.

{RETURNED}"""

EXIM = f"""This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  {KIM}
    host mx.client.example [192.0.2.7]
    SMTP error from remote mail server after RCPT TO:<{KIM}>:
    550 5.1.1 no such user
"""

EXIM_DELAY = f"""This message was created automatically by mail delivery software.
A message that you sent has not yet been delivered to one or more of its
recipients after more than 24 hours on the queue on mx.client.example.

  {KIM}
    Delay reason: SMTP error from remote mail server: 451 4.3.0 try later

No action is required on your part. Delivery attempts will continue for some time.
"""

EXCHANGE = f"""<html><body><p><b>Delivery has failed to these recipients or groups:</b></p>
<p><a href="mailto:{KIM}">{KIM}</a><br>The email address you entered couldn&#39;t be found.</p>
<p>Diagnostic information for administrators:<br>
550 5.1.10 RESOLVER.ADR.RecipientNotFound; not found</p></body></html>"""

BIG_PROVIDER = f"""** Address not found **

Your message wasn't delivered to {KIM} because the address couldn't be found, or is unable to receive mail.

The response was:
550 5.1.1 The email account that you tried to reach does not exist.
"""

QUOTA = f"""Your message to {KIM} could not be delivered.
552 5.2.2 mailbox full, the user is over quota
"""

GERMAN = f"""Ihre Nachricht an {KIM} konnte nicht zugestellt werden.
Grund: 550 5.7.1 Absender nicht zugelassen
"""

STILL_TRYING = f"""Delivery to the following recipient has been delayed:

     {KIM}

Message will be retried for 2 more day(s)
"""
