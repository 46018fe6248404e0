"""Calls through Twilio (https://www.twilio.com/docs/voice/api/call-resource): spoken numbers, keys to answer with.

The title is hostile text and nobody's business until a person has pressed a key: a voicemail box must not keep it.
"""

from typing import Any

from marshmallow import Schema, fields, validate
from twilio.base.exceptions import TwilioRestException  # type: ignore[import-untyped]
from twilio.rest import Client  # type: ignore[import-untyped]
from twilio.twiml.voice_response import Gather, VoiceResponse  # type: ignore[import-untyped]

from connector.core.contact import Contact
from connector.errors import Undelivered
from connector.ports import Message, Purpose, Receipt

from . import _texts, _twilio
from ._shared import PerProcess, Shared

KIND = "phone"

#: Seconds that a phone rings: short of most voicemail boxes.
RING = 25
#: Seconds that a person has for a key after the last word.
KEY_WAIT = 8
#: Twilio's own limit for a document that comes with the request.
LONGEST_TWIML = 4000
EVENTS = ["initiated", "ringing", "answered", "completed"]

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
    return Phone(name, options["from"], options["language"], _twilio.connect(name, shared))


class Phone:
    """One call to one mobile. A machine that answers presses no key, so voicemail never acknowledges."""

    kind = KIND
    personal = True
    acknowledges = True
    lease = 30.0

    def __init__(self, name: str, sender: str, voice: str, client: PerProcess[Client]) -> None:
        self.name = name
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
            extras = {"status_callback": status, "status_callback_event": EVENTS}
        try:
            call = self._client.get().calls.create(
                to=to, from_=self._sender, twiml=compose(message, self.voice), timeout=RING, **extras
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
            if each.sid and _twilio.made_for(message, each.date_created):
                return _twilio.found(str(each.sid), str(each.status))
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


def compose(message: Message, voice: str = "en-GB") -> str:
    """The TwiML of the call: number and priority twice, then the keys. Without a callback URL nothing is asked."""
    response = VoiceResponse()
    if message.purpose in (Purpose.STEP, Purpose.EXHAUSTED):
        _announce(response, message, voice)
    else:
        said = _say(message, f"voice.{message.purpose}")
        response.say(said, language=voice)
        response.pause(length=1)
        response.say(said, language=voice)
    return str(response)


def answer(message: Message, digit: str, outcome_sentence: str = "", voice: str = "en-GB") -> str:
    """The TwiML after a key: `outcome_sentence` tells what came of 1 or 2; 5 tells more, 9 repeats.

    `digit` is what Twilio sends as `Digits`; "" means that none was pressed.
    """
    response = VoiceResponse()
    if digit in (ACKNOWLEDGE, ESCALATE):
        response.say(_texts.shorten(_texts.clean(outcome_sentence), 500), language=voice)
        response.say(_say(message, "voice.goodbye"), language=voice)
        response.hangup()
    elif digit == MORE:
        _ask(response, message, voice, [_say(message, "voice.more")])
    elif digit == REPEAT:
        _announce(response, message, voice)
    elif digit:
        _ask(response, message, voice, [_say(message, "voice.wrong key")])
    else:
        response.say(_say(message, "voice.no key"), language=voice)
        response.hangup()
    return str(response)


def _announce(response: VoiceResponse, message: Message, voice: str) -> None:
    once = _say(message, f"voice.{Purpose.EXHAUSTED if message.purpose is Purpose.EXHAUSTED else Purpose.STEP}")
    _ask(response, message, voice, [once, _say(message, "voice.again"), once])


def _ask(response: VoiceResponse, message: Message, voice: str, sentences: list[str]) -> None:
    """Says the sentences and the menu, and waits for one key: while talking, too."""
    action = _twilio.callback(message, "voice")
    if not action:
        for sentence in [*sentences, _say(message, "voice.hang up")]:
            response.say(sentence, language=voice)
        return
    gather = Gather(num_digits=1, action=action, method="POST", timeout=KEY_WAIT, input="dtmf")
    for sentence in [*sentences, _say(message, "voice.menu")]:
        gather.say(sentence, language=voice)
    response.append(gather)
    response.say(_say(message, "voice.no key"), language=voice)
    response.hangup()


def _say(message: Message, name: str) -> str:
    facts = _texts.facts(message)
    # One digit at a time: "fifty thousand and forty-two" is nothing that anybody types into a search.
    return _texts.say(message.language, name, **{**facts, "number": ", ".join(facts["number"])})
