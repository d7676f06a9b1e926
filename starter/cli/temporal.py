"""What commands do with Temporal."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from starter.cli.failures import Failure

if TYPE_CHECKING:
    from temporalio.client import Client

Answer = TypeVar("Answer")


def ask(what: Callable[[Client], Awaitable[Answer]]) -> Answer:
    """What is done with a client of the Temporal this process is set to. Raises `RPCError` and `RuntimeError`."""
    from workers.temporal_client import connect

    async def connected() -> Answer:
        return await what(await connect())

    return asyncio.run(connected())


@contextmanager
def reached() -> Iterator[None]:
    """A Temporal that does not answer is a `Failure` that says where it was looked for."""
    from temporalio.service import RPCError

    try:
        yield
    except (RPCError, RuntimeError) as error:
        said = str(error)
        if isinstance(error, RuntimeError) and not said.startswith("Failed client connect"):
            raise
        from temporalio.envconfig import ClientConfig

        place = ClientConfig.load_client_connect_config().get("target_host", "localhost:7233")
        why = "it does not answer" if isinstance(error, RuntimeError) else said
        raise Failure(
            f"Temporal at {place} cannot be used ({why}). "
            "Start everything with `make run`, or correct TEMPORAL_ADDRESS."
        ) from error
