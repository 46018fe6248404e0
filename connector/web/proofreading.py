"""Composes the answers and pages that people get, so that what is wrong with a text of theirs is found by day."""

from collections.abc import Iterable
from itertools import cycle, product
from typing import Any

from channels import Texts
from channels._proofreading import TITLES
from channels._templates import Facts, Fill, Unusable, one_line
from channels._texts import one_segment

from ..engine.answering import Answer
from .dead_ends import AWAY, BUSY, EXPIRED, FORGED, OVER
from .html import STYLE
from .outcomes import ACKNOWLEDGE, ESCALATE, SNOOZE

CODES = [f"E-{1000 + number}" for number in range(37)]
WAYS = ("sms", "phone", "push", "email", "http_post", "pager")


def proofread(texts: Texts, languages: Iterable[str]) -> None:
    """Every answer to an SMS or key and every page, in these languages."""
    for language in languages:
        for facts in _outcomes():
            _text(texts, language, "reply/outcome.txt", facts)
        for facts in _several():
            _text(texts, language, "reply/outcomes.txt", facts)
        for why, codes in (("unclear", []), ("unclear", CODES[:1]), ("several", CODES[:5]), ("nothing", [])):
            _text(texts, language, "reply/help.txt", {"why": why, "codes": codes, "more": 32 if len(codes) == 5 else 0})
        for name in ("stranger", "over", "again"):
            _text(texts, language, f"reply/{name}.txt", {})
        for facts in _dead_ends():
            texts.text(language, "page/gone.html", facts)
        for expired in (False, True):
            pairing = {"contact": "Dana Reyes", "token": "t.0ken", "key": "k3y", "expired": expired}
            texts.text(language, "page/pair.html", pairing | {"style": STYLE, "script": STYLE})
        for facts in _pages():
            texts.text(language, "page/ticket.html", facts)


def _text(texts: Texts, language: str, name: str, facts: Facts) -> None:
    def checked(fill: Fill) -> str:
        text = one_line(fill(facts))
        if not text:
            raise Unusable("It says nothing.")
        if not one_segment(text):
            raise Unusable(f"It is longer than one SMS: {len(text)} characters.")
        return text

    texts.compose(language, name, checked)


def _outcomes() -> Iterable[dict[str, Any]]:
    for kind, asked, (number, who) in product(
        Answer, (ACKNOWLEDGE, ESCALATE, SNOOZE), (("50042", "Dana Reyes"), ("5, 0, 0, 4, 2", ""))
    ):
        yield {
            "kind": kind.value,
            "asked": asked,
            "code": "E-1A",
            "number": number,
            "who": who,
            "plan": "major",
            "until": "21:15",
        }


def _several() -> Iterable[dict[str, Any]]:
    none: dict[str, list[str]] = {"done": [], "taken": [], "takers": [], "refused": [], "over": []}
    for asked, spoken, codes in product((ACKNOWLEDGE, ESCALATE, SNOOZE), (False, True), (CODES[:1], CODES[:5], CODES)):
        for kind in ("done", "taken", "refused", "over"):
            takers = ["Lee Adams", "Alice Agent"] if kind == "taken" else []
            yield {
                "asked": asked,
                "spoken": spoken,
                "who": "Dana Reyes",
                "until": "21:15",
                **none,
                kind: codes,
                "takers": takers,
            }


def _dead_ends() -> Iterable[dict[str, Any]]:
    for why, title in product((OVER, EXPIRED, FORGED, BUSY, AWAY), TITLES):
        yield {
            "why": why,
            "said": "E-1A: it is over." if why == OVER else "",
            "tickets": [{"number": "50042", "title": title}] if why == OVER else [],
            "url": "https://desk.example.com" if title else "",
            "again": "post" if why == AWAY else "",
            "style": STYLE,
        }


def _pages() -> Iterable[dict[str, Any]]:
    nexts = ("step", "exhausted", "again", "goes on")
    states = ("waiting", "running", "exhausted", "acknowledged", "held", "resolved", "cancelled")
    for title, (state, next_) in product(TITLES, zip(states, cycle(nexts), strict=False)):
        told = [
            {"at": "20:15", "way": way, "who": "Dana Reyes", "outcome": "delivered", "ended": way != "phone"}
            for way in WAYS
        ]
        ticket = {
            "code": "E-1A",
            "number": "50042",
            "title": title,
            "priority": "3 high",
            "group": "Network",
            "organization": "Example Ltd",
            "url": "https://desk.example.com/#ticket/zoom/42",
            "plan": "major-incident",
            "state": state,
            "taken_by": "Lee Adams",
            "until": "21:15",
            "refused": state == "waiting",
            "mine": state == "held",
            "told": told,
            "next": {"kind": next_, "at": "20:25", "who": "Lee Adams", "ways": ["sms", "phone"]},
        }
        bare = ticket | {"priority": "", "organization": "", "url": "", "told": [], "next": None, "until": ""}
        for tickets, takes in (([ticket], 1), ([bare], 0), ([ticket] * 37, 36)):
            yield {
                "tickets": tickets,
                "contact": "Dana Reyes",
                "zone": "CET",
                "style": STYLE,
                "said": "E-1A, ticket 50042: acknowledged by Dana Reyes." if takes else "",
                "takes": takes,
                "asked": bool(takes),
                "take_url": "token",
                "escalates": bool(takes),
                "escalate_url": "token/escalate",
                "snooze_url": "token/snooze",
                "snooze": 30,
            }
