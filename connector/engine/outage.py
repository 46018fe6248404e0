"""What waits because the helpdesk is away goes as soon as it answers anybody, not when its own waiting time is over."""

import time

import redis

from .keys import DESK, HINTS, PREFIX

WAITING = f"{PREFIX}waiting-for-helpdesk"  # ids of tickets
AT_MOST_EVERY = 5  # seconds; a helpdesk that can be read but takes no note isn't asked without end

# Makes due what waits. KEYS: waiting, guard, then the sorted sets. ARGV: now, seconds of the guard.
_ANSWERS = """
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
if not redis.call('SET', KEYS[2], '1', 'NX', 'EX', ARGV[2]) then return 0 end
local waiting = redis.call('SMEMBERS', KEYS[1])
redis.call('DEL', KEYS[1])
for _, id in ipairs(waiting) do
  for i = 3, #KEYS do redis.call('ZADD', KEYS[i], 'XX', 'LT', ARGV[1], id) end
end
return #waiting
"""


def waits(connection: redis.Redis, ticket_id: str) -> None:
    """Something about this ticket couldn't be read or written."""
    connection.sadd(WAITING, ticket_id)


def answers(connection: redis.Redis) -> None:
    """The helpdesk has answered: all that waits is due now."""
    connection.eval(_ANSWERS, 4, WAITING, f"{WAITING}:guard", DESK, HINTS, repr(time.time()), str(AT_MOST_EVERY))
