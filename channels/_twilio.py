"""Twilio, as both of its channels and the callbacks use it. Facts: https://www.twilio.com/docs/api/errors.

The tables come first; everything below them looks up.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

import requests
from requests.adapters import HTTPAdapter
from twilio.base.exceptions import TwilioException  # type: ignore[import-untyped]
from twilio.http.http_client import TwilioHttpClient  # type: ignore[import-untyped]
from twilio.http.response import Response  # type: ignore[import-untyped]
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]
from twilio.rest import Client  # type: ignore[import-untyped]

from connector.core.words import Words
from connector.errors import ConfigError, Undelivered
from connector.ports import Message, Receipt

from ._http import may_have_left
from ._shared import CONNECT_TIMEOUT, READ_TIMEOUT, PerProcess, Shared, TwilioSettings


@dataclass(frozen=True, slots=True)
class Problem:
    """What one of Twilio's codes means for us; the words are those of `Undelivered`."""

    sentence: str
    permanent: bool = False
    credentials: bool = False


PROBLEMS: Mapping[int, Problem] = {
    20003: Problem("Twilio refused the account SID or auth token.", credentials=True),
    20005: Problem("Twilio says that the account is not active.", credentials=True),
    20008: Problem("Twilio's test credentials can't do this.", credentials=True),
    20403: Problem("Twilio refused the account.", credentials=True),
    20404: Problem("Twilio doesn't know the account.", credentials=True),
    20429: Problem("Twilio asked to slow down."),
    21210: Problem("Twilio: the channel's `from` number isn't verified.", credentials=True),
    21211: Problem("Twilio says that the number is not valid.", permanent=True),
    21212: Problem("Twilio: the channel's `from` number is not valid.", credentials=True),
    21214: Problem("Twilio can't reach this number.", permanent=True),
    21215: Problem("Twilio's voice permissions leave out this country.", permanent=True),
    21216: Problem("Twilio doesn't call this number.", permanent=True),
    21217: Problem("Twilio says that the number is not valid.", permanent=True),
    21219: Problem("Twilio's trial account may not reach unverified numbers.", permanent=True),
    21408: Problem("Twilio's SMS permissions leave out this country.", permanent=True),
    21606: Problem("Twilio: the channel's `from` number can't send SMS.", credentials=True),
    21608: Problem("Twilio's trial account may not reach unverified numbers.", permanent=True),
    21610: Problem("The person has opted out of SMS (replied STOP).", permanent=True),
    21611: Problem("Twilio's queue for the channel's `from` number is full."),
    21612: Problem("Twilio can't send SMS to this number from the channel's `from`.", permanent=True),
    21614: Problem("The number is not a mobile number.", permanent=True),
    21659: Problem("Twilio: the channel's `from` number doesn't belong to the account.", credentials=True),
    21660: Problem("Twilio: the channel's `from` number doesn't belong to the account.", credentials=True),
    # What a receipt of a message names as its `ErrorCode`.
    30001: Problem("Twilio's queue overflowed."),
    30002: Problem("Twilio says that the account is suspended.", credentials=True),
    30003: Problem("The phone could not be reached."),
    30004: Problem("The phone or its carrier blocks the message.", permanent=True),
    30005: Problem("The number is unknown to its carrier.", permanent=True),
    30006: Problem("The number is a landline or can't get SMS.", permanent=True),
    30007: Problem("The carrier filtered the message out."),
    30008: Problem("The carrier gave no reason."),
    30036: Problem("It could not be delivered in time."),
}

#: The gateway lost the answer of what stands behind it, so the request may have been done.
_ANSWER_LOST = frozenset({502, 504})


class State(StrEnum):
    """What a status callback says, for SMS and calls alike."""

    PENDING = "pending"  # the provider is at it
    ANSWERED = "answered"  # somebody or something picked up; only a key counts
    ARRIVED = "arrived"  # the phone has the SMS
    FAILED = "failed"  # it did not get there


@dataclass(frozen=True, slots=True)
class Outcome:
    """A receipt in our words. `ended`: no other callback will follow. `text` may stand on a ticket."""

    state: State
    ended: bool
    text: Words
    permanent: bool = False


