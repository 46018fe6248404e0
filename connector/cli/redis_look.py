"""What `check` says of the Redis that REDIS_URL names: whether it answers, and whether it keeps what it is given.

Fields: https://redis.io/docs/latest/commands/info/ (server, replication, persistence, memory).
"""

from collections.abc import Iterator, Mapping
from typing import Any

import redis

from config.problems import Problem, Severity

from ..errors import ConfigError
from ..redis_server import OLDEST, connect, has_replicas
from .providers import Looked


def look_at_redis(url: str) -> tuple[list[Problem], Looked]:
    """Asks it once; an URL that isn't safe (see `check_url`) is asked nothing. Never raises."""
    try:
        connection = connect(url)
    except ConfigError as problem:
        return [], Looked("redis", "not checked", str(problem))
    try:
        info = connection.info()
        found = list(problems(info, found_by_sentinels=has_replicas(connection)))
    except redis.RedisError as error:
        why = "refuses the password" if isinstance(error, redis.AuthenticationError) else "doesn't answer"
        sentence = f"The Redis of REDIS_URL {why}."
        found = [_problem(sentence, "Is it up, and can this host reach it?", Severity.ERROR)]
        return found, Looked("redis", "failed", sentence)
    finally:
        connection.close()
    kept = "append-only file" if info.get("aof_enabled") else "no append-only file"
    replicas = int(info.get("connected_slaves", 0))
    return found, Looked("redis", "ok", f"Redis {info.get('redis_version', '?')}, {kept}, {replicas} replicas.")


def problems(info: Mapping[str, Any], found_by_sentinels: bool) -> Iterator[Problem]:
    """From INFO's fields."""
    version = tuple(int(part) for part in str(info.get("redis_version", "0.0")).split(".")[:2])
    if version < OLDEST:
        yield _problem("The Redis of REDIS_URL is older than 6.2.", "Use a later one.", Severity.ERROR)
    if info.get("role") != "master":
        yield _problem("REDIS_URL leads to a replica.", "Name the master, or its Sentinels.", Severity.ERROR)
    policy = info.get("maxmemory_policy", "noeviction")
    if policy != "noeviction":
        sentence = f"Redis throws away running escalations when its memory is full (maxmemory-policy {policy})."
        yield _problem(sentence, "Set maxmemory-policy noeviction.", Severity.ERROR)
    if not info.get("aof_enabled"):
        yield _problem("Redis forgets everything when it stops.", "Set appendonly yes.")
    replicas = int(info.get("connected_slaves", 0))
    if found_by_sentinels and not replicas:
        yield _problem("No replica follows Redis' master: nothing could take over.", "Start one.")
    if replicas > 1 and "min_slaves_good_slaves" not in info:  # only there once it is set
        sentence = "A Redis master that lost its replicas goes on alone, and what it takes then is lost."
        yield _problem(sentence, "Set min-replicas-to-write 1 on each Redis.")


def _problem(sentence: str, mend: str, severity: Severity = Severity.WARNING) -> Problem:
    return Problem(severity, "REDIS_URL", 0, 0, "", sentence, mend)
