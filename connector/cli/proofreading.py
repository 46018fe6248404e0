"""Composes what `plans` and `explain` say of made-up plans and tickets, so that a wrong text is found by `check`."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from functools import partial
from typing import Any

from channels import Texts
from channels._proofreading import TITLES
from channels._templates import Fill, Unusable, one_line

from ..core.plan import Way
from .sheet import Chosen, Part, Row, Sheet, tame

_DANA, _OWNER, _STAND_IN = ("contact", "Dana Reyes"), ("owner", ""), ("unassigned", "")
_CRITERIA = (("group", ("Network", "Phones")), ("tag", ("vip",)), ("title", ("server",)), ("Cost centre", ("42",)))
_FOUND = (("group", "Network"), ("a tag", "vip"), ("a word of the title", "server"), ("vip", "true"))
_WHY = {"reason": 'priority is "3 high"', "rule": 12, "found": _FOUND, "priority": "3 high", "excluded": True}
_LAST = {"by": ("email", "pager"), "whom": (_DANA,), "every": "60 min"}


def proofread(texts: Texts, languages: Iterable[str]) -> None:
    """Every sentence, and the page, in these languages."""
    for language in languages:
        for facts in _sentences():
            texts.compose(language, "plan/sentence.txt", partial(_said, facts))
        for title in TITLES:
            for sheet in _sheets(title):
                facts = {"sheet": sheet, "link": sheet.link, "made": "2026-01-31 20:15 CET", "style": ""}
                texts.text(language, "page/plans.html", facts)


def _said(facts: dict[str, Any], fill: Fill) -> str:
    text = one_line(fill(tame(facts)))
    if not text:
        raise Unusable(f"It says nothing for `{facts['kind']}`.")
    return text


def _sentences() -> Iterator[dict[str, Any]]:
    """Each kind, with little and with much in it."""
    for kind in ("plans", "excluded", "left alone", "no memory", "closed", "merged", "stopped", "before", "exhausted"):
        yield {"kind": kind}
    yield {"kind": "unless"}
    yield {"kind": "plan", "name": "major-incident"}
    for to in ("", "Dana Reyes"):
        yield {"kind": "rehearsal", "to": to}
    for kind in ("rule", "for rule"):
        for criteria in ((), _CRITERIA, (("vip", ("true",)),), (("vip", ("false",)),)):
            yield {"kind": kind, "criteria": criteria, "line": 12}
    for kind in ("priorities", "for priorities"):
        yield {"kind": kind, "priorities": ("3 high", "2 normal")}
    yield {"kind": "window", "window": "10 min"}
    for number, whom, otherwise in ((0, (_OWNER,), ()), (2, (_DANA, _STAND_IN), ("sms", "phone")), (3, (), ("pager",))):
        yield {"kind": "step", "number": number, "by": ("push", "webpush"), "otherwise": otherwise, "whom": whom}
    for whom in ((_DANA,), (_DANA, _DANA)):
        yield {"kind": "stand-ins", "whom": whom}
    for last in (_LAST, {"by": ()}):
        yield {"kind": "nobody came", **last}
    yield {"kind": "again", **_LAST}
    yield {"kind": "stops", "by": tuple(way.value for way in Way)}
    yield from _of_a_ticket()


def _of_a_ticket() -> Iterator[dict[str, Any]]:
    ticket = {"number": "50042", "state": "open", "priority": "3 high", "group": "Network"}
    for title, owner in zip(TITLES, ("Dana Reyes", "", "", "", ""), strict=True):
        yield {"kind": "facts", "title": title, "owner": owner, **ticket}
    yield {"kind": "ticket", "number": "50042"}
    for why in (_WHY, {**_WHY, "rule": 0, "found": (), "excluded": False}):
        yield {"kind": "applies", "plan": "major-incident", **why}
        yield {"kind": "no plan", **why}
    for state in ("waiting", "running", "exhausted", "acknowledged", "held"):
        yield {"kind": "stands", "code": "E-1A", "plan": "major-incident", "state": state}
    yield {"kind": "over", "code": "E-1A"}
    for who, at in (("Dana Reyes", "21:15 CET"), ("", "")):
        yield {"kind": "taken", "who": who, "asked_at": at}
        yield {"kind": "held", "who": who, "until": at}
    yield {"kind": "unreachable", "who": "Dana Reyes", "channel": "sms"}
    yield {"kind": "round", "round": 2, "rounds": 3}


def _sheets(words: str) -> Iterator[Sheet]:
    rows = tuple(
        Row("10 min", words, (kind,), ("sms",) if kind == "push" else (), timedelta(minutes=wait), (words,))
        for wait, kind in ((0, "push"), (6, "sms"), (20, "phone"), (40, "email"), (200, "http_post"))
    )
    yield Sheet(words, (words,), (Part(words, (words,), rows, (words,)),), (words,), (Chosen(words, 1), Chosen(words)))
    yield Sheet(words, parts=(Part(rows=(Row("20:15 CET", words),)),), link="https://desk.example.com/#ticket/zoom/42")
