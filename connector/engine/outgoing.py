"""What is still to be sent: the index `out`, kept in step with the notifications of each case.

A member names ticket and notification, and, while it may be told of together with others, the group: one person by one
way. A second index by group holds the same; its scores say when it is due, those in `out` when it is looked at.
"""

import contextlib
import hashlib
import logging
import re
import time
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from redis import WatchError
from redis.client import Pipeline

from .. import queues
from ..core.case import Case
from ..core.escalation import Notification, Stage
from ..core.sending import bundles
from .keys import OUT, case_key
from .pacing import pace_key
from .records import to_case
from .scripts import Script

log = logging.getLogger(__name__)

LOOK_AT = 200  # members of `out` at once
MOST = 500  # notifications in one message
HELD = 2.0  # seconds for which a group is left to who has just taken it, unless they say for how long

_MEMBER = re.compile(r"([^\s]+) ([^\s]+)(?: ([0-9a-f]+))?")

# Takes what may be sent now. A group whose last message was a moment ago waits; a taken one is left alone by others.
# KEYS: out. ARGV: now, most, how many are looked at, members at most, held, prefix of groups, prefix of paces, busy...
# Answers: {{member, what else its group holds...}...}, {groups that wait, until when...}
_TAKE = Script("""
local now, found, busy, taken, waits, later = tonumber(ARGV[1]), {}, {}, {}, {}, {}
for i = 8, #ARGV do busy[ARGV[i]] = true end
for _, raw in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, ARGV[3])) do
  if #found >= tonumber(ARGV[2]) then break end
  local group = string.match(raw, '^%S+ %S+ (%x+)$')
  if not group then
    if not busy[raw] then found[#found + 1] = {raw} end
  elseif waits[group] then
    redis.call('ZADD', KEYS[1], 'XX', waits[group], raw)
  elseif not taken[group] then
    local pace = ARGV[7] .. group
    local open, held = unpack(redis.call('HMGET', pace, 'open', 'held'))
    if open and tonumber(open) > now then
      waits[group] = open
      redis.call('ZADD', KEYS[1], 'XX', open, raw)
      if held ~= '1' then later[#later + 1] = group; later[#later + 1] = open end
    else
      taken[group] = true
      redis.call('HSET', pace, 'open', now + ARGV[5], 'held', '1')
      redis.call('EXPIRE', pace, 120)
      local unit = redis.call('ZRANGEBYSCORE', ARGV[6] .. group, '-inf', ARGV[1], 'LIMIT', 0, ARGV[4])
      table.insert(unit, 1, raw)
      found[#found + 1] = unit
    end
  end
end
return {found, later}
""")


@dataclass(frozen=True, slots=True)
class Due:
    """What may be sent now: one notification, or all that one person is to be told by one way.

    `group` is the one that `out` names; `key` is what nobody else in this process may be at.
    """

    members: tuple[tuple[str, str], ...]  # (ticket, notification)
    group: str = ""
    key: str = ""


class _Open(NamedTuple):
    at: float
    stage: Stage
    group: str


def group_of(notification: Notification) -> str:
    """The group it is told of with, or "": one that may have reached somebody is settled by itself, and at once."""
    if notification.stage is not Stage.PLANNED or notification.unsure or not bundles(notification):
        return ""
    return hashlib.sha256(f"{notification.channel}|{notification.person}".encode()).hexdigest()[:16]


def write(pipe: Pipeline, ticket_id: str, old_case: Case | None, new_case: Case) -> None:
    now = time.time()
    old, new = _open(old_case), _open(new_case)
    if old == new:
        return
    for id, was in old.items():
        if id not in new or new[id].group != was.group:
            _leave(pipe, ticket_id, id, was.group)
    soon = False
    for id, entry in new.items():
        if old.get(id) == entry:
            continue
        _enter(pipe, ticket_id, id, entry)
        if entry.stage is Stage.PLANNED and entry.at <= now:
            soon = True
        elif entry.stage is Stage.PLANNED:
            queues.arm(pipe, queues.DELIVER, "deliver", [], f"deliver-{id}", entry.at)
    if soon:
        queues.nudge(pipe, queues.DELIVER, "deliver")


