"""A real IMAP server (pymap) in a process of its own, and a postman who puts mails into its mailbox."""

from __future__ import annotations

import contextlib
import imaplib
import socket
import subprocess
import sys
import time
from types import TracebackType

USER, PASSWORD = "bounces", "imap-password"
_SECONDS = 20


class ImapServer:
    """The mailbox is in memory: `restart` begins an empty one with another UIDVALIDITY, at the same port."""

    def __init__(self) -> None:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            self.port = int(listener.getsockname()[1])
        self._child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> ImapServer:
        self.up()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.down()

    def up(self) -> None:
        program = "import sys; from pymap.main import main; sys.exit(main())"
        options = ["--host", "127.0.0.1", "--port", str(self.port), "--no-tls", "--no-service", "managesieve"]
        users = ["dict", "--demo-user", USER, "--demo-password", PASSWORD]
        self._child = subprocess.Popen(
            [sys.executable, "-c", program, *options, *users],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        end = time.monotonic() + _SECONDS
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            assert self._child.poll() is None, "the IMAP server did not start"
            assert time.monotonic() < end, "the IMAP server does not answer"
            time.sleep(0.05)

    def down(self) -> None:
        if self._child:
            self._child.kill()
            self._child.wait()
            self._child = None

    def restart(self) -> None:
        self.down()
        self.up()

    def deliver(self, *mails: bytes) -> None:
        """Puts mails into the mailbox, as a mail system does."""
        with self.session() as session:
            for each in mails:
                kind, _ = session.append("INBOX", "", "", each)
                assert kind == "OK"

    def flags(self) -> dict[int, set[str]]:
        """By UID, the flags of each mail."""
        with self.session() as session:
            session.select("INBOX", readonly=True)
            _, found = session.uid("FETCH", "1:*", "(FLAGS)")
            lines = [each.decode() for each in found if isinstance(each, bytes)]
            uids = (int(line.split("UID ")[1].split()[0].rstrip(")")) for line in lines)
            flags = ({flag.decode() for flag in imaplib.ParseFlags(line.encode())} for line in lines)
            return dict(zip(uids, flags, strict=True))

    def session(self) -> imaplib.IMAP4:
        session = imaplib.IMAP4("127.0.0.1", self.port, timeout=_SECONDS)
        session.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else 40 ms a mail
        session.login(USER, PASSWORD)
        return session
