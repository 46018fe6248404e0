"""How to talk to Redis: the one at an address, or whichever is the master by the word of its Sentinels.

`redis+sentinel://[user:password@]host:port[,host:port...]/service[/db]` (TLS: `rediss+sentinel://`) names the Sentinels
of a service. User and password are those of Redis itself; `?sentinel_password=` (and `sentinel_username=`) those of the
Sentinels. Each new connection asks them who is the master; one to a master that is no more ends with its next command.
"""

import ipaddress
import socket
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import redis
from redis.backoff import NoBackoff
from redis.connection import Connection, ConnectionPool, SSLConnection, UnixDomainSocketConnection, parse_url
from redis.retry import Retry
from redis.sentinel import Sentinel, SentinelConnectionPool, SentinelManagedConnection, SentinelManagedSSLConnection

from .errors import ConfigError

SENTINEL = "+sentinel"  # at the end of a scheme
SENTINEL_PORT = 26379
NOT_UNDERSTOOD = "REDIS_URL can't be understood: write redis://, rediss://, unix:// or redis+sentinel://HOST:PORT/NAME."

#: The answers of a Redis that takes no writes now, since it was demoted, has too few replicas or lost its master. To us
#: it is away. Before Redis 7 a script wraps them in an error of its own.
REFUSES_WRITES = ("READONLY", "NOREPLICAS", "MASTERDOWN", "UNBLOCKED")
_REFUSING_A_SCRIPT = ("READONLY You can't write", "NOREPLICAS Not enough")

#: A host that is switched off says no word, not even that it is gone: after so many seconds it counts as away.
_KEEP_ALIVE = {
    getattr(socket, name): value
    for name, value in (("TCP_KEEPIDLE", 3), ("TCP_KEEPINTVL", 1), ("TCP_KEEPCNT", 3), ("TCP_USER_TIMEOUT", 6000))
    if hasattr(socket, name)
}
_NEVER_AGAIN = {"retry": Retry(NoBackoff(), 0)}
_PATIENCE = {"socket_timeout": 10.0, "socket_connect_timeout": 3.0, "health_check_interval": 30}
_ASKING = {"socket_timeout": 1.0, "socket_connect_timeout": 1.0}  # one that hangs must not keep us from the next
_OVER_TCP = {"socket_keepalive": True, "socket_keepalive_options": _KEEP_ALIVE}


class _Plain:
    """Says that Redis is away where it refuses all writes, and never keeps a connection with an answer half read."""

    def read_response(self, *args: Any, disconnect_on_error: bool = True, **more: Any) -> Any:
        try:
            return super().read_response(*args, disconnect_on_error=disconnect_on_error, **more)  # type: ignore[misc]
        except redis.ResponseError as error:
            code = _refusal(error)
            if not code:
                raise
            self.disconnect()  # type: ignore[attr-defined]
            raise redis.ConnectionError(f"{code} Redis takes no writes now") from None


def _refusal(error: redis.ResponseError) -> str:
    """The code with which all writes are refused; "" for any other error."""
    if isinstance(error, redis.ReadOnlyError):  # redis-py takes the code away
        return "READONLY"
    said = str(error)
    codes = (code for code in REFUSES_WRITES if said.startswith(code))
    in_a_script = (words.partition(" ")[0] for words in _REFUSING_A_SCRIPT if words in said)
    return next(iter((*codes, *in_a_script)), "")


class _Tcp(_Plain, Connection):
    pass


class _Tls(_Plain, SSLConnection):
    pass


class _Socket(_Plain, UnixDomainSocketConnection):
    pass


class _Master(_Plain, SentinelManagedConnection):  # type: ignore[misc]  # it takes the same, named one by one
    pass


class _TlsMaster(_Plain, SentinelManagedSSLConnection):  # type: ignore[misc]  # the same
    pass


_KINDS: dict[type, type] = {Connection: _Tcp, SSLConnection: _Tls, UnixDomainSocketConnection: _Socket}


class _Sentinels(Sentinel):
    """redis-py's own; a master off this host is refused where the URL has no TLS or password for it."""

    safe_anywhere = False

    def discover_master(self, service_name: str) -> tuple[str, int]:
        host, port = super().discover_master(service_name)  # type: ignore[no-untyped-call]
        if not self.safe_anywhere and not is_loopback(host):
            raise redis.ConnectionError("the master is off this host: REDIS_URL needs TLS and a password")
        return host, port


@dataclass(frozen=True, slots=True)
class _Service:
    """A URL of Sentinels, taken apart. `options` are those of Redis itself, `asking` those of the Sentinels."""

    sentinels: tuple[tuple[str, int], ...]
    name: str
    tls: bool
    options: dict[str, Any]
    asking: dict[str, Any]


