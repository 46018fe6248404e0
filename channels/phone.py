"""Calls through Twilio (https://www.twilio.com/docs/voice/api/call-resource): spoken numbers, keys to answer with.

The title is hostile text and nobody's business until a person has pressed a key: a voicemail box must not keep it.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

from marshmallow import Schema, fields, validate
from twilio.base.exceptions import TwilioRestException  # type: ignore[import-untyped]
from twilio.rest import Client  # type: ignore[import-untyped]

from connector.core.contact import Contact
from connector.errors import Undelivered
from connector.ports import Message, Purpose, Receipt

from . import _texts, _twilio
from ._shared import PerProcess, Shared
from ._templates import BUILT_IN, Fill, Texts, Unusable, one_line

KIND = "phone"

#: Seconds that a phone rings: short of most voicemail boxes.
RING = 25
#: Seconds that a person has for a key after the last word.
KEY_WAIT = 8
#: Twilio's own limit for a document that comes with the request.
LONGEST_TWIML = 4000
EVENTS = ["initiated", "ringing", "answered", "completed"]

#: What a text may be made of (https://www.twilio.com/docs/voice/twiml/gather): it is said inside a Gather.
VERBS = ("Say", "Play", "Pause")
#: One of our texts; several make a document, and a document that comes with the request has Twilio's limit.
LONGEST_TEXT = 3000
#: Numbers of other tickets that key 5 reads out.
MOST_NUMBERS = 10
ENGLISH_VOICE = "en-GB"
#: The voice for a language that the channel's own isn't of.
VOICES: Mapping[str, str] = {"en": ENGLISH_VOICE, "de": "de-DE"}

#: Twilio's codes for hanging up what is over (or was never there): then nothing is left to do.
_OVER = frozenset({20404, 21220})

#: Keys that end the call with a sentence about what came of them.
ACKNOWLEDGE, ESCALATE, MORE, REPEAT = "1", "2", "5", "9"


class Options(Schema):
    """What stands under the channel's name in the config. `language` is that of the voice (BCP 47)."""

    from_ = fields.String(
        data_key="from",
        attribute="from",
        required=True,
        validate=validate.Regexp(r"\+[0-9]{6,15}$"),
        metadata={"meaning": "the Twilio number that calls"},
    )
    language = fields.String(
        load_default="en-GB",
        validate=validate.Regexp(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$"),
        metadata={"meaning": "language of the voice"},
    )


def build(name: str, options: dict[str, Any], shared: Shared) -> "Phone":
    """Raises ConfigError without a `twilio` section."""
    return Phone(name, options["from"], options["language"], _twilio.connect(name, shared), shared.texts)


#: Seconds in which Twilio has told of a call that is over; whoever looks later must not wait as for one that rings.
TOLD_BY = 10.0


class Phone:
    """One call to one mobile. A machine that answers presses no key, so voicemail never acknowledges."""

    kind = KIND
    personal = True
    acknowledges = True
    lease = 20.0

    def __init__(self, name: str, sender: str, voice: str, client: PerProcess[Client], texts: Texts = BUILT_IN) -> None:
        self.name = name
        self._texts = texts
        self.voice = voice
        self._sender = sender
        self._client = client

    def address(self, contact: Contact) -> str:
        return contact.mobile

    def deliver(self, message: Message) -> Receipt:
        """Places the call. Raises Undelivered."""
        to = _twilio.recipient(message, self.address(message.contacts[0]))
        extras: dict[str, Any] = {}
        if status := _twilio.callback(message, "status"):
            extras = {"status_callback": status, "status_callback_event": EVENTS, **_machine_detection(status)}
        try:
            call = self._client.get().calls.create(
                to=to, from_=self._sender, twiml=compose(message, self.voice, self._texts), timeout=RING, **extras
            )
        except _twilio.ERRORS as error:
            raise _twilio.undelivered(error) from None
        if not call.sid:
            raise Undelivered("Twilio's answer names no call.", maybe_sent=True)
        return Receipt(provider_id=call.sid, final=False, detail=str(call.status))

    def find(self, message: Message) -> Receipt | None:
        """The newest call from our number to this one since `sent_at` (there is at most one at a time).

        A call that Twilio knows and that wasn't answered raises Undelivered without `maybe_sent`, like `deliver`.
        """
        to = _twilio.recipient(message, self.address(message.contacts[0]))
        try:
            listed = self._client.get().calls.list(
                to=to, from_=self._sender, limit=_twilio.LOOK_BACK, page_size=_twilio.LOOK_BACK
            )
        except _twilio.ERRORS as error:
            problem = _twilio.undelivered(error)
            problem.maybe_sent = True
            raise problem from None
        # Filtered here: Twilio's StartTime filter leaves out a call that is still queued.
        for each in listed:
            if each.sid and each.sid not in message.theirs and _twilio.made_for(message, each.date_created):
                known = _twilio.found(str(each.sid), str(each.status))
                return replace(known, wait=TOLD_BY) if each.status == "completed" else known
        return None

    def hang_up(self, provider_id: str) -> None:
        """Ends a call, ringing or talking; nothing happens when it is over. Raises Undelivered."""
        try:
            # "completed" ends it in any state, where "canceled" would let a call go on that was just answered.
            self._client.get().calls(provider_id).update(status="completed")
        except TwilioRestException as error:
            if error.code not in _OVER:
                raise _twilio.undelivered(error) from None
        except _twilio.ERRORS as error:
            raise _twilio.undelivered(error) from None


def _machine_detection(callback: str) -> dict[str, str]:
    """Twilio listens while the words are said already, and tells `callback` who picked up (`AnsweredBy`).

    https://www.twilio.com/docs/voice/answering-machine-detection: the other way keeps a person waiting in silence.
    """
    return {"machine_detection": "Enable", "async_amd": "true", "async_amd_status_callback": callback}


def compose(message: Message, voice: str = ENGLISH_VOICE, texts: Texts = BUILT_IN) -> str:
    """The TwiML of the call: number and priority twice, then the keys. Without a callback URL nothing is asked.

    `voice` is the channel's (BCP 47); a text in another language has a voice of that language.
    """
    speech = _Speech(message, voice, texts)
    if message.purpose in (Purpose.STEP, Purpose.EXHAUSTED):
        return speech.asking("announce")
    return speech.ending("notice")


def answer(
    message: Message,
    digit: str,
    outcome_sentence: str = "",
    voice: str = ENGLISH_VOICE,
    texts: Texts = BUILT_IN,
) -> str:
    """The TwiML after a key: `outcome_sentence` tells what came of 1 or 2; 5 tells more, 9 repeats.

    `digit` is what Twilio sends as `Digits`; "" means that none was pressed.
    """
    speech = _Speech(message, voice, texts)
    if digit in (ACKNOWLEDGE, ESCALATE):
        speech.facts["outcome"] = _texts.shorten(_texts.clean(outcome_sentence), 500)
        return speech.ending("outcome")
    if digit == MORE:
        others = speech.facts["others"]
        speech.facts |= {"others": others[:MOST_NUMBERS], "more": max(0, len(others) - MOST_NUMBERS)}
        return speech.asking("more")
    if digit == REPEAT:
        return speech.asking("announce")
    return speech.asking("wrong-key") if digit else speech.ending("no-key")


def again(message: Message, voice: str = ENGLISH_VOICE, texts: Texts = BUILT_IN) -> str:
    """The TwiML after a key that could not be recorded: the key is asked for once more."""
    return _Speech(message, voice, texts).asking("again")


def proofread(message: Message, texts: Texts) -> None:
    """Composes all that this channel may say for the message."""
    compose(message, ENGLISH_VOICE, texts)
    again(message, ENGLISH_VOICE, texts)
    for digit in ("", ACKNOWLEDGE, MORE, REPEAT, "0"):
        answer(message, digit, "E-1A, ticket 5, 0, 0, 4, 2: acknowledged by Dana Reyes.", ENGLISH_VOICE, texts)


class _Speech:
    """One document for one call, put together from the texts under `phone/`."""

    def __init__(self, message: Message, voice: str, texts: Texts) -> None:
        self._message, self._texts = message, texts
        language = texts.language(message.language)
        same = voice.lower().split("-")[0] == language.split("-")[0]
        self._voice = voice if same else VOICES.get(language, language)
        self.facts = spoken(_texts.facts(message, texts.timezone))

    def asking(self, name: str) -> str:
        """Says it and the menu, and waits for one key: while talking, too."""
        action = _twilio.callback(self._message, "voice")
        if not action:
            return self._document(*self._verbs(name), *self._verbs("helpdesk"))
        settings = {"action": action, "input": "dtmf", "method": "POST", "numDigits": "1", "timeout": str(KEY_WAIT)}
        gather = ElementTree.Element("Gather", settings)
        gather.extend([*self._verbs(name), *self._verbs("menu")])
        return self._document(gather, *self._verbs("no-key"), ElementTree.Element("Hangup"))

    def ending(self, name: str) -> str:
        return self._document(*self._verbs(name), ElementTree.Element("Hangup"))

    def _document(self, *verbs: ElementTree.Element) -> str:
        response = ElementTree.Element("Response")
        response.extend(verbs)
        return '<?xml version="1.0" encoding="UTF-8"?>' + ElementTree.tostring(response, encoding="unicode")

    def _verbs(self, name: str) -> list[ElementTree.Element]:
        """What this text says, as TwiML."""
        written = self._texts.compose(self._message.language, f"phone/{name}.xml", self._checked)
        return list(_parse(written, self._voice))

    def _checked(self, fill: Fill) -> str:
        text = fill(self.facts)
        if len(text) > LONGEST_TEXT:
            raise Unusable(f"It is longer than {LONGEST_TEXT} characters: nobody listens for that long.")
        _parse(text, self._voice)
        return text


def spoken(facts: dict[str, Any]) -> dict[str, Any]:
    """The facts with ticket numbers one digit at a time: nobody types "fifty thousand and forty-two" into a search."""
    others = [{**other, "number": digits(other["number"])} for other in facts["others"]]
    return {**facts, "number": digits(facts["number"]), "others": others}


def digits(number: str) -> str:
    return ", ".join(number)


def _parse(text: str, voice: str) -> ElementTree.Element:
    """The verbs of a text. Raises Unusable where they are no TwiML that may stand inside a Gather."""
    try:
        verbs = ElementTree.fromstring(f"<Speech>{text}</Speech>")  # noqa: S314  # our own text or the admin's
    except ElementTree.ParseError as error:
        raise Unusable(f"It is no TwiML: {error}.") from None
    if not len(verbs):
        raise Unusable("It says nothing: write <Say>...</Say>.")
    if (verbs.text and verbs.text.strip()) or any(verb.tail and verb.tail.strip() for verb in verbs):
        raise Unusable("There are words outside of <Say>, which nobody hears.")
    for verb in verbs:
        if verb.tag not in VERBS:
            raise Unusable(f"<{verb.tag}> can't stand here, only {', '.join(f'<{one}>' for one in VERBS)}.")
        verb.tail = None
        if verb.tag == "Say":
            verb.attrib.setdefault("language", voice)
            if not len(verb):
                verb.text = one_line(verb.text or "")
    return verbs