OUTCOMES: Mapping[str, Outcome] = {
    "accepted": Outcome(State.PENDING, False, Words("accepted")),
    "scheduled": Outcome(State.PENDING, False, Words("accepted")),
    "queued": Outcome(State.PENDING, False, Words("accepted")),
    "sending": Outcome(State.PENDING, False, Words("accepted")),
    "sent": Outcome(State.PENDING, False, Words("sent")),
    "delivered": Outcome(State.ARRIVED, True, Words("delivered")),
    "read": Outcome(State.ARRIVED, True, Words("read")),
    "undelivered": Outcome(State.FAILED, True, Words("undelivered")),
    "failed": Outcome(State.FAILED, True, Words("failed")),
    "canceled": Outcome(State.FAILED, True, Words("cancelled")),
    "initiated": Outcome(State.PENDING, False, Words("dialling")),
    "ringing": Outcome(State.PENDING, False, Words("ringing")),
    "in-progress": Outcome(State.ANSWERED, False, Words("answered")),
    "completed": Outcome(State.ANSWERED, True, Words("answered, the call is over")),
    "busy": Outcome(State.FAILED, True, Words("busy")),
    "no-answer": Outcome(State.FAILED, True, Words("no answer")),
}


def receipt_outcome(status: str, error_code: str = "") -> Outcome:
    """`MessageStatus` or `CallStatus` (and `ErrorCode`) of a callback in our words; an unknown word is pending."""
    outcome = OUTCOMES.get(status, Outcome(State.PENDING, False, Words("unknown")))
    problem = PROBLEMS.get(int(error_code)) if error_code.isdecimal() else None
    if outcome.state is not State.FAILED or problem is None:
        return outcome
    why = Words("{outcome} ({why})", outcome=outcome.text, why=Words(problem.sentence.rstrip(".")))
    return Outcome(State.FAILED, True, why, problem.permanent)


# --- what comes in --------------------------------------------------------------------------------------------------


def verify(url: str, params: Mapping[str, Any], signature: str, tokens: Sequence[str]) -> bool:
    """Whether Twilio signed this request with one of our auth tokens.

    `url` is the public one with its query, as Twilio knows it, whatever a proxy made of it; `params` are the form's.
    """
    return any(RequestValidator(token).validate(url, params, signature) for token in tokens)


class Word(StrEnum):
    """What a reply to an SMS can be."""

    ONE = "one"  # a bare 1: the only open one
    CODE = "code"
    ALL = "all"
    OPT_OUT = "opt-out"  # Twilio's own: https://www.twilio.com/docs/messaging/tutorials/advanced-opt-out
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Reply:
    """`codes` are in the form of our texts ("E-1A", "E-1A-2"), the likeliest first; empty unless `word` is CODE.

    "E1A" is either E-E1A or a hasty E-1A: the caller takes the first that was texted to this number.
    """

    word: Word
    codes: tuple[str, ...] = ()


_CODE = re.compile(r"(E[- ])?([0-9A-HJKMNP-TV-Z]{1,13})(-[1-9][0-9]{0,2})?")
_LOOK_ALIKE = str.maketrans("ILO", "110")  # Crockford's base32 reads them so
_ALL = frozenset({"ALL", "ALLE"})
_OPT_OUT = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"})


def parse_reply(body: str) -> Reply:
    """The first line of a person's reply: `1`, a code with or without `E-` in any case, `ALL`, or nothing we know.

    Whether such a code exists is for the caller to see: "thanks" could be one.
    """
    lines = unicodedata.normalize("NFKC", body).strip().splitlines()
    text = lines[0].strip(" \t.,;:!?\"'()").upper() if lines else ""
    if text == "1":
        return Reply(Word.ONE)
    if text in _ALL:
        return Reply(Word.ALL)
    if text in _OPT_OUT:
        return Reply(Word.OPT_OUT)
    match = _CODE.fullmatch(text.translate(_LOOK_ALIKE))
    if match is None:
        return Reply(Word.UNKNOWN)
    prefix, number, life = match[1], match[2], match[3] or ""
    codes = [f"E-{number}{life}"]
    if not prefix and number.startswith("E") and len(number) > 1:
        codes.append(f"E-{number[1:]}{life}")
    return Reply(Word.CODE, tuple(codes))


# --- what goes out --------------------------------------------------------------------------------------------------


#: Connections kept open: as many as a sender has threads (Twilio's own client keeps six on two cores).
CALLS_AT_ONCE = 32


