"""A mail server that keeps what it gets: SMTP with STARTTLS (or TLS from the start, or none) and optional sign-in."""
# ruff: noqa: ARG002 - aiosmtpd calls with all of these

import asyncio
import logging
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Literal

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from ._server import Stoppable
from ._tls import make_certificates, server_context
from ._wait import Recorder

logging.getLogger("mail").setLevel(logging.WARNING)  # aiosmtpd logs every line of every mail

Stage = Literal["sender", "recipient", "text"]
#: In place of a reply: the mail is taken, and the connection ends before the answer, or no answer comes.
CUT, HANG = "cut", "hang"


@dataclass(frozen=True)
class Mail:
    """One mail that was accepted."""

    sender: str
    to: tuple[str, ...]
    message: EmailMessage
    raw: bytes
    at: datetime


class Smtp(Stoppable, Recorder):
    """`with Smtp() as smtp:`; give `smtp.options` to the mail channel.

    user, password: when given, only who signs in so may send.
    """

    def __init__(
        self,
        *,
        security: Literal["none", "starttls", "tls"] = "starttls",
        user: str = "",
        password: str = "",
    ) -> None:
        super().__init__()
        self.security, self.user, self.password = security, user, password
        self._mails: list[Mail] = []
        self._refusals: list[tuple[Stage, str]] = []
        self._controller: Any = None
        self._folder = tempfile.TemporaryDirectory(prefix="smtp-", ignore_cleanup_errors=True)
        self.ca_file = str(make_certificates(Path(self._folder.name)))
        self._port = 0

    # --- for the story ----------------------------------------------------------------------------------------------

    @property
    def port(self) -> int:
        return self._port

    @property
    def options(self) -> dict[str, Any]:
        options = {
            "host": "127.0.0.1",
            "port": self._port,
            "security": self.security,
            "from": "escalations@example.com",
        }
        if self.security != "none":
            options["ca_file"] = self.ca_file
        if self.user:
            options |= {"user": self.user, "password": self.password}
        return options

    @property
    def mails(self) -> tuple[Mail, ...]:
        """What was accepted, oldest first."""
        with self.changed:
            return tuple(self._mails)

    def refuse(self, stage: Stage, reply: str, *, times: int = 1) -> None:
        """The next `times` mails are refused at this stage, e.g. `refuse("recipient", "550 5.1.1 Unknown")`."""
        with self.changed:
            self._refusals += [(stage, reply)] * times

    def start(self) -> None:
        folder = Path(self._folder.name)
        context = server_context(folder) if self.security != "none" else None
        self._controller = _Controller(
            self,
            hostname="127.0.0.1",
            port=self._port,
            ready_timeout=10,
            server_hostname="localhost",
            ssl_context=context if self.security == "tls" else None,
            tls_context=context if self.security == "starttls" else None,
            require_starttls=self.security == "starttls",
            authenticator=self._sign_in if self.user else None,
            auth_required=bool(self.user) and self.security == "starttls",
            auth_require_tls=self.security == "starttls",
        )
        self._controller.start()
        self._port = self._controller.port

    def stop(self) -> None:
        if self._controller is not None:
            self._controller.stop()
            self._controller = None

    def close(self) -> None:
        """Stops it and takes its certificates away; it can't be started again."""
        self.stop()
        self._folder.cleanup()

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- what aiosmtpd calls, in its own thread -----------------------------------------------------------------------

    def _sign_in(self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        given = (data.login.decode(), data.password.decode()) if isinstance(data, LoginPassword) else ("", "")
        return AuthResult(success=given == (self.user, self.password), handled=False)

    async def handle_MAIL(self, server: Any, session: Any, envelope: Any, address: str, options: Sequence[str]) -> str:  # noqa: N802
        if refusal := self._refusal("sender"):
            return refusal
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Sequence[str]) -> str:  # noqa: N802
        if refusal := self._refusal("recipient"):
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        refusal = self._refusal("text")
        if refusal not in ("", CUT, HANG):
            return refusal
        raw = bytes(envelope.content)
        message = message_from_bytes(raw, policy=policy.default)
        with self.changed:
            self._mails.append(Mail(envelope.mail_from, tuple(envelope.rcpt_tos), message, raw, datetime.now(UTC)))
            self.changed.notify_all()
        if refusal == HANG:
            await asyncio.sleep(60)
        if refusal == CUT:
            server.transport.abort()
        return "250 OK"

    def _refusal(self, stage: Stage) -> str:
        with self.changed:
            for index, (wanted, reply) in enumerate(self._refusals):
                if wanted == stage:
                    del self._refusals[index]
                    return reply
            return ""


class _Controller(Controller):
    """Listens on a free port when asked for port 0."""

    def _trigger_server(self) -> None:
        listening: Any = self.server
        self.port = listening.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]
