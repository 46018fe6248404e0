"""SMS through Twilio's Messages (https://www.twilio.com/docs/messaging/api/message-resource): always one segment."""

import re
from collections.abc import Callable
from functools import partial
from typing import Any

from marshmallow import Schema, fields, validate
from twilio.rest import Client  # type: ignore[import-untyped]
from twilio.twiml.messaging_response import MessagingResponse  # type: ignore[import-untyped]

from connector.core.contact import Contact
from connector.errors import Undelivered
from connector.ports import Message, Purpose, Receipt

from . import _texts, _twilio
from ._shared import PerProcess, Shared
from ._templates import BUILT_IN, Fill, Texts, Unusable, one_line

KIND = "sms"

#: Seconds after which Twilio drops a text that is still waiting: later it would only confuse.
VALIDITY = 900
#: Characters of a title that are worth more than the link.
TITLE_FIRST = 24
#: More codes than these never fit.
MOST_CODES = 24


class Options(Schema):
    """What stands under the channel's name in the config."""

    from_ = fields.String(
        data_key="from",
        attribute="from",
        required=True,
        validate=validate.Length(min=3, max=20),
        metadata={"meaning": "the Twilio number that texts come from and replies go to"},
    )


def build(name: str, options: dict[str, Any], shared: Shared) -> "Sms":
    """Raises ConfigError without a `twilio` section."""
    return Sms(name, options["from"], _twilio.connect(name, shared), shared.texts)


class Sms:
    """One text to one mobile."""

    kind = KIND
    personal = True
    acknowledges = True
    lease = 20.0

    def __init__(self, name: str, sender: str, client: PerProcess[Client], texts: Texts = BUILT_IN) -> None:
        self.name = name
        self._texts = texts
        self._sender = sender
        self._client = client

        # Nobody can answer a name, only a number; and answers reach us by our public URL alone.
        self._answerable = sender.startswith("+") or sender.isdecimal()

    def address(self, contact: Contact) -> str:
        return contact.mobile

    def deliver(self, message: Message) -> Receipt:
        """Hands the text to Twilio. Raises Undelivered."""
        to = _twilio.recipient(message, self.address(message.contacts[0]))
        extras: dict[str, Any] = {}
        if status := _twilio.callback(message, "status"):
            extras["status_callback"] = status
        try:
            sent = self._client.get().messages.create(
                to=to, from_=self._sender, body=self._compose(message), validity_period=VALIDITY, **extras
            )
        except _twilio.ERRORS as error:
            raise _twilio.undelivered(error) from None
        if not sent.sid:
            raise Undelivered("Twilio's answer names no message.", maybe_sent=True)
        return Receipt(provider_id=sent.sid, final=False, detail=str(sent.status))

    def _compose(self, message: Message) -> str:
        return compose(message, self._texts, answerable=self._answerable)

    def find(self, message: Message) -> Receipt | None:
        """This text, or one with its code, to this number since `sent_at`; see `Channel.find`.

        A text that Twilio knows and couldn't deliver raises Undelivered without `maybe_sent`, like `deliver`.
        """
        to = _twilio.recipient(message, self.address(message.contacts[0]))
        try:
            listed = self._client.get().messages.list(to=to, limit=_twilio.LOOK_BACK, page_size=_twilio.LOOK_BACK)
        except _twilio.ERRORS as error:
            problem = _twilio.undelivered(error)
            problem.maybe_sent = True
            raise problem from None
        # Filtered here: Twilio's own DateSent filter leaves out what is queued, which has no such date yet.
        text = self._compose(message)
        since = [
            each
            for each in listed
            if each.sid and each.sid not in message.theirs and _twilio.made_for(message, each.date_created)
        ]
        ours = [each for each in since if text in str(each.body)]
        if not ours and message.purpose in (Purpose.STEP, Purpose.EXHAUSTED):
            # The title may have been changed between two tries; the code never is.
            ours = [each for each in since if _holds(str(each.body), message.code)]
        if not ours:
            return None
        newest = ours[0]
        return _twilio.found(str(newest.sid), str(newest.status), str(newest.error_code or ""))


def _holds(body: str, code: str) -> bool:
    """The code as a word of its own: E-1A is not in E-1A-2."""
    return re.search(rf"(?<![\w-]){re.escape(code)}(?![\w-])", body) is not None


