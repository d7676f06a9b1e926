"""What can keep the local stack from running, each told in one line."""


class StackError(Exception):
    """The stack cannot start or go on; the message is one line that says why and what to do."""


class AlreadyRunning(StackError):
    """Another `billow up` holds this home."""