class _HttpClient(TwilioHttpClient):  # type: ignore[misc]
    """Twilio's own, with a timeout (its default is none), a replaceable address, and without its log of numbers."""

    def __init__(self, api_url: str) -> None:
        super().__init__()
        self.timeout = (CONNECT_TIMEOUT, READ_TIMEOUT)
        self._api = urlsplit(api_url)
        # A proxy of the environment may pass encrypted requests on, and read no others.
        self.session.trust_env = self._api.scheme == "https"
        for scheme in ("https://", "http://"):
            self.session.mount(scheme, HTTPAdapter(pool_maxsize=CALLS_AT_ONCE))

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Response:
        there = urlsplit(url)
        path = self._api.path.rstrip("/") + there.path
        url = urlunsplit((self._api.scheme, self._api.netloc, path, there.query, ""))
        kwargs["timeout"] = None  # means self.timeout
        return super().request(method, url, *args, **kwargs)

    def log_request(self, kwargs: dict[str, Any]) -> None:
        """Nothing: it holds numbers and bodies."""

    def log_response(self, status_code: int, response: Any) -> None:
        """Nothing: it holds numbers and bodies."""


def connect(name: str, shared: Shared) -> PerProcess[Client]:
    """The client of the config's `twilio` section. Raises ConfigError when there is none."""
    settings = shared.twilio
    if settings is None or not settings.account_sid or not settings.auth_tokens:
        raise ConfigError(f"Channel {name} needs the section `twilio` with `account_sid` and `auth_token`.")
    return PerProcess(lambda: _client(settings), lambda client: client.http_client.session.close())


def _client(settings: TwilioSettings) -> Client:
    http = _HttpClient(settings.api_url)
    return Client(settings.account_sid, settings.auth_tokens[0], http_client=http)


def undelivered(error: TwilioException | requests.RequestException | ValueError) -> Undelivered:
    """What went wrong at Twilio, without a word of what Twilio (or requests) said: that holds numbers and URLs."""
    if isinstance(error, requests.RequestException):
        maybe = may_have_left(error)
        sentence = "Twilio's answer was lost." if maybe else "Twilio could not be reached."
        return Undelivered(sentence, details=type(error).__name__, maybe_sent=maybe)
    if isinstance(error, ValueError):
        return Undelivered("Twilio's answer was cut.", details=type(error).__name__, maybe_sent=True)
    status = int(getattr(error, "status", 0) or 0)
    code = int(getattr(error, "code", 0) or 0)
    details = f"HTTP {status}, code {code}"
    problem = PROBLEMS.get(code) or _by_status(status)
    return Undelivered(
        problem.sentence,
        details=details,
        permanent=problem.permanent,
        credentials=problem.credentials,
        maybe_sent=status in _ANSWER_LOST,
    )


def _by_status(status: int) -> Problem:
    if status in (401, 403):
        return PROBLEMS[20003]
    if status == 429:
        return PROBLEMS[20429]
    if status >= 500:
        return Problem("Twilio is in trouble.")
    return Problem("Twilio refused the request.")


#: Everything that a call of the client can raise.
ERRORS = (TwilioException, requests.RequestException, ValueError)


def callback(message: Message, what: str) -> str:
    """The address for Twilio's word on this message ("voice", "status"), or "" without a public URL."""
    if not message.callback_url or not message.token:
        return ""
    return f"{message.callback_url}/{what}?m={quote(message.token, safe='')}"


CLOCK_SKEW = timedelta(seconds=5)
#: The newest entries of one number that are looked at; Twilio lists the newest first.
LOOK_BACK = 50


def made_for(message: Message, created: datetime | None) -> bool:
    """Whether something that Twilio created then can be this message. Twilio's times are whole seconds."""
    if created is None or created < message.sent_at - CLOCK_SKEW:
        return False
    return message.before is None or created < message.before


def recipient(message: Message, address: str) -> str:
    """The number to use. Raises Undelivered when the person has none."""
    if not address:
        raise Undelivered("No mobile number is known.", permanent=True, details=f"{len(message.contacts)} contact(s)")
    return address


def found(sid: str, status: str, error_code: str = "") -> Receipt:
    """What the look-up of a message or call found, as `Channel.find` answers it."""
    outcome = receipt_outcome(status, error_code)
    if outcome.state is State.FAILED:
        raise Undelivered(
            Words("Twilio: {outcome}.", outcome=outcome.text), permanent=outcome.permanent, details=status
        )
    return Receipt(provider_id=sid, final=outcome.state is State.ARRIVED, detail=outcome.text)