def answer(sentence: str) -> str:
    """The TwiML that answers a person's SMS with one sentence, kept to one segment; with nothing for ""."""
    response = MessagingResponse()
    if sentence:
        response.message(_cut(sentence))
    return str(response)


def compose(message: Message, texts: Texts = BUILT_IN, *, answerable: bool = True) -> str:
    """The text of this message: one segment, with the code and how to take it, whatever the title is.

    `answerable`: the number it comes from takes replies.
    """
    facts = _texts.facts(message, texts.timezone)
    if facts["rehearsed_for"]:
        facts["rehearsed_for"] = _texts.to_gsm(facts["rehearsed_for"])[0] or "?"
    if message.purpose not in (Purpose.STEP, Purpose.EXHAUSTED):
        return _cut(texts.line(message.language, "sms/notice.txt", facts))
    reply = "none" if not answerable or not message.callback_url else "one" if message.only_one else "code"
    asked = {**facts, "reply": reply, "link": ""}
    title, readable = _texts.to_gsm(facts["title"])
    asked |= {key: _texts.to_gsm(facts[key])[0] for key in ("number", "priority")}
    if message.also:
        return texts.compose(message.language, "sms/tickets.txt", lambda fill: _several(fill, asked, message))
    if readable:
        asked["title"] = title
        return texts.compose(message.language, "sms/ticket.txt", lambda fill: _one(fill, asked, message))
    # A title that GSM-7 can't write costs half of the room: only the code, the number and the title are left.
    return texts.compose(message.language, "sms/short.txt", lambda fill: _short(fill, asked, message))


def proofread(message: Message, texts: Texts) -> None:
    """Composes all that this channel may send for the message."""
    compose(message, texts)
    compose(message, texts, answerable=False)


def _cut(text: str) -> str:
    plain, readable = _texts.to_gsm(_texts.clean(text))
    return _texts.fit(lambda kept: kept, plain if readable else _texts.clean(text), _texts.one_segment)[0]


def _one(fill: Fill, facts: dict[str, Any], message: Message) -> str:
    """The title is worth more than the link, and that more than the priority."""
    title = facts["title"]

    def write(kept: str, **shown: str) -> str:
        return one_line(fill({**facts, "title": kept, **shown}))

    text = ""
    for shown in _shown(facts, message):
        text, kept = _texts.fit(partial(write, **shown), title, _texts.one_segment)
        if kept >= min(len(title), TITLE_FIRST):
            break
    return _checked(text, message)


def _several(fill: Fill, facts: dict[str, Any], message: Message) -> str:
    """The link, which leads to all of them, is worth more than the codes of the others; of those as many as fit."""
    others = facts["others"]

    def write(length: int, shown: dict[str, str]) -> str:
        return one_line(fill({**facts, **shown, "others": others[:length], "more": len(others) - length}))

    text = ""
    for shown in _shown(facts, message):
        fits = partial(_fits, partial(write, shown=shown))
        length = _texts.most(fits, min(len(others), MOST_CODES))
        text = write(max(length, 0), shown)
        if length >= 0:
            break
    return _checked(text, message)


def _fits(write: Callable[[int], str], length: int) -> bool:
    return _texts.one_segment(write(length))


def _short(fill: Fill, facts: dict[str, Any], message: Message) -> str:
    def write(kept: str) -> str:
        return one_line(fill({**facts, "title": kept}))

    return _checked(_texts.fit(write, facts["title"], _texts.one_segment, mark="…")[0], message)


def _shown(facts: dict[str, Any], message: Message) -> tuple[dict[str, str], ...]:
    """What is left out first when there is no room."""
    return (
        {"link": message.acknowledge_url, "priority": facts["priority"]},
        {"link": "", "priority": facts["priority"]},
        {"link": "", "priority": ""},
    )


def _checked(text: str, message: Message) -> str:
    """The text. Raises Unusable where it is longer than one segment or says no code."""
    if not _texts.one_segment(text):
        septets = _texts.septets(text)
        how = f"{septets} of 160 septets" if septets else f"{len(text)} characters, which are not all of GSM-7"
        raise Unusable(f"It is longer than one SMS ({how}), even with all left out that can be.")
    if not _holds(text, message.code):
        raise Unusable("It doesn't say the code.")
    return text
