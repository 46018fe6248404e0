"""What Redis says of itself that Escalator can't live with. Pure: from INFO's fields to sentences.

Fields: https://redis.io/docs/latest/commands/info/ (persistence, memory, replication).
"""

from collections.abc import Mapping
from typing import Any

from redis.exceptions import OutOfMemoryError, ReadOnlyError

NEARLY = 0.95  # of maxmemory: from then on it is a matter of minutes
#: First words of errors with which Redis refuses a write, and what they mean.
REFUSALS = {
    "MISCONF": "it can't write to its disk",
    "NOREPLICAS": "too few replicas are connected",
    "READONLY": "it is a replica",
}
_KINDS = {OutOfMemoryError: "its memory is full", ReadOnlyError: "it is a replica"}  # redis-py takes the word away


def redis_troubles(info: Mapping[str, Any], saves: bool = True) -> dict[str, str]:
    """Topic -> sentence. `saves`: whether it takes snapshots, which matters where it keeps no append-only file."""
    found = {}
    failing = [
        name
        for name, field in (("append-only file", "aof_last_write_status"), ("rewrite", "aof_last_bgrewrite_status"))
        if info.get("aof_enabled") and info.get(field, "ok") != "ok"
    ]
    if info.get("rdb_last_bgsave_status", "ok") != "ok" and not info.get("aof_enabled"):
        failing.append("snapshot")
    if failing:
        found["redis-disk"] = f"Redis can't write to its disk ({', '.join(failing)}): is the disk full?"
    elif not info.get("aof_enabled", 1) and not saves and not info.get("connected_slaves"):
        found["redis-disk"] = "Redis keeps nothing on disk: what is running is lost when it stops. Set appendonly yes."
    most, used = int(info.get("maxmemory", 0)), int(info.get("used_memory", 0))
    if most and used >= NEARLY * most:
        found["redis-full"] = f"Redis' memory is full: {100 * used // most} % of its maxmemory is used."
    return found


def refusal(error: Exception) -> str:
    """Why Redis refuses writes, in words that hold nothing of the command."""
    for kind, why in _KINDS.items():
        if isinstance(error, kind):
            return why
    return REFUSALS.get(str(error).partition(" ")[0], "it refuses them")