def take(redis: Any, now: datetime, most: int, *, bundling: bool = True, busy: Collection[str] = ()) -> list[Due]:
    """What may be sent now, most overdue first, without what is `busy`. What can't be one is forgotten."""
    prefixes = (_group_key(""), pace_key("")) if bundling else ("", "")
    fixed = (now.timestamp(), most, LOOK_AT, MOST, HELD, *prefixes)
    if not bundling:
        raws = redis.zrangebyscore(OUT, "-inf", now.timestamp(), start=0, num=most + len(busy))
        units, later = [[raw] for raw in raws], []
    else:
        units, later = _TAKE(redis, [OUT], *fixed, *busy)
    found = [due for unit in units if (due := _due(redis, unit, bundling)) is not None and due.key not in busy]
    _look_again(redis, later)
    return found


def _due(redis: Any, unit: list[bytes], bundling: bool) -> Due | None:
    first = _MEMBER.fullmatch(unit[0].decode(errors="replace"))
    if first is None:
        log.error("what is stored as a notification to be sent is none")
        redis.zrem(OUT, unit[0])
        return None
    others = (raw.decode(errors="replace").partition(" ") for raw in unit[1:])
    members = dict.fromkeys([(first[1], first[2]), *((ticket, id) for ticket, _, id in others)])
    group = first[3] or ""
    return Due(tuple(members), group, group if bundling and group else f"{first[1]} {first[2]}")


def _look_again(redis: Any, later: list[bytes]) -> None:
    """Has a worker look when the groups that wait may be told again."""
    if later:
        with redis.pipeline() as pipe:
            pipe.multi()
            for group, open in zip(later[::2], later[1::2], strict=True):
                queues.arm(pipe, queues.DELIVER, "deliver", [], f"deliver-{group.decode()}", float(open))
            pipe.execute()


def put_right(redis: Any, ticket_id: str, id: str, now: datetime, group: str = "") -> None:
    """Has `out` say what the case says of a notification that could not be claimed: when to try again, or never.

    `group` is the one it was found in. When the case changes at this moment, whoever changes it does that.
    """
    with redis.pipeline() as pipe:
        pipe.watch(case_key(ticket_id))
        found = _open(to_case(pipe.get(case_key(ticket_id)))).get(id)
        pipe.multi()
        if found is None or found.group != group:
            _leave(pipe, ticket_id, id, group)
        if found is None:
            _leave(pipe, ticket_id, id, "")
        else:  # overdue, and yet nobody may have it: a tick is about to end it
            _enter(pipe, ticket_id, id, found._replace(at=max(found.at, now.timestamp() + 0.5)))
        with contextlib.suppress(WatchError):
            pipe.execute()


def set_apart(redis: Any, ticket_id: str, id: str, group: str) -> None:
    """Has a notification go by itself, so that its record, which can't be read, keeps no other from being told."""
    with redis.pipeline() as pipe:
        pipe.multi()
        _leave(pipe, ticket_id, id, group)
        pipe.zadd(OUT, {_member(ticket_id, id, ""): time.time()})
        pipe.execute()


def put_off(redis: Any, due: Due, until: datetime) -> None:
    """Nobody can be told before that moment (a phone that is talking, say)."""
    with redis.pipeline() as pipe:
        pipe.multi()
        for ticket_id, id in due.members:
            pipe.zadd(OUT, {_member(ticket_id, id, due.group): until.timestamp()}, xx=True)
        if due.group:
            pipe.hset(pace_key(due.group), mapping={"open": until.timestamp(), "held": "1"})
            pipe.expire(pace_key(due.group), 120)
        pipe.execute()


def _enter(pipe: Pipeline, ticket_id: str, id: str, entry: _Open) -> None:
    pipe.zadd(OUT, {_member(ticket_id, id, entry.group): entry.at})
    if entry.group:
        pipe.zadd(_group_key(entry.group), {f"{ticket_id} {id}": entry.at})


def _leave(pipe: Pipeline, ticket_id: str, id: str, group: str) -> None:
    pipe.zrem(OUT, _member(ticket_id, id, group))
    if group:
        pipe.zrem(_group_key(group), f"{ticket_id} {id}")


def _member(ticket_id: str, id: str, group: str) -> str:
    return f"{ticket_id} {id} {group}" if group else f"{ticket_id} {id}"


def _group_key(group: str) -> str:
    return f"{OUT}:{group}"


def _open(case: Case | None) -> dict[str, _Open]:
    """What is still to be sent, or being sent."""
    if case is None or case.escalation is None:
        return {}
    return {
        n.id: _Open(n.at.timestamp(), n.stage, group_of(n))
        for n in case.escalation.notifications
        if n.stage in (Stage.PLANNED, Stage.CLAIMED)
    }
