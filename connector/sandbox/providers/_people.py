"""What the people behind the stand-in's phone numbers hear and do: a script a number, a turn for each call or text."""

import xml.etree.ElementTree as ET
from dataclasses import dataclass, field
from typing import Self


@dataclass(frozen=True, slots=True)
class CallTurn:
    """How one call goes. `keys` are pressed one by one, each when the call asks for one."""

    status: str = "no-answer"  # how it ends when nobody answers: no-answer, busy, failed
    answered: bool = False
    keys: tuple[str, ...] = ()
    answered_by: str = "human"  # as Twilio's machine detection hears it


@dataclass(frozen=True, slots=True)
class TextTurn:
    """What becomes of one text. No `status`: it stays "sent", and no receipt ever comes."""

    status: str = "delivered"
    error_code: str = ""
    reply: str = ""


@dataclass
class CallScript:
    """Turns in the order of the calls; the last one is played again and again."""

    turns: list[CallTurn] = field(default_factory=list)

    def press(self, *keys: str) -> Self:
        return self._then(CallTurn(answered=True, keys=keys))

    def voicemail(self) -> Self:
        """A machine answers, lets everything be said, and presses nothing."""
        return self._then(CallTurn(answered=True, answered_by="machine_start"))

    def mistaken_for_voicemail(self, *keys: str) -> Self:
        """A person whose greeting sounds like a machine's."""
        return self._then(CallTurn(answered=True, keys=keys, answered_by="machine_start"))

    def no_answer(self) -> Self:
        return self._then(CallTurn("no-answer"))

    def busy(self) -> Self:
        return self._then(CallTurn("busy"))

    def fail(self) -> Self:
        return self._then(CallTurn("failed"))

    def _then(self, turn: CallTurn) -> Self:
        self.turns.append(turn)
        return self

    def next(self) -> CallTurn:
        if not self.turns:
            return CallTurn()
        return self.turns.pop(0) if len(self.turns) > 1 else self.turns[0]


@dataclass
class TextScript:
    """Turns in the order of the texts; the last one is played again and again."""

    turns: list[TextTurn] = field(default_factory=list)

    def deliver(self) -> Self:
        return self._then(TextTurn())

    def undelivered(self, error_code: str = "30003") -> Self:
        return self._then(TextTurn("undelivered", error_code))

    def no_receipt(self) -> Self:
        return self._then(TextTurn(""))

    def reply(self, body: str) -> Self:
        """It is delivered, and the person answers."""
        return self._then(TextTurn(reply=body))

    def _then(self, turn: TextTurn) -> Self:
        self.turns.append(turn)
        return self

    def next(self) -> TextTurn:
        if not self.turns:
            return TextTurn()
        return self.turns.pop(0) if len(self.turns) > 1 else self.turns[0]


def twiml(text: str) -> ET.Element:
    """A document of the program under test; an empty one where it isn't XML."""
    try:
        return ET.fromstring(text)  # noqa: S314 - it comes from our own side of the line
    except ET.ParseError:
        return ET.Element("Response")


def read_aloud(document: ET.Element, *, has_key: bool) -> tuple[tuple[str, ...], str | None]:
    """What is heard, and the action of the first Gather that gets a key (None: the call ends)."""
    heard: list[str] = []
    for verb in document:
        heard += ["".join(said.itertext()) for said in verb.iter("Say")]
        if verb.tag == "Gather" and has_key:
            return tuple(heard), verb.get("action", "")
        if verb.tag == "Hangup":
            break
    return tuple(heard), None
