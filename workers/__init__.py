"""Processes put together: settings, the Temporal client, workers."""
