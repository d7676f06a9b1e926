"""The connection to Temporal, by its own standard environment (`TEMPORAL_ADDRESS`, `TEMPORAL_PROFILE` …)."""

from __future__ import annotations

from temporalio.client import Client
from temporalio.envconfig import ClientConfig

from workers.sandbox import BillowPlugin


async def connect() -> Client:
    """A client that speaks as our workers do. Raises `RuntimeError` when nothing answers."""
    return await Client.connect(**ClientConfig.load_client_connect_config(), plugins=[BillowPlugin()])
