"""Hints: tickets that may have changed. Each is read again; one that tells nothing new is dropped before that.

Each hint gets a number that no other one ever has; one is forgotten by its number. Counted ticket by ticket, a hint
could come by the number of one that was forgotten meanwhile, and be forgotten by whoever began before.

New tickets and those with an escalation are read first. Of known ones with nothing running there may be 20,000 at once
(a moved customer, a job over all tickets): many of them are compared in one search, and only what differs is read.
"""

import time
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

import redis

from .. import queues
from ..ports import Hint
from .keys import BEHIND, COUNTERS, HINTS, KNOWN, LATE, LIVE, PREFIX, SKEW
from .records import encode

PROBE = f"{PREFIX}probe"
WEBHOOK_WITHIN = 10.0  # seconds; what comes later than this came late
LATE_FOR = 30  # seconds after the last late hint for which hints are taken to be late

# Stores hints, then nudges. KEYS after those of the nudge: hints, counters, known, behind, live, late, skew. ARGV after
# those: now, prefix of keys, 1 for deleted, the counter's name, when the (single) ticket was updated ("" where that
# tells nothing), 1 for closed, 1 for known tickets to be compared before they are read, seconds since the change by the
# helpdesk's clock, after how many it is late, seconds for which that is remembered, tickets. Answers -1 when the hint
# tells nothing new: a save that is no later than the last one that was read, nor than the reading, since the helpdesk's
# clock may have been ahead and set right. A third of the work of as many commands in a MULTI.
_HINT = (
    """
local now, prefix, deleted = ARGV[10], ARGV[11], ARGV[12]
local hints, known, behind = KEYS[3], KEYS[5], KEYS[6]
if ARGV[13] == 'hints' and redis.call('EXISTS', prefix .. 'probe') == 1 then
  redis.call('SET', prefix .. 'probe:' .. ARGV[20], '1', 'EX', 600)
end
local function fine(moment)
  local whole, fraction = string.match(moment or '', '^(.*T%d+:%d+:%d+)%.?(%d*)Z$')
  return whole and whole .. '.' .. string.sub(fraction .. '000000', 1, 6)
end
local age = tonumber(ARGV[17])
if age and age + (tonumber(redis.call('GET', KEYS[9]) or '0') or 0) > tonumber(ARGV[18]) then
  redis.call('SET', KEYS[8], '1', 'EX', ARGV[19])
end
if ARGV[14] ~= '' or ARGV[15] == '1' then
  local case = redis.call('GET', prefix .. 'case:' .. ARGV[20])
  local old = not case and ARGV[15] == '1'
  if case and ARGV[14] ~= '' then
    local understood, saved, read = pcall(function()
      local known = cjson.decode(case)
      return fine(known['ticket']['updated_at']), fine(known['read_at'])
    end)
    local given = fine(ARGV[14])
    old = understood and saved and read and given and given <= saved and given <= read
  end
  if old then
    redis.call('HINCRBY', KEYS[4], 'hints_dropped', 1)
    return -1
  end
end
for i = 20, #ARGV do
  local ticket = ARGV[i]
  local idle = redis.call('EXISTS', prefix .. 'case:' .. ticket) == 1 and redis.call('HEXISTS', KEYS[7], ticket) == 0
  if deleted == '1' or not idle or redis.call('ZSCORE', hints, ticket) then
    redis.call('ZADD', hints, 'LT', now, ticket)
    redis.call('ZREM', known, ticket)
    redis.call('ZREM', behind, ticket)
  elseif ARGV[16] ~= '1' or redis.call('ZSCORE', behind, ticket) then
    redis.call('ZADD', behind, 'LT', now, ticket)
    redis.call('ZREM', known, ticket)
  else
    redis.call('ZADD', known, 'LT', now, ticket)
  end
  redis.call('SET', prefix .. 'hint:' .. ticket, redis.call('INCR', prefix .. 'newest-hint'), 'EX', 86400)
  if deleted == '1' then redis.call('SET', prefix .. 'deleted:' .. ticket, 1, 'EX', 86400) end
end
redis.call('HINCRBY', KEYS[4], ARGV[13], #ARGV - 19)
"""
    + queues.NUDGE
)

