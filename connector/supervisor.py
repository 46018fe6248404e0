"""What `escalator up` supervises: Redis, timers, workers, web; started in order, restarted when they die.

Why a small one of our own: *honcho* 2.0 ends everything when one process ends, and restarts nothing. *supervisor* 4.3
starts again only after a second, gives up after a number of tries, knows no "ready", stops everything (Redis too) on
SIGHUP before it looks at the new config, and leaves its children running when it is killed (all tried). A pager needs
the opposite of each. In a container platform or under systemd, run the Procfile's lines there instead.

One thread and one loop: children are forked from the main thread (see _child.py), their output and all signals wake
the same `select`. Each child leads a process group, so that its own children end with it. The lock on the data
directory is inherited by the children: as long as one of them lives, no second Redis can open the same files.
"""

import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from .errors import ConfigError, EscalatorError
from .exclusive import bind, locked
from .faults import describe

BACK_OFF = (0.0, 0.5, 1.0, 2.0, 5.0)  # seconds before the first, second ... start again; then the last, for ever
STEADY = 10.0  # seconds after which a process counts as healthy, and its next death as its first
LISTEN = "{listen}"  # in a command: replaced by `fd://N`, the listening socket that survives restarts of the web

_CHILD = str(Path(__file__).with_name("_child.py"))


@dataclass(frozen=True, slots=True)
class Process:
    """`env` is added to our own environment. `ready`, short: what comes later in the list waits until it is True,
    and is gone before this is stopped. `patience`: seconds between SIGTERM and SIGKILL."""

    name: str
    command: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    ready: Callable[[], bool] | None = None
    restart_on_reload: bool = True
    patience: float = 20.0


@dataclass(slots=True)
class _Child:
    process: Process
    popen: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    deaths: int = 0
    start_at: float | None = None  # when to start it (again); None while it runs or is meant to be stopped
    unfinished: bytes = b""  # the line that it is still writing


