"""Mail over SMTP: text and HTML, marked as made by a machine, with one link to take the ticket.

Facts: RFC 5321 and RFC 3463 (replies; https://www.iana.org/assignments/smtp-enhanced-status-codes lists the enhanced
codes), RFC 3834 (Auto-Submitted). A repeat carries the same Message-ID.
"""

import re
import smtplib
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.errors import MessageError
from email.utils import parseaddr
from typing import Any, Literal, TypeVar

from marshmallow import Schema, ValidationError, fields, validate

from connector.core.contact import Contact
from connector.errors import ConfigError, Undelivered
from connector.ports import Message, Receipt

from . import _texts
from ._mail import compose, message_id, parts
from ._shared import CONNECT_TIMEOUT, READ_TIMEOUT, Shared, read_file, repeat
from ._templates import BUILT_IN, Texts

KIND = "email"

Stage = Literal["connection", "encryption", "sign-in", "sender", "recipient", "text"]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Problem:
    """What a reply of 5xx means for us; 4xx always means to try again."""

    sentence: str
    permanent: bool = False
    credentials: bool = False


#: What a final refusal means at each stage; at the recipient it is often about somebody else.
PROBLEMS: Mapping[Stage, Problem] = {
    "connection": Problem("The mail server doesn't want to talk to us.", credentials=True),
    "encryption": Problem("The mail server's encryption can't be used.", credentials=True),
    "sign-in": Problem("The mail server refused the user or password.", credentials=True),
    "sender": Problem("The mail server refused the channel's `from` address.", credentials=True),
    "recipient": Problem("The mail server says that the address doesn't exist.", permanent=True),
    "text": Problem("The mail server refused the message."),
}
_NOT_THERE = Problem("The mail server doesn't let us send there.", credentials=True)
_NOT_SO = Problem("The mail server refused the message.", credentials=True)
#: What a final refusal at the recipient means by its enhanced code, by the first two parts of that, by its code. A
#: policy (5.7), what it thinks of the sender, and what it makes of our commands (5.5) say nothing about the address.
RECIPIENT: Mapping[str, Problem] = {
    "5.1.7": PROBLEMS["sender"],
    "5.1.8": PROBLEMS["sender"],
    "5.2.2": Problem("The mailbox is full."),
    "5.2.3": Problem("The mail server refused the message."),
    "5.5": _NOT_SO,
    "5.7": _NOT_THERE,
    "503": _NOT_SO,
    "504": _NOT_SO,
    "530": Problem("The mail server wants us to sign in.", credentials=True),
    "552": Problem("The mailbox is full."),
}
_ENHANCED = re.compile(r"(?:^|#)(5\.\d{1,3})(\.\d{1,3})(?!\d|\.\d)")  # "#": qmail puts it last
_ADDRESS = re.compile(r"\S*@\S*")
_LATER = Problem("The mail server asked to try later.")

#: Seconds for one mail from the connection to the last reply.
DEADLINE = 16.0
#: Of these, seconds for the greeting once we are connected. RFC 5321 asks for 5 minutes; Postfix' postscreen lets
#: strangers wait for 6 seconds (https://www.postfix.org/postconf.5.html#postscreen_greet_wait).
GREETING = 10.0


def _is_mailbox(value: str) -> None:
    local, _, domain = parseaddr(value)[1].rpartition("@")
    if not local or not domain or _texts.clean(value) != value:
        raise ValidationError('Write an address like "Escalations <escalations@example.com>".')


class Options(Schema):
    """What stands under the channel's name in the config. `ca_file`: whom to trust instead of the system's list."""

    host = fields.String(required=True, validate=validate.Length(min=1), metadata={"meaning": "the mail server"})
    port = fields.Integer(load_default=587, validate=validate.Range(1, 65535))
    security = fields.String(
        load_default="starttls",
        validate=validate.OneOf(["none", "starttls", "tls"]),
        metadata={"meaning": "`starttls`, `tls` (from the start) or `none`"},
    )
    from_ = fields.String(
        data_key="from",
        attribute="from",
        required=True,
        validate=_is_mailbox,
        metadata={"meaning": "the sender, with or without a name"},
    )
    user = fields.String(load_default="", metadata={"meaning": "who signs in, where the server wants that"})
    password = fields.String(load_default="", metadata={"secret": True, "meaning": "their password"})
    ca_file = fields.String(load_default="", metadata={"meaning": "whom to trust instead of the system's list"})


def build(name: str, options: dict[str, Any], shared: Shared) -> "Email":
    """Raises ConfigError for a `ca_file` that can't be used and for a password that would travel in the clear."""
    if options["user"] and options["security"] == "none" and options["host"] not in ("127.0.0.1", "::1", "localhost"):
        raise ConfigError(f"Channel {name}: a password needs `security: starttls` or `tls`.")
    context = ssl.create_default_context()
    if options["ca_file"]:
        read_file(name, "ca_file", options["ca_file"])
        try:
            context = ssl.create_default_context(cafile=options["ca_file"])
        except ssl.SSLError as error:
            raise ConfigError(f"Channel {name}: ca_file {options['ca_file']} holds no certificate.") from error
    return Email(name, options, context, shared.texts)


