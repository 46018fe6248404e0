"""Hints: tickets that may have changed. Each is read again; one that tells nothing new is dropped before that."""

import time
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import redis

from .. import queues
from .keys import COUNTERS, HINTS, PREFIX
from .records import encode

# Stores hints, then nudges. KEYS after those of the nudge: hints, counters. ARGV after those: now, prefix of keys,
# 1 for deleted, the counter's name, when the (single) ticket was updated ("" where that tells nothing), 1 for closed,
# tickets. Answers -1 when the hint tells nothing new. A third of the work of as many commands in a MULTI.
_HINT = (
    """
local now, prefix, deleted = ARGV[10], ARGV[11], ARGV[12]
local function fine(moment)
  local whole, fraction = string.match(moment or '', '^(.*T%d+:%d+:%d+)%.?(%d*)Z$')
  return whole and whole .. '.' .. string.sub(fraction .. '000000', 1, 6)
end
if ARGV[14] ~= '' or ARGV[15] == '1' then
  local known = redis.call('GET', prefix .. 'case:' .. ARGV[16])
  local old = not known and ARGV[15] == '1'
  if known and ARGV[14] ~= '' then
    local understood, read = pcall(function() return fine(cjson.decode(known)['ticket']['updated_at']) end)
    local given = fine(ARGV[14])
    old = understood and read and given and given <= read
  end
  if old then
    redis.call('HINCRBY', KEYS[4], 'hints_dropped', 1)
    return -1
  end
end
for i = 16, #ARGV do
  local ticket = ARGV[i]
  redis.call('ZADD', KEYS[3], 'LT', now, ticket)
  redis.call('INCR', prefix .. 'hint:' .. ticket)
  redis.call('EXPIRE', prefix .. 'hint:' .. ticket, 86400)
  if deleted == '1' then redis.call('SET', prefix .. 'deleted:' .. ticket, 1, 'EX', 86400) end
end
redis.call('HINCRBY', KEYS[4], ARGV[13], #ARGV - 15)
"""
    + queues.NUDGE
)


class Hints:
    """Thread-safe; every call may raise redis.RedisError."""

    def __init__(self, connection: redis.Redis) -> None:
        self._script: Any = connection.register_script(_HINT)

    def add(self, ticket_ids: Iterable[str], *, deleted: bool = False, counter: str = "hints") -> None:
        """Stores that these tickets may have changed, and has them read: one script, so all of it or nothing.

        `deleted`: the helpdesk said that it is gone, which some helpdesks can't say when they are asked.
        """
        self._store(list(ticket_ids), counter=counter, deleted=deleted)

    def add_if_new(self, ticket_id: str, updated_at: datetime | None, *, closed: bool, deleted: bool) -> bool:
        """The same for a ticket that was updated then (None: that tells nothing) and may be closed.

        False, and nothing is stored, for what we have read since, or for a closed ticket that we don't know: a moved
        customer sends one for each of theirs.
        """
        moment = encode(updated_at).decode().strip('"') if updated_at is not None else ""
        return self._store([ticket_id], moment, closed=closed, deleted=deleted) != -1

    def _store(
        self, tickets: list[str], moment: str = "", *, counter: str = "hints", closed: bool = False, deleted: bool
    ) -> int:
        keys, arguments = queues.nudging(queues.DESK, "desk")
        arguments += [repr(time.time()), PREFIX, int(deleted), counter, moment, int(closed), *tickets]
        return int(self._script(keys=[*keys, HINTS, COUNTERS], args=arguments))