# Lends out tickets to be compared: nobody else gets them for a while. KEYS: known. ARGV: now, most, until, prefix.
# Answers tickets and the number of each one's last hint.
_LEND = """
local lent = {}
for _, ticket in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, ARGV[2])) do
  if string.match(ticket, '^%d+$') then
    redis.call('ZADD', KEYS[1], ARGV[3], ticket)
    lent[#lent + 1] = ticket
    lent[#lent + 1] = redis.call('GET', ARGV[4] .. 'hint:' .. ticket) or ''
  else
    redis.call('ZREM', KEYS[1], ticket)
  end
end
return lent
"""
# Takes them back. KEYS: known, behind. ARGV: now, prefix, then for each: ticket, number as lent, 1 if it is to be read.
# One that was hinted at again meanwhile is compared again.
_COMPARED = """
for i = 3, #ARGV, 3 do
  local ticket, last = ARGV[i], ARGV[2] .. 'hint:' .. ARGV[i]
  if ARGV[i + 2] == '1' then
    redis.call('ZREM', KEYS[1], ticket)
    redis.call('ZADD', KEYS[2], 'LT', ARGV[1], ticket)
  elseif (redis.call('GET', last) or '') == ARGV[i + 1] then
    redis.call('ZREM', KEYS[1], ticket)
    redis.call('DEL', last)
  else
    redis.call('ZADD', KEYS[1], ARGV[1], ticket)
  end
end
"""
# Forgets a hint if no other one came since. KEYS: its number, then all that wait. ARGV: ticket, number before reading.
_FORGET = """
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[2] then return 0 end
for i = 2, #KEYS do redis.call('ZREM', KEYS[i], ARGV[1]) end
redis.call('DEL', KEYS[1])
return 1
"""


class Hints:
    """Thread-safe; every call may raise redis.RedisError."""

    def __init__(self, connection: redis.Redis, now: Callable[[], float] = time.time) -> None:
        self.now = now  # Unix seconds
        self._redis: Any = connection
        self._script: Any = connection.register_script(_HINT)

    def add(
        self, ticket_ids: Iterable[str], *, deleted: bool = False, counter: str = "hints", compared: bool = False
    ) -> None:
        """Stores that these tickets may have changed, and has them read: one script, so all of it or nothing.

        `deleted`: the helpdesk said that it is gone, which some helpdesks can't say when they are asked. `compared`:
        known ones need no comparing any more.
        """
        self._store(list(ticket_ids), counter=counter, deleted=deleted, compared=compared)

    def add_if_new(self, hint: Hint) -> bool:
        """The same for what a webhook said.

        False, and nothing is stored, for what we have read since, or for a closed ticket that we don't know: a moved
        customer sends one for each of theirs. Whether it came late is remembered all the same.
        """
        moment = encode(hint.updated_at).decode().strip('"') if hint.updated_at is not None else ""
        age = repr(self.now() - hint.changed_at.timestamp()) if hint.changed_at is not None else ""
        return self._store([hint.ticket_id], moment, closed=hint.closed, deleted=hint.deleted, age=age) != -1

    def _store(
        self,
        tickets: list[str],
        moment: str = "",
        *,
        counter: str = "hints",
        closed: bool = False,
        deleted: bool,
        compared: bool = False,
        age: str = "",
    ) -> int:
        keys, arguments = queues.nudging(queues.DESK, "desk")
        arguments += [repr(self.now()), PREFIX, int(deleted), counter, moment, int(closed), int(not compared)]
        arguments += [age, repr(WEBHOOK_WITHIN), LATE_FOR, *tickets]
        return int(self._script(keys=[*keys, HINTS, COUNTERS, KNOWN, BEHIND, LIVE, LATE, SKEW], args=arguments))

    def late(self) -> bool:
        """Whether a hint came late just now."""
        return bool(self._redis.exists(LATE))

    # --- whether a probe's webhook came -------------------------------------------------------------------------------

    def watch(self, seconds: int) -> None:
        """For so long it is remembered whose webhooks came, for those who made a probe (cli/round.py)."""
        self._redis.set(PROBE, 1, ex=seconds)

    def came(self, ticket_id: str) -> bool:
        """Whether a webhook about this ticket came while that was remembered."""
        return bool(self._redis.exists(f"{PROBE}:{ticket_id}"))

    # --- what is done with them ------------------------------------------------------------------------------------

    def last(self, ticket_id: str) -> bytes:
        """The number of the ticket's last hint; empty where none waits."""
        return self._redis.get(f"{PREFIX}hint:{ticket_id}") or b""

    def forget(self, ticket_id: str, number: bytes) -> None:
        """It has been read, unless another hint came since the one of this number."""
        self._redis.eval(_FORGET, 4, f"{PREFIX}hint:{ticket_id}", HINTS, KNOWN, BEHIND, ticket_id, number)

    def lend(self, most: int, now: float, seconds: float) -> dict[str, bytes]:
        """Tickets to be compared, with the numbers of their hints; they are due again after so many seconds."""
        lent = self._redis.eval(_LEND, 1, KNOWN, repr(now), most, repr(now + seconds), PREFIX)
        return {ticket.decode(): number for ticket, number in zip(lent[::2], lent[1::2], strict=True)}

    def compared(self, lent: Mapping[str, bytes], to_read: Collection[str], now: float) -> None:
        """Those to be read stand behind everything else; the others are done with."""
        arguments: list[Any] = []
        for ticket, number in lent.items():
            arguments += [ticket, number, int(ticket in to_read)]
        self._redis.eval(_COMPARED, 2, KNOWN, BEHIND, repr(now), PREFIX, *arguments)