class Email:
    """One mail to one person."""

    kind = KIND
    personal = True
    acknowledges = True
    lease = 24.0

    def __init__(self, name: str, options: dict[str, Any], context: ssl.SSLContext, texts: Texts = BUILT_IN) -> None:
        self.name = name
        self._texts = texts
        self._options = options
        self._context = context
        self._sender = parseaddr(options["from"])

    def address(self, contact: Contact) -> str:
        return contact.email

    def deliver(self, message: Message) -> Receipt:
        """Hands the mail to the server. Raises Undelivered."""
        to = self.address(message.contacts[0])
        if not to:
            raise Undelivered("No mail address is known.", permanent=True)
        try:
            to.encode("ascii")
            raw = compose(message, self._sender, self._texts).as_bytes()
        except (MessageError, ValueError, IndexError) as error:
            raise Undelivered("The mail address is not valid.", details=type(error).__name__, permanent=True) from None
        _Conversation(self._options, self._context).send(self._sender[1], to, raw)
        return Receipt(provider_id=message_id(message, self._sender[1]), detail="accepted")

    def find(self, message: Message) -> Receipt | None:
        """None: sending again is safe, mail programs know a repeat by its Message-ID."""
        return repeat(message)


def proofread(message: Message, texts: Texts) -> None:
    """Composes all that this channel may send for the message."""
    parts(message, texts)


class _Conversation:
    """One mail's way through SMTP; knows at which stage it stands, since the same reply means different things."""

    def __init__(self, options: dict[str, Any], context: ssl.SSLContext) -> None:
        self._options, self._context = options, context
        self._end = time.monotonic() + DEADLINE
        self._smtp: smtplib.SMTP | None = None
        self._stage: Stage = "connection"

    def send(self, sender: str, to: str, raw: bytes) -> None:
        try:
            self._converse(sender, to, raw)
        except smtplib.SMTPResponseException as error:
            raise self._refused(error.smtp_code, error.smtp_error) from None
        except smtplib.SMTPNotSupportedError as error:
            raise self._refused_us(self._stage, error) from None
        except ssl.SSLCertVerificationError as error:
            raise self._refused_us("encryption", error) from None
        except (smtplib.SMTPException, OSError, ValueError) as error:
            # Once the text is on its way, a lost answer leaves open whether the server has it.
            lost = self._stage == "text"
            sentence = "The mail server's answer was lost." if lost else "The mail server could not be reached."
            details = f"{self._stage}: {type(error).__name__}"
            raise Undelivered(sentence, details=details, maybe_sent=lost) from None
        finally:
            if self._smtp is not None:
                self._smtp.close()

    def _converse(self, sender: str, to: str, raw: bytes) -> None:
        smtp = self._connect()
        if self._options["security"] == "starttls":
            self._at("encryption", lambda: smtp.starttls(context=self._context))
        if self._options["user"]:
            self._at("sign-in", lambda: smtp.login(self._options["user"], self._options["password"]))
        else:
            self._at("connection", smtp.ehlo_or_helo_if_needed)
        self._expect(250, self._at("sender", lambda: smtp.mail(sender)))
        self._expect(250, self._at("recipient", lambda: smtp.rcpt(to)))
        self._expect(250, self._at("text", lambda: smtp.data(raw)))
        # No QUIT: it is accepted, and a slow good-bye must not turn that into a failure.

    def _connect(self) -> smtplib.SMTP:
        name = socket.gethostname()
        here = name if "." in name else "[127.0.0.1]"
        host, port = self._options["host"], self._options["port"]
        if self._options["security"] == "tls":
            self._smtp = _SmtpTls(host, port, local_hostname=here, timeout=CONNECT_TIMEOUT, context=self._context)
        else:
            self._smtp = _Smtp(host, port, local_hostname=here, timeout=CONNECT_TIMEOUT)
        return self._smtp

    def _at(self, stage: Stage, talk: Callable[[], T]) -> T:
        self._stage = stage
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError("the mail server is too slow")
        if self._smtp is not None and self._smtp.sock is not None:
            self._smtp.sock.settimeout(min(READ_TIMEOUT, left))
        return talk()

    def _expect(self, wanted: int, reply: tuple[int, bytes]) -> None:
        if reply[0] // 10 != wanted // 10:
            raise smtplib.SMTPResponseException(*reply)

    def _refused_us(self, stage: Stage, error: Exception) -> Undelivered:
        return Undelivered(PROBLEMS[stage].sentence, details=f"{stage}: {type(error).__name__}", credentials=True)

    def _refused(self, code: int, reply: bytes | str) -> Undelivered:
        words = reply.decode("ascii", "replace") if isinstance(reply, bytes) else reply
        problem = PROBLEMS[self._stage]
        if self._stage == "recipient":
            problem = _at_recipient(code, words) or problem
        if code < 500:
            problem = _LATER
        details = f"{self._stage}: {code}"
        return Undelivered(
            problem.sentence, details=details, permanent=problem.permanent, credentials=problem.credentials
        )


def _at_recipient(code: int, words: str) -> Problem | None:
    """What a final refusal of a recipient means; None: the address doesn't exist, as most of them say."""
    found = _ENHANCED.search(words)
    known = RECIPIENT.get(found[1] + found[2]) or RECIPIENT.get(found[1]) if found else None
    if known is None and found is None and "relay" in _ADDRESS.sub("", words).lower():
        known = _NOT_THERE
    return known or RECIPIENT.get(str(code))


class _Smtp(smtplib.SMTP):
    """The timeout is that of the connection; the greeting may take longer."""

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return _patient(super()._get_socket(host, port, timeout))  # type: ignore[misc]


class _SmtpTls(smtplib.SMTP_SSL):
    """The same with TLS from the start."""

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return _patient(super()._get_socket(host, port, timeout))  # type: ignore[misc]


def _patient(connected: socket.socket) -> socket.socket:
    connected.settimeout(GREETING)
    return connected
