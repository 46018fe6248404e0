"""`escalator explain`: which plan applies to a ticket and why, and who is told what and when."""

import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import click
import redis

from config.settings import Settings

from ..core.wording import Reader, duration
from ..engine.devices import WEBPUSH, Devices
from ..engine.documents import moment
from ..engine.store import Store
from ..errors import ConfigError
from ..ports import Channel
from ..redis_server import connect, redis_url
from ..services import build_channels, build_texts
from .common import Places, as_json, build_helpdesk, placed, print_json, read_ticket, reader, say, utc_now
from .explaining import NOBODY_CAME, ROUND, STEP, Coming, Explained, Known, Silence, because, explained
from .sheet import Part, Row, Sentences, Sheet, as_page, lines_of, page_of, put
from .words import ENGLISH, icons, in_rehearsal, stops


@click.command()
@click.argument("ticket")
@placed
@as_json
@as_page
def explain(places: Places, ticket: str, json_: bool, html: Path | None) -> None:
    """Which plan applies to TICKET (its number, or id:N) and why, and who is told what and when. Changes nothing."""
    settings = places.settings()
    channels = _channels(places, settings)
    reading = read_ticket(build_helpdesk(settings), ticket)
    told = explained(settings, channels, reading, _remembered(places, settings, reading.ticket.id))
    words, now = reader(settings), utc_now()
    if json_:
        mode = {"mode": settings.service.mode} if settings.service.rehearsal else {}
        print_json({**mode, **_document(told, words, now)})
    elif html is not None:
        texts, language = build_texts(settings), settings.service.language
        sheet = sheet_of_ticket(told, settings, words, now, Sentences(texts, language))
        put(page_of(sheet, texts, language, words, now), html)
    else:
        say(*lines_of(sheet_of_ticket(told, settings, words, now, ENGLISH)))


# --- in words -------------------------------------------------------------------------------------------------------


def sheet_of_ticket(told: Explained, settings: Settings, words: Reader, now: datetime, tell: Sentences) -> Sheet:
    """The ticket, its plan and why, and what is ahead of it; times on the clock of `words`."""
    return Sheet(
        title=tell("ticket", number=told.ticket.number),
        intro=(*filter(None, [in_rehearsal(settings, tell)]), *_intro(told, words, now, tell)),
        parts=(_ahead(told, settings, words, now, tell),) if told.coming else (),
        link=told.ticket.url,
    )


def _intro(told: Explained, words: Reader, now: datetime, tell: Sentences) -> Iterator[str]:
    ticket, facts, live = told.ticket, told.ticket.facts, told.known.live
    yield tell(
        "facts",
        number=ticket.number,
        title=ticket.title,
        state=ticket.state,
        priority=facts.priority,
        group=facts.group,
        owner=ticket.owner.name if ticket.owner is not None else "",
    )
    if told.match.plan is not None:
        yield tell("applies", plan=told.match.plan, **because(told.match, facts))
    if not told.known.here:
        yield tell("no memory")
    if live is not None:
        yield tell("stands", code=live.code, plan=live.plan.name, state=live.state.value)
    if told.silence is not None:
        yield _silence(told.silence, words, now, tell)


def _silence(silence: Silence, words: Reader, now: datetime, tell: Sentences) -> str:
    clocks = {key: words.clock(one, now) if isinstance(one, datetime) else one for key, one in silence.facts.items()}
    return tell(silence.kind, **clocks)


def _ahead(told: Explained, settings: Settings, words: Reader, now: datetime, tell: Sentences) -> Part:
    rows, before = [], told.coming[0].at
    for one in told.coming:
        rows.append(
            Row(
                words.clock(one.at, now),
                _coming(one, told, tell),
                icons(one.by, settings),
                icons(one.otherwise, settings),
                one.at - before,
                tuple(tell("unreachable", who=who, channel=channel) for who, channel in one.unreachable),
            )
        )
        before = one.at
    after = (stops(told.plan, tell),) if told.plan is not None else ()
    return Part(before=(tell("unless"),), rows=tuple(rows), after=after)


def _coming(one: Coming, told: Explained, tell: Sentences) -> str:
    whom = [("contact", contact.name) for contact in one.people]
    if one.kind == STEP:
        return tell("step", number=one.number, by=one.by, otherwise=one.otherwise, whom=whom)
    if one.kind == ROUND:
        return tell("round", round=one.number, rounds=told.plan.rounds if told.plan is not None else one.number)
    return tell(one.kind, by=one.by, whom=whom, every=duration(one.every))


def _document(told: Explained, words: Reader, now: datetime) -> dict[str, Any]:
    ticket, coming = told.ticket, told.coming
    return {
        "ticket": {"id": ticket.id, "number": ticket.number, "title": ticket.title, "url": ticket.url},
        "plan": told.match.plan,
        "reason": told.match.reason,
        "applies_since": moment(told.start) if told.match.plan is not None else None,
        "escalation": told.known.escalation.code if told.known.escalation is not None else None,
        "nothing_because": _silence(told.silence, words, now, ENGLISH) if told.silence is not None else None,
        "steps": [{"step": one.number, **_told(one)} for one in coming if one.kind == STEP],
        "rounds": [{"round": one.number, "at": moment(one.at)} for one in coming if one.kind == ROUND],
        "nobody_came": next((_told(one) for one in coming if one.kind == NOBODY_CAME), None),
    }


def _told(one: Coming) -> dict[str, Any]:
    return {
        "at": moment(one.at),
        "contacts": [contact.name for contact in one.people],
        "by": list(one.by),
        "else": list(one.otherwise),
        "unreachable": [f"{who} has no address for {channel}" for who, channel in one.unreachable],
    }


# --- what is known --------------------------------------------------------------------------------------------------


def _channels(places: Places, settings: Settings) -> dict[str, Channel]:
    """With what people have paired; without Redis that isn't known, and the paired ways are left out."""
    try:
        devices = Devices(connect(redis_url(places.data, os.environ)))
        devices.contacts()
    except (redis.RedisError, ConfigError):
        return {name: one for name, one in build_channels(settings).items() if one.kind != WEBPUSH}
    return build_channels(settings, devices)


def _remembered(places: Places, settings: Settings, ticket_id: str) -> Known:
    since = settings.service.since
    try:
        store = Store(connect(redis_url(places.data, os.environ)), settings.service.keep)
        case = store.case(ticket_id)
        return Known(since or store.since(), case.escalation if case is not None else None)
    except (redis.RedisError, ConfigError):
        return Known(since, here=False)
