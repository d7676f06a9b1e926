"""What can go wrong in the business: one class a case, each saying what to do next.

BillowError
├── Refused              a rule says no; nothing was changed
│   ├── NotFound         no such invoice, exception, client …
│   ├── NotAllowed       this person may not do that
│   ├── WrongState       the invoice is past (or not yet at) the point where that makes sense
│   └── Conflicting      somebody else was faster, or the draft has changed since
├── MoneyError           an amount that cannot be one
├── NumberingError       a number series that cannot serve
└── SourceUnavailable    a CRM, PSA or contract store cannot be read now; trying again may help
    └── SourceFaulty     it answers, but not as agreed: credentials, scope, type; a person must mend that first
        └── SourceClosed it lets nobody in at all: no or wrong credentials, another address
"""


class BillowError(Exception):
    """Base of every error Billow raises on purpose; `str()` of it can be shown to a person."""


class Refused(BillowError):
    """A rule refuses the command; the ledger is unchanged except for the audit event."""


class NotFound(Refused):
    """The thing named does not exist."""


class NotAllowed(Refused):
    """The person or channel may not do this."""


class WrongState(Refused):
    """The invoice is not in a state in which this can be done."""


class Conflicting(Refused):
    """The thing decided on is no longer the thing that stands in the ledger."""


class MoneyError(BillowError, ValueError):
    """An amount that is not money: a float, too many decimals, mixed currencies, an unknown currency."""


class NumberingError(BillowError):
    """A number series cannot give the next number."""


class SourceUnavailable(BillowError):
    """A source system cannot be read now. Retryable. `system` says which, where that is known."""

    system = ""


class SourceFaulty(SourceUnavailable):
    """A source system answers, but trying again will not help: credentials, scope, address, the type of a field."""


class SourceClosed(SourceFaulty):
    """Nothing of a source system can be read until a person mends its credentials or its address."""
