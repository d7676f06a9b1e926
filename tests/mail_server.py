"""A real mail server inside the test process, which can be told to fail."""

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from aiosmtpd.smtp import SMTP, Envelope, Session

from starter.local_stack import mailbox
from starter.local_stack.mailbox import StoredMessage


class MailServer:
    """The development mailbox on a free port. `down` and `up` keep the port."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.host, self.port = "127.0.0.1", 0
        self._handler = _Handler(folder)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="mail server", daemon=True)
        self._listener: asyncio.Server | None = None

    def __enter__(self) -> "MailServer":
        self._thread.start()
        self.up()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.down()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def up(self) -> None:
        """Take connections."""
        self._listener = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result()
        self.port = self._listener.sockets[0].getsockname()[1]

    def down(self) -> None:
        """Refuse connections."""
        if self._listener:
            self._loop.call_soon_threadsafe(self._listener.close)
            asyncio.run_coroutine_threadsafe(asyncio.sleep(0), self._loop).result()
            self._listener = None

    def answer(self, reply: str, times: int = 1) -> None:
        """Answer the next `times` messages with `reply` ("451 later", "554 no") instead of taking them."""
        self._handler.replies += [reply] * times

    def before_data(self, callback: Callable[[Envelope], None] | None) -> None:
        """Call `callback` when a message has arrived whole, before it is taken; None: no more."""
        self._handler.callback = callback

    def messages(self) -> list[StoredMessage]:
        """The messages taken, oldest first."""
        return mailbox.messages(self.folder)

    async def _listen(self) -> asyncio.Server:
        return await asyncio.get_running_loop().create_server(
            lambda: mailbox.server(self._handler), self.host, self.port
        )


class _Handler(mailbox.MailboxHandler):
    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.replies: list[str] = []
        self.callback: Callable[[Envelope], None] | None = None

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.callback:
            await asyncio.to_thread(self.callback, envelope)
        return self.replies.pop(0) if self.replies else await super().handle_DATA(_server, _session, envelope)
