"""Tickets that come at once to the same few people, so that one message tells of several, under kill.

The texts are the world's own: each names every code that it tells of, so that what reached a person can be counted.
"""

import contextlib
import re
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from connector.core.code import code_of
from connector.core.escalation import Stage
from connector.engine.keys import OUT

from ..stories.world import eventually
from .bundle_judge import Answer, Night, Ticket, Told, judge_night
from .crowd import Crowd, Life, line_of
from .judge import Findings
from .world import ChaosTwilio, ChaosWorld, device, mobile

#: What each plan tells the owner in its steps, a way at most once; APART seconds lie between two.
STEPS: dict[str, tuple[tuple[str, ...], ...]] = {
    "delta": (("sms", "push"), ("phone",)),
    "echo": (("phone",), ("sms", "push")),
}
APART = 4  # seconds
#: What befalls a message about several tickets, in order, and what people answer to it.
POINTS = (
    "group taken", "bundle kept", "part claimed", "sending claimed", "sending composed", "pace entered", "message kept",
    "text taken", "call taken", "outcome known", "sending accepted", "part recorded", "sending recorded",
    "sending asked", "callback proved", "callback answered", "commit decided", "commit written",
)  # fmt: skip
WEIGHTS: Mapping[str, int] = {"deliver": 6, "redis": 3, "web worker": 2, "work": 2, "timers": 1, "up": 1}

NOT_RECORDED = "could not be recorded"  # the answer while Redis is away: it is asked for again
_CODE = re.compile(r"\bE-[0-9A-Z]+(?:-[0-9]+)?\b")
_ALL = "{{ code }}{% for other in others %} {{ other.code }}{% endfor %}{% if more %} and {{ more }} more{% endif %}"
_LAST = "{% if rests_until %} LAST.{% endif %}"
TEXTS = {
    "sms/ticket.txt": f"{_ALL}.{_LAST}",
    "sms/tickets.txt": f"{_ALL}.{_LAST}",
    "phone/announce.xml": f"<Say>{_ALL}.{_LAST}</Say>",
    "push/body.txt": f"{_ALL}.{_LAST}",
}


@dataclass(frozen=True, slots=True)
class Said:
    """What a person pressed or replied, from when to when Escalator had it; `heard`: it has answered."""

    sid: str
    number: str
    said: str
    at: float
    heard: bool
    heard_at: float


class TalkingTwilio(ChaosTwilio):
    """Remembers when people answered, and whether they were heard."""

    def __init__(self, world: ChaosWorld, **options: Any) -> None:
        super().__init__(world, **options)
        self.said: list[Said] = []

    def _call_back(self, url: str, params: Mapping[str, str]) -> str:
        at = time.time()
        answer = super()._call_back(url, params)
        heard = bool(answer) and NOT_RECORDED not in answer
        if "Digits" in params:
            self.said.append(Said(params["CallSid"], params["To"], params["Digits"], at, heard, time.time()))
        elif "Body" in params:
            self.said.append(Said("", params["From"], params["Body"], at, heard, time.time()))
        return answer


class TogetherWorld(ChaosWorld):
    """With bundling. Of four people one presses 1, one replies ALL, and two do neither, however often they are told.

    `within`: `service.bundle_within`; `crew`: how many people; `limits`: `service.limits`, none by default; `silent`:
    nobody takes anything.
    """

    def __init__(self, *args: Any, within: str = "5s", crew: int = 30, **options: Any) -> None:
        self.within = within
        self.limits: dict[str, int] = options.pop("limits", {})
        self.silent = options.pop("silent", False)
        super().__init__(*args, people=crew, **options)
        for number in range(0 if self.silent else len(self.people)):
            if number % 4 == 1:
                self.twilio.on_call(mobile(number)).press("1")
            elif number % 4 == 2:
                self.twilio.on_sms(mobile(number)).reply("ALL")

    def _twilio(self) -> TalkingTwilio:
        return TalkingTwilio(self, public_url=self.url, sms_url=f"{self.url}/callbacks/twilio/sms", pace=0.02)

    def config(self) -> dict[str, Any]:
        told = super().config()
        for name, text in TEXTS.items():
            file = self.directory / "texts" / "en" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        plan = {"respond_within": "1s", "give_up_after": f"{APART}s", "unassigned": "lee"}
        plans = {
            name: {**plan, "steps": [_step(ways, place) for place, ways in enumerate(steps)]}
            for name, steps in STEPS.items()
        }
        limits = {**told["service"]["limits"], **self.limits}
        service = {**told["service"], "bundle_within": self.within, "limits": limits, "texts": "texts"}
        rules = [{"when": {"title": [name], "priority": "3 high"}, "plan": name} for name in plans]
        return {**told, "service": service, "plans": plans, "rules": rules}


def _step(ways: tuple[str, ...], place: int) -> dict[str, Any]:
    return {"notify": "owner", "by": list(ways), "after": f"{APART if place else 0}s"}