class Supervisor:
    """`on_reload` is asked at SIGHUP: True restarts one by one; it says itself what is wrong when False.

    `listen`: address that is bound before anything starts and handed to the commands that hold `{listen}`.
    `say` gets every line: our own, and those of the children with their names in front.
    """

    def __init__(
        self,
        processes: Sequence[Process],
        data: Path,
        on_reload: Callable[[], bool],
        say: Callable[[str], None],
        *,
        listen: tuple[str, int] | None = None,
    ) -> None:
        self._children = [_Child(process) for process in processes]
        self._data = data
        self._on_reload = on_reload
        self._say = say
        self._listen = listen
        self._width = max((len(process.name) for process in processes), default=0)
        self._inherited: tuple[int, ...] = ()
        self._listener: socket.socket | None = None
        self._selector = selectors.DefaultSelector()
        self._stops = 0  # how often we were asked to stop; the second time means at once
        self._reload = False
        self._doubt = ""  # said once, not twenty times a second

    def run(self) -> int:
        """Until SIGTERM or SIGINT (0), or 1 with one sentence said when it can't begin. In the main thread."""
        try:
            with locked(self._data, self._say) as lock, self._signals():
                self._inherited = (lock,)
                if self._listen is not None:
                    self._listener = bind(*self._listen)
                try:
                    self._work()
                finally:
                    self._stop_all()
                    if self._listener is not None:
                        self._listener.close()
        except ConfigError as error:
            self._say(str(error))
            return 1
        return 0

    def _work(self) -> None:
        for child in self._children:
            child.start_at = time.monotonic()
            self._await_ready(child)
        if not self._stops:
            self._say(self._ready_line())
        while not self._stops:
            if self._reload:
                self._reload = False
                self._restart_one_by_one()
            self._turn(1.0)

    def _ready_line(self) -> str:
        if self._listener is None:
            return "Ready."
        host, port = self._listener.getsockname()[:2]
        return f"Ready: http://{f'[{host}]' if ':' in host else host}:{port}"

    def _await_ready(self, child: _Child, patience: float = float("inf")) -> None:
        """Turns until this child is up; what has died meanwhile is started again, this one too."""
        until = time.monotonic() + patience
        self._turn(0.0)
        while not self._stops and time.monotonic() < until:
            if child.popen is not None and self._is_ready(child.process):
                return
            self._turn(0.05)

    def _is_ready(self, process: Process) -> bool:
        try:
            return process.ready is None or process.ready()
        except Exception as error:  # a question that fails is no yes, and no reason to end what runs
            doubt = f"{process.name} can't be asked whether it is ready: {describe(error)}"
            if doubt != self._doubt:
                self._say(doubt)
            self._doubt = doubt
            return False

    def _restart_one_by_one(self) -> None:
        try:
            good = self._on_reload()
        except EscalatorError as error:
            self._say(str(error))
            good = False
        except Exception as error:  # the running processes are fine, whatever is wrong with the new config
            self._say(describe(error))
            good = False
        if not good:
            self._say("Reload refused: everything goes on with the config as it was.")
            return
        for child in self._children:
            if child.process.restart_on_reload and not self._stops:
                self._stop([child])
                child.start_at = time.monotonic()
                self._await_ready(child, patience=30.0)
        self._say("Reloaded.")

    # --- one turn of the loop ---------------------------------------------------------------------------------------

    def _turn(self, longest: float) -> None:
        """Waits for output, a signal or a death, at most `longest` seconds, and does what follows from it."""
        starts = [child.start_at for child in self._children if child.start_at is not None]
        wait = min([longest, *(start - time.monotonic() for start in starts)])
        for key, _ in self._selector.select(max(0.0, wait)):
            if isinstance(key.data, _Child):
                self._relay(key.data)
            else:
                os.read(key.fd, 4096)  # the wake-up bytes of signals
        for child in self._children:
            self._notice_death(child)
            if child.start_at is not None and child.start_at <= time.monotonic() and not self._stops:
                self._start(child)

    def _start(self, child: _Child) -> None:
        command = list(child.process.command)
        inherited = self._inherited
        if self._listener is not None and any(LISTEN in part for part in command):
            command = [part.replace(LISTEN, f"fd://{self._listener.fileno()}") for part in command]
            inherited = (*inherited, self._listener.fileno())
        child.popen = subprocess.Popen(
            [sys.executable, "-I", "-S", _CHILD, str(os.getpid()), *command],
            env={**os.environ, **child.process.env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=inherited,
            process_group=0,  # so that Ctrl+C reaches only us, and its children end with it
        )
        child.start_at, child.started_at = None, time.monotonic()
        assert child.popen.stdout is not None
        os.set_blocking(child.popen.stdout.fileno(), False)
        self._selector.register(child.popen.stdout, selectors.EVENT_READ, child)

    def _notice_death(self, child: _Child) -> None:
        """Ends what is left of a dead child's group, and sets the time at which it starts again."""
        if child.popen is None:
            return
        pid = child.popen.pid
        if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            return
        _signal_group(pid, signal.SIGKILL)  # before it is reaped, while its id can't belong to anybody else
        code = child.popen.wait()
        self._relay(child)
        if child.unfinished:
            self._pass_on(child, child.unfinished)
        assert child.popen.stdout is not None
        self._forget_output(child.popen.stdout)
        child.popen.stdout.close()
        child.popen, child.unfinished = None, b""
        if self._stops or child.start_at is not None:
            return
        child.deaths = 0 if time.monotonic() - child.started_at > STEADY else child.deaths
        pause = BACK_OFF[min(child.deaths, len(BACK_OFF) - 1)]
        child.deaths += 1
        child.start_at = time.monotonic() + pause
        self._say(f"{child.process.name} ended ({_reason(code)}); starting it again{f' in {pause} s' if pause else ''}")

    def _relay(self, child: _Child) -> None:
        """Passes on what the child has written, a line at a time."""
        assert child.popen is not None
        assert child.popen.stdout is not None
        try:
            written = os.read(child.popen.stdout.fileno(), 65536)
        except BlockingIOError:
            return
        if not written:  # it has closed its output, and may live on
            self._forget_output(child.popen.stdout)
        *lines, child.unfinished = (child.unfinished + written).split(b"\n")
        for line in lines:
            self._pass_on(child, line)

    def _pass_on(self, child: _Child, line: bytes) -> None:
        self._say(f"{child.process.name:<{self._width}} | {line.decode(errors='replace').rstrip()}")

    def _forget_output(self, output: IO[bytes]) -> None:
        if output in self._selector.get_map():
            self._selector.unregister(output)

    # --- ending -----------------------------------------------------------------------------------------------------

    def _stop_all(self) -> None:
        """In reverse order; one that others needed (`ready`) only after they are gone."""
        self._stops = max(self._stops, 1)
        together: list[_Child] = []
        for child in reversed(self._children):
            child.start_at = None
            if child.process.ready is not None:
                self._stop(together)
                self._stop([child])
                together = []
            else:
                together.append(child)
        self._stop(together)

    def _stop(self, children: Iterable[_Child]) -> None:
        """SIGTERM, then SIGKILL to the whole group of each that takes longer than its patience."""
        asked = time.monotonic()
        left = [child for child in children if child.popen is not None]
        for child in left:
            child.start_at = float("inf")  # its end is wanted
            assert child.popen is not None
            # Not popen.terminate(), which reaps who has died unnoticed; until we do, its id is nobody else's.
            os.kill(child.popen.pid, signal.SIGTERM)
        while left := [child for child in left if child.popen is not None]:
            for child in left:
                if time.monotonic() - asked > child.process.patience or self._stops > 1:
                    assert child.popen is not None
                    _signal_group(child.popen.pid, signal.SIGKILL)
            self._turn(0.1)

    # --- signals ----------------------------------------------------------------------------------------------------

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """SIGTERM, SIGINT, SIGHUP and SIGCHLD wake the loop; before and after they do what they did."""
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        theirs.setblocking(False)
        self._selector.register(ours, selectors.EVENT_READ)
        wakeup = signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
        taken = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)
        before = {number: signal.signal(number, self._on_signal) for number in taken}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(wakeup)
            self._selector.close()
            ours.close()
            theirs.close()

    def _on_signal(self, number: int, frame: object) -> None:  # noqa: ARG002  as signal.signal wants it
        if number in (signal.SIGTERM, signal.SIGINT):
            self._stops += 1
        elif number == signal.SIGHUP:
            self._reload = True


def _reason(code: int) -> str:
    return f"code {code}" if code >= 0 else signal.Signals(-code).name


def _signal_group(group: int, number: signal.Signals) -> None:
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):  # nobody left in it (macOS says it the second way)
        return