def connect(url: str) -> redis.Redis:
    """A client for this URL that never repeats a command by itself; nothing is sent yet.

    redis-py's own `Redis()` repeats a command ten times when the connection breaks: a MULTI whose answer was lost
    would be applied twice. Here the caller sees the error and decides. Answers are bytes, as RQ wants them. A Redis
    that refuses writes (demoted, too few replicas) raises redis.ConnectionError like one that is away.

    Raises ConfigError for an URL that can't be used or isn't safe (see `check_url`).
    """
    check_url(url)
    try:
        if urlsplit(url).scheme.endswith(SENTINEL):
            return redis.Redis.from_pool(_master_pool(_service(url)))
        options = parse_url(url)  # type: ignore[no-untyped-call]
        kind = _KINDS[options.pop("connection_class", Connection)]
        usual = _PATIENCE if kind is _Socket else {**_PATIENCE, **_OVER_TCP}
        return redis.Redis.from_pool(ConnectionPool(connection_class=kind, **{**usual, **options, **_NEVER_AGAIN}))
    except (ValueError, TypeError):  # the text of these repeats the URL, and so a password
        raise ConfigError(NOT_UNDERSTOOD) from None


def has_replicas(connection: redis.Redis) -> bool:
    """Whether this Redis is one of several that take over from each other, by the word of Sentinels."""
    return isinstance(connection.connection_pool, SentinelConnectionPool)


def _master_pool(service: _Service) -> SentinelConnectionPool:
    asking = {**_ASKING, **_OVER_TCP, **service.asking, **_NEVER_AGAIN}
    sentinels = _Sentinels(service.sentinels, sentinel_kwargs=asking)  # type: ignore[no-untyped-call]
    sentinels.safe_anywhere = service.tls and bool(service.options.get("password"))
    options = {**_PATIENCE, **_OVER_TCP, **service.options, **_NEVER_AGAIN}
    kind = _TlsMaster if service.tls else _Master
    return SentinelConnectionPool(service.name, sentinels, connection_class=kind, **options)  # type: ignore[no-untyped-call]


def _service(url: str) -> _Service:
    """Raises ValueError."""
    parts = urlsplit(url)
    user, _, hosts = parts.netloc.rpartition("@")
    name, _, db = parts.path.strip("/").partition("/")
    if not name or not hosts:
        raise ValueError("no service or no Sentinel is named")
    options = parse_url(f"redis://{user}{'@' if user else ''}localhost?{parts.query}")  # type: ignore[no-untyped-call]
    del options["host"]
    if db:
        options["db"] = int(db)
    asking = {key: options.pop(f"sentinel_{key}") for key in ("username", "password") if f"sentinel_{key}" in options}
    tls = parts.scheme.startswith("rediss")
    if tls:
        asking |= {"ssl": True, **{key: value for key, value in options.items() if key.startswith("ssl_")}}
    return _Service(tuple(_address(host) for host in hosts.split(",")), unquote(name), tls, options, asking)


def _address(host_and_port: str) -> tuple[str, int]:
    parts = urlsplit(f"//{host_and_port}")
    if not parts.hostname:
        raise ValueError("no host")
    return parts.hostname, parts.port or SENTINEL_PORT


def check_url(url: str) -> None:
    """Refuses a Redis off this host without TLS (verified) and a password: whoever writes to it runs our jobs.

    Raises ConfigError.
    """
    try:
        parts = urlsplit(url)
        scheme, query = parts.scheme, parse_qs(parts.query)
        if scheme == "unix":
            return
        if scheme.removesuffix(SENTINEL) not in ("redis", "rediss"):
            raise ValueError("another scheme")
        if scheme.endswith(SENTINEL):
            service = _service(url)
            hosts, password = [host for host, _ in service.sentinels], service.options.get("password")
        else:
            hosts, password = [parts.hostname or "localhost"], parts.password or query.get("password")
    except (ValueError, TypeError):
        raise ConfigError(NOT_UNDERSTOOD) from None
    away = [host for host in hosts if not is_loopback(host)]
    if not away:
        return
    if not scheme.startswith("rediss") or query.get("ssl_cert_reqs", ["required"]) != ["required"]:
        safe = "rediss+sentinel://" if scheme.endswith(SENTINEL) else "rediss://"
        raise ConfigError(f"REDIS_URL leads to {away[0]} without verified TLS: write {safe} for a Redis off this host.")
    if not password:
        raise ConfigError(f"REDIS_URL leads to {away[0]} without a password: a Redis off this host needs one.")


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