class Shifts(Crowd):
    """Now and then somebody gets several tickets within a second or two. `at_once`: how many, from and to.

    `free`: only people whose last tickets are over get new ones.
    """

    def __init__(self, *args: Any, at_once: tuple[int, int] = (2, 6), free: bool = True, **options: Any) -> None:
        super().__init__(*args, **options)
        self._at_once, self._free = at_once, free
        self._coming: list[tuple[float, int, str]] = []  # (not before, person, plan)

    def _make(self) -> None:
        now = time.time()
        busy = {life.number for life in self.open()} | {number for _, number, _ in self._coming}
        people = [number for number in range(len(self._world.people)) if number not in busy or not self._free]
        if people:
            number, plan = self._random.choice(people), self._random.choice(list(STEPS))
            many = self._random.randint(*self._at_once)
            self._coming += [(now + self._random.uniform(0.0, 1.5), number, plan) for _ in range(many)]

    def _look(self) -> None:
        now = time.time()
        for each in [each for each in self._coming if each[0] <= now]:
            self._coming.remove(each)
            self._one(now, *each[1:])
        super()._look()

    def _one(self, now: float, number: int, plan: str) -> None:
        act, after = self._random.choice(self._acts), self._random.uniform(*self._after)
        row = self._world.desk.create_ticket(
            f"Outage ({plan})", priority="3 high", owner=self._world.people[number], by=self._world.desk.bob
        )
        self.lives.append(Life(str(row["id"]), number, plan, act, after, now))

    def _may_be_taken(self, life: Life) -> bool:  # who is told may answer at any time
        return True

    # --- what became of it ---------------------------------------------------------------------------------------

    def findings(self, **_: bool) -> Findings:
        return judge_night(self.night())

    def night(self) -> Night:
        """All of it, as helpdesk, providers and history tell it now; nothing of it may still be under way."""
        world = self._world
        assert isinstance(world, TogetherWorld)
        left = self._left()  # first: what a dead sender had claimed enters the history when its lease ends
        return Night(
            [self._ticket(life) for life in self.lives],
            [*_told(world)],
            [*_answers(world)],
            left,
            {way: limit for way, limit in world.limits.items() if limit},
        )

    def _ticket(self, life: Life) -> Ticket:
        code = code_of(life.ticket)
        case = self._world.store.case(life.ticket)
        notifications = case.escalation.notifications if case is not None and case.escalation is not None else ()
        return Ticket(
            code,
            f"pat{life.number}",
            STEPS[life.plan],
            life.ended_at is not None,
            life.taken_at,
            tuple(line_of(entry) for entry in self._world.store.history(code)),
            frozenset(n.channel for n in notifications if n.stage is Stage.SENT),
        )

    def _left(self) -> list[str]:
        """What is still to be sent, or being sent, a moment after all tickets came to their end."""
        found = self._world.redis
        with contextlib.suppress(AssertionError):
            eventually(lambda: not found.exists(OUT), 15.0)
        keys = [OUT, *(key.decode() for key in found.keys(f"{OUT}:*"))]
        left = [f"{key}: {member.decode()}" for key in keys for member in found.zrange(key, 0, -1)]
        for ticket, case in self._world.store.cases([life.ticket for life in self.lives]).items():
            notifications = case.escalation.notifications if case.escalation is not None else ()
            left += [f"{ticket}: {n.channel} {n.stage}" for n in notifications if n.stage in ("planned", "claimed")]
        return left


def _told(world: TogetherWorld) -> Iterator[Told]:
    by_number = {mobile(number): f"pat{number}" for number in range(len(world.people))}
    by_device = {device(number): f"pat{number}" for number in range(len(world.people))}
    twilio = world.twilio
    assert isinstance(twilio, TalkingTwilio)
    heard = {said.sid for said in twilio.said if said.heard}
    for text in twilio.messages:
        if not text.answer and text.to in by_number:
            yield Told("sms", by_number[text.to], text.at.timestamp(), _codes(text.body), last="LAST" in text.body)
    for call in twilio.calls:
        if call.to in by_number:
            said = _said(call.twiml)
            at, unheard = call.at.timestamp(), call.sid not in heard
            yield Told("phone", by_number[call.to], at, _codes(said), unheard=unheard, last="LAST" in said)
    for push in world.providers.apns.pushes:
        about = push.payload["escalation"]
        if about["purpose"] in ("step", "exhausted") and push.device in by_device:
            codes = (about["code"], *about.get("also", ()))
            last = "LAST" in push.payload["aps"]["alert"]["body"]
            id = push.headers.get("apns-id", "")
            yield Told("push", by_device[push.device], push.at.timestamp(), codes, id, last=last)


def _answers(world: TogetherWorld) -> Iterator[Answer]:
    by_number = {mobile(number): f"pat{number}" for number in range(len(world.people))}
    calls = {call.sid: call for call in world.twilio.calls}
    twilio = world.twilio
    assert isinstance(twilio, TalkingTwilio)
    for said in twilio.said:
        if said.number not in by_number:
            continue
        who = by_number[said.number]
        if said.said == "1":
            codes = _codes(_said(calls[said.sid].twiml))
            yield Answer("phone", who, said.at, said.heard, said.heard_at, codes)
        elif said.said == "ALL":
            yield Answer("sms", who, said.at, said.heard, said.heard_at)


def _said(twiml: str) -> str:
    return " ".join("".join(verb.itertext()) for verb in ET.fromstring(twiml).iter("Say"))


def _codes(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_CODE.findall(text)))
