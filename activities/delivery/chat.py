"""Notices to our own people in a chat: one line of what waits for whom, and the page where it is decided."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from billing.errors import SourceUnavailable


@dataclass(frozen=True)
class ChatNotice:
    """A notice; `person` is the id of whom it is for, `name` theirs. No amounts, no addresses, no client names."""

    event: str
    title: str
    link: str
    person: str
    name: str
    details: tuple[str, ...] = ()


class Chat(Protocol):
    """Where notices are posted."""

    def post(self, notice: ChatNotice) -> bool:
        """False if the chat is not told of such events. `ChatBusy`, `SourceUnavailable` or `SourceFaulty` else."""


class ChatBusy(SourceUnavailable):
    """The chat takes nothing for `seconds`."""

    def __init__(self, message: str, seconds: float) -> None:
        super().__init__(message)
        self.seconds = seconds
