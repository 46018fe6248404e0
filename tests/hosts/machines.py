"""Machines of their own: network, host name and processes apart from everybody else's, as Linux' namespaces give them.

What a machine reaches beyond itself (Redis, the helpdesk, providers) comes to it over a `Wire`: a port of its own
loopback that leads to one of ours. Where namespaces can't be had, a machine is a group of processes that believe in a
host name of their own, and everything is on one network.
"""

import asyncio
import ctypes
import os
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import IO, TypeVar

import psutil

T = TypeVar("T")

CLONE_NEWNET = 0x40000000  # linux/sched.h
APART = ("unshare", "--net", "--uts", "--pid", "--fork", "--mount-proc", "--kill-child=KILL")
BEGIN = 'hostname "$1" && ip link set lo up && echo up && read go && shift && exec "$@"'
BELIEVE = "import os, socket\nname = os.environ['HOST_NAME']\nsocket.gethostname = lambda: name\n"


@cache
def can_be_apart() -> bool:
    """Whether this system gives us namespaces."""
    try:
        tried = subprocess.run(
            [*APART, "sh", "-c", "hostname a && ip link set lo up"], capture_output=True, timeout=30, check=False
        )
    except OSError:
        return False
    return tried.returncode == 0 and hasattr(os, "geteuid") and os.geteuid() == 0


class Machine:
    """`wires` (ports) are carried into it before its program starts."""

    def __init__(self, name: str, directory: Path) -> None:
        self.name, self.log = name, directory / f"{name}.log"
        self._directory = directory
        self._copying: threading.Thread | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._wires: list[Wire] = []

    def start(self, command: Sequence[str], environ: Mapping[str, str], wires: Sequence[int]) -> None:
        with self.log.open("ab") as log:
            if not can_be_apart():
                self._process = self._believe(command, environ, log)
                return
            self._process = subprocess.Popen(
                [*APART, "sh", "-c", BEGIN, "sh", self.name, *command],
                env=dict(environ),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
            )
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            assert self._process.stdout.readline() == b"up\n"
            self._wires = [Wire(port, listen_in=self._process.pid, to=lambda port=port: dial(port)) for port in wires]
            self._copying = threading.Thread(target=_copy, args=(self._process.stdout, self.log), daemon=True)
            self._copying.start()
            self._process.stdin.write(b"go\n")
            self._process.stdin.flush()

    def _believe(self, command: Sequence[str], environ: Mapping[str, str], log: IO[bytes]) -> subprocess.Popen[bytes]:
        """Every Python of it asks for the host's name and gets its own."""
        place = self._directory / f"{self.name}-site"
        place.mkdir(exist_ok=True)
        (place / "sitecustomize.py").write_text(BELIEVE)
        own = {**environ, "PYTHONPATH": str(place), "HOST_NAME": self.name}
        return subprocess.Popen(command, env=own, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def dial(self, port: int) -> socket.socket:
        """A connection to a port of this machine. Raises OSError."""
        assert self._process is not None
        if not can_be_apart():
            return dial(port)
        return _in_network_of(self._process.pid, lambda: dial(port))

    @property
    def said(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def lose_power(self) -> None:
        """All of its processes end in this moment, and its connections with them."""
        assert self._process is not None
        below = [] if can_be_apart() else psutil.Process(self._process.pid).children(recursive=True)
        self._process.kill()
        for process in below:
            process.kill()
        self._process.wait()
        self._unplug()

    def stop(self) -> None:
        """Asks its program to end."""
        if self.running:
            assert self._process is not None
            main = psutil.Process(self._process.pid)
            (main.children()[0] if can_be_apart() else main).terminate()
            self._process.wait(60)
        self._unplug()

    def _unplug(self) -> None:
        while self._wires:
            self._wires.pop().cut()
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
        if self._copying is not None:
            self._copying.join()


class Wire:
    """TCP from a port of one network to wherever `to` connects.

    listen_in: id of a process in the network where the port is opened; 0: in ours. tls: spoken at that end.
    """

    def __init__(
        self, port: int, to: Callable[[], socket.socket], listen_in: int = 0, tls: ssl.SSLContext | None = None
    ) -> None:
        listener = _in_network_of(listen_in, lambda: _listen(port)) if listen_in else _listen(port)
        self._to, self._tls = to, tls
        self._loop = asyncio.new_event_loop()
        self._carrying: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._run, args=(listener,), name=f"wire {port}", daemon=True)
        self._thread.start()

    def cut(self) -> None:
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join()

    def _run(self, listener: socket.socket) -> None:
        self._end = asyncio.Event()
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._carry_all(listener))

    async def _carry_all(self, listener: socket.socket) -> None:
        server = await asyncio.start_server(self._carry, sock=listener, ssl=self._tls)
        await self._end.wait()
        server.close()
        for task in self._carrying:
            task.cancel()
        await asyncio.gather(*self._carrying, return_exceptions=True)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._carrying.add(task)
        try:
            far = await asyncio.to_thread(self._to)
            far.setblocking(False)
            far_reader, far_writer = await asyncio.open_connection(sock=far)
            try:
                await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))
            finally:
                far_writer.transport.abort()
        except OSError:
            pass  # nobody there: so it is to whoever asked
        finally:
            writer.transport.abort()
            self._carrying.discard(task)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()
    else:
        writer.close()


def _listen(port: int) -> socket.socket:
    return socket.create_server(("127.0.0.1", port), backlog=256)


def dial(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=5)


def _in_network_of(pid: int, act: Callable[[], T]) -> T:
    """Does it in a thread that has gone into that process' network; a socket stays where it was made."""
    done: list[T] = []
    failed: list[OSError] = []

    def inside() -> None:
        try:
            with Path(f"/proc/{pid}/ns/net").open("rb") as network:
                if ctypes.CDLL(None, use_errno=True).setns(network.fileno(), CLONE_NEWNET):
                    raise OSError(ctypes.get_errno(), "setns")
            done.append(act())
        except OSError as error:
            failed.append(error)

    thread = threading.Thread(target=inside)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]
    return done[0]


def _copy(output: IO[bytes], log: Path) -> None:
    with log.open("ab", buffering=0) as file, output:
        for line in output:
            file.write(line)
