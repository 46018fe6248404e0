"""What Redis holds: nothing yet, what is live, or a rehearsal. The epoch, which every commit checks, says it.

Who is of the other mode commits nothing there: a rehearsal takes no live notification for sent, and nobody live sends
what was rehearsed, whatever process starts or ends in whatever order.
"""

import secrets
from enum import StrEnum
from typing import Any

from .agents import AGENTS
from .keys import DEVICES, EPOCH, PREFIX

_REHEARSAL, _ENDING = b"rehearsal-", b"ending"
AT_ONCE = 500  # keys


class Holds(StrEnum):
    NOTHING = "nothing"
    LIVE = "live"
    REHEARSAL = "rehearsal"
    ENDING = "ending"  # a rehearsal that is being forgotten: nobody's any more


#: By our own mode: why nothing is done.
OTHER_MODE = {
    Holds.LIVE: "A rehearsal is on here, and the config says live: start `escalator up` again, which ends it.",
    Holds.REHEARSAL: "What Redis holds is live, and the config says rehearsal: nothing of it is touched.",
}


def held(epoch: bytes | None) -> Holds:
    """By the value of EPOCH."""
    if epoch is None:
        return Holds.NOTHING
    if epoch == _ENDING:
        return Holds.ENDING
    return Holds.REHEARSAL if epoch.startswith(_REHEARSAL) else Holds.LIVE


def new_epoch(mode: Holds) -> str:
    return f"{_REHEARSAL.decode() if mode is Holds.REHEARSAL else ''}{secrets.token_hex(16)}"


def set_aside(redis: Any, but: str = "") -> None:
    """Forgets what was rehearsed here, but for the key `but`.

    Devices that people have paired stay, and who is who in the helpdesk. RQ's jobs find nothing to do. Who is killed
    over it has left an epoch by which nobody acts, and everybody knows what is to be forgotten. Raises
    redis.RedisError.
    """
    redis.set(EPOCH, _ENDING)
    stays, chunk = tuple(key.encode() for key in (DEVICES, AGENTS, EPOCH, but) if key), []
    for key in redis.scan_iter(f"{PREFIX}*", count=1000):
        if not key.startswith(stays):
            chunk.append(key)
        if len(chunk) == AT_ONCE:
            redis.unlink(*chunk)
            chunk = []
    redis.unlink(*chunk, EPOCH)
