"""Which ports the servers of the stack take."""

import socket
from collections.abc import Collection

from starter.local_stack.errors import StackError

SEARCHED = 200


def choose(
    usual: int, asked: int | None, setting: str, taken: Collection[int] = (), host: str = "127.0.0.1"
) -> int:
    """The port to listen on: `asked` or nothing, else `usual` or the next free one after it.

    `setting` names the environment variable for the message. Raises `StackError`.
    """
    if asked is not None:
        if asked in taken or not free(asked, host):
            raise StackError(
                f"Port {asked} is in use: choose another with {setting}, or leave it out to take a free one."
            )
        return asked
    for port in range(usual, min(usual + SEARCHED, 65536)):
        if port not in taken and free(port, host):
            return port
    raise StackError(f"No port from {usual} on is free: choose one with {setting}.")


def free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether nothing listens on `port` of `host`."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
