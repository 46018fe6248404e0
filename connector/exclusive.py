"""What only one `escalator up` can have: a data directory, and a port."""

import errno
import fcntl
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import ConfigError

_LOCK = "up.lock"
_PARTING = 30.0  # seconds for the children of an `up` that was killed to end


def bind(host: str, port: int) -> socket.socket:
    """A listening socket. Raises ConfigError, one sentence, when the address can't be had."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server((str(address[0]), int(address[1])), family=family, backlog=1024)
    except OSError as error:
        why = "is in use" if error.errno == errno.EADDRINUSE else f"can't be used ({error.strerror})"
        raise ConfigError(f"Port {port} on {host} {why}: choose another with --port.") from None


@contextmanager
def locked(data: Path, say: Callable[[str], None]) -> Iterator[int]:
    """Holds the data directory; gives the descriptor, which children inherit so that they hold it too.

    The children of an `up` that was killed may still be ending: it waits for them. Raises ConfigError when another
    one holds the directory.
    """
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = os.open(data / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        until: float | None = None
        while not _try_lock(lock):
            owner = os.pread(lock, 20, 0).decode().strip()
            if alive(owner) or (until is not None and time.monotonic() > until):
                raise ConfigError(f"Another `escalator up` runs with --data {data} (process {owner}).")
            if until is None:
                until = time.monotonic() + _PARTING
                say("An `escalator up` before this one was killed; waiting for its processes to end.")
            time.sleep(0.1)
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
        yield lock
    finally:
        os.close(lock)


def _try_lock(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def alive(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
    except (ProcessLookupError, ValueError):
        return False
    except PermissionError:  # it is somebody else's
        return True
    return True
