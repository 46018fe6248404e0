"""Has Escalator begin on its Redis: for the first time, or again when that was emptied; then from the helpdesk.

An emptied Redis looks like a new one. It is known by what else remembers: the file in `--data`, `service.since`, or the
tickets themselves. Until it is clear, and as long as a rebuild takes, hints are stored and nothing fires.

A Redis and its `--data` are live or a rehearsal. From rehearsal to live all that was rehearsed is forgotten, and
`service.since` is that moment, so that nobody is told of it. Back there is no way: the live escalations would be lost.
"""

import os
import signal
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import redis

from config.settings import Settings

from .core.rebuilding import Verdict
from .engine.devices import LOST as DEVICES_LOST
from .engine.devices import WEBPUSH
from .engine.epoch import Holds, held, set_aside
from .engine.keys import EPOCH, PREFIX
from .engine.store import Store
from .errors import EscalatorError, HelpdeskAway, HelpdeskRefused
from .faults import describe
from .rebuild import Found, Rebuild
from .redis_server import connect
from .services import Services, build

SINCE_FILE, REHEARSED_FILE = "since", "rehearsed-since"
LOCK = f"{PREFIX}rebuilding"
LOOK_EVERY = 5.0  # seconds between two looks whether Redis is still the one that Escalator began on
AGAIN_AFTER = 10.0  # seconds, while the helpdesk is away
START_WITHOUT = 10.0  # seconds after which everything else starts though a rebuild is still under way
TROUBLE = "redis-lost"
GONE_FOR_GOOD = (
    "Lost with Redis: the counters of /metrics, histories from before (the notes have them), acknowledge links sent "
    "before, what a bare SMS answer 1 meant (answers with a code work), and the devices that people have paired."
)
PAIR_AGAIN = "Redis was lost, and with it the phones that were paired: `escalator pair CONTACT` for each of them."

IS_LIVE = (
    "Escalator is live with this `--data` and Redis, and a rehearsal would lose what is under way: give it its own, "
    "`escalator up --data rehearsal`, and another REDIS_URL where that is set."
)

REHEARSAL_IS_OVER = (
    "The rehearsal is over, and what it did is forgotten: nobody is told of it. Escalator is live; tickets from before "
    "start nothing by themselves (`escalator adopt` starts them)."
)

Say = Callable[[str], None]


class IsLive(EscalatorError):
    """A rehearsal was to begin where Escalator is live."""


def recorded(data: Path, *, rehearsal: bool = False) -> datetime | None:
    """When Escalator was switched on (or the rehearsal), as the file in `--data` tells; None without one."""
    try:
        found = datetime.fromisoformat(_file(data, rehearsal).read_text().strip())
    except (OSError, ValueError):
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def record(data: Path, since: datetime, *, rehearsal: bool = False) -> None:
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    _file(data, rehearsal).write_text(since.isoformat())


def _file(data: Path, rehearsal: bool) -> Path:
    return data / (REHEARSED_FILE if rehearsal else SINCE_FILE)


def may_rehearse(data: Path, redis: Any = None) -> None:
    """Raises IsLive where `--data`, or what this Redis holds, belongs to a live Escalator; redis.RedisError."""
    if recorded(data) is not None or (redis is not None and held(redis.get(EPOCH)) in (Holds.LIVE, Holds.ENDING)):
        raise IsLive(IS_LIVE)


def begin(services: Services, data: Path, started: datetime, say: Say) -> bool:
    """Whether Escalator has begun on this Redis; False when somebody else was at it: to be called again.

    `started` is when this process did. Raises HelpdeskAway while nothing can be rebuilt for it, and IsLive.
    """
    store, rehearsal = services.store, services.settings.service.rehearsal
    if rehearsal:
        may_rehearse(data, store.redis)
    known = recorded(data, rehearsal=rehearsal)
    if store.begun():
        since = store.since()
        if known is None and since is not None:
            record(data, since, rehearsal=rehearsal)
        if not rehearsal:
            _file(data, rehearsal=True).unlink(missing_ok=True)
        return True
    left = store.holds() in (Holds.REHEARSAL, Holds.ENDING) or recorded(data, rehearsal=True) is not None
    rehearsed = left and not rehearsal
    written = services.settings.service.since
    first = known is None and not rehearsed and (written is None or written >= started)
    if first and (rehearsal or not _shown(services)):  # whatever tickets show, a rehearsal hasn't
        _begin(services, data, written or started)
        return True
    with store.locks.hold(LOCK) as mine:
        if not mine or store.begun():  # somebody else's `up` is at it, or was done between our look and the lock
            return False
        if rehearsed:
            _end_rehearsal(services, data, known, started, say)
        else:
            lost = known is not None or (not rehearsal and _shown(services))
            _begin_again(services, data, known, say, lost=lost)
    return True


def _end_rehearsal(services: Services, data: Path, known: datetime | None, started: datetime, say: Say) -> None:
    """Goes live, as of the start: a ticket that came while the helpdesk was away is one of live.

    What tickets show is of a time before the rehearsal, which shows nothing itself.
    """
    record(data, started, rehearsal=True)  # who begins again, since this one was killed over it, has to know
    set_aside(services.store.redis, but=LOCK)
    if known is None and not _shown(services):
        _begin(services, data, started)
    else:
        _begin_again(services, data, known or started, say, lost=known is not None)
    say(REHEARSAL_IS_OVER)


def _begin_again(services: Services, data: Path, known: datetime | None, say: Say, *, lost: bool) -> None:
    """By what the tickets tell; `lost`: what Redis held before."""
    if lost:
        say(_lost(known))
        services.operator.tell(TROUBLE, _lost(known))  # the workers send it
        if any(channel.kind == WEBPUSH for channel in services.channels.values()):
            services.operator.tell(DEVICES_LOST, PAIR_AGAIN)
    rebuild = Rebuild(services)
    found = rebuild.look(known)
    rebuild.carry_out(found)
    _begin(services, data, found.since)
    for line in summary(found):
        say(line)
    services.operator.settled(TROUBLE)
    if found.of(Verdict.LEFT) or found.unreadable:
        services.operator.tell("left-alone", left_alone_words(found))


def _begin(services: Services, data: Path, since: datetime) -> None:
    rehearsal = services.settings.service.rehearsal
    record(data, since, rehearsal=rehearsal)
    services.store.begin(since)
    if not rehearsal:
        _file(data, rehearsal=True).unlink(missing_ok=True)


def _shown(services: Services) -> bool:
    """Whether a ticket shows that Escalator ran before. One that refuses to tell is as good as new."""
    try:
        return any(True for _ in services.helpdesk.find_shown())
    except HelpdeskRefused:
        return False


def _lost(since: datetime | None) -> str:
    ran = f"here since {since:%Y-%m-%d %H:%M} UTC" if since is not None else "before"
    return (
        f"Redis is empty although Escalator has run {ran}: it is rebuilt from the helpdesk's tickets, "
        "and nothing is sent until that is done."
    )


def summary(found: Found) -> list[str]:
    """What was rebuilt, in a few lines; empty when there was nothing."""
    rebuilt, waiting = found.of(Verdict.REBUILT), found.of(Verdict.WAITING)
    if not (rebuilt or waiting or found.of(Verdict.LEFT) or found.unreadable):
        return []
    lines = [f"Rebuilt from the helpdesk: {len(rebuilt)} by their notes, {len(waiting)} by their history."]
    for one in (*rebuilt, *waiting):
        if one.remarks and one.case.escalation is not None:
            lines.append(f"{one.case.escalation.code}: {'; '.join(one.remarks)}.")
    if found.of(Verdict.LEFT) or found.unreadable:
        lines.append(left_alone_words(found))
    return [*lines, GONE_FOR_GOOD]


def left_alone_words(found: Found) -> str:
    """One sentence for who has to look after them."""
    named = [f"ticket {one.case.ticket.number} ({'; '.join(one.remarks)})" for one in found.of(Verdict.LEFT)]
    named += [f"ticket with id {id} ({why})" for id, why in found.unreadable.items()]
    more = f" and {len(named) - 10} more" if len(named) > 10 else ""
    return f"Left alone after Redis was lost, look after them by hand: {', '.join(named[:10])}{more}."


class Beginning:
    """For `up`: begins in a thread of its own, and looks now and then whether it has to begin again.

    `settings` gives the config as it is now. Ends with its process.
    """

    def __init__(self, url: str, data: Path, settings: Callable[[], Settings], say: Say) -> None:
        self._url, self._data, self._settings, self._say = url, data, settings, say
        self._started = datetime.now(UTC)
        self._thread = threading.Thread(target=self._run, name="beginning", daemon=True)
        self._since = 0.0  # monotonic
        self._decided = threading.Event()
        self._connection: redis.Redis | None = None
        self._store: Store | None = None
        self._refused = False
        self._said = ""

    def ready(self) -> bool:
        """Starts it; True once it has begun, or waits for the helpdesk, or takes long: everything else may start."""
        if not self._thread.is_alive():
            self._since = time.monotonic()
            self._thread.start()
        late = time.monotonic() - self._since > START_WITHOUT
        return not self._refused and (self._decided.is_set() or late)

    def _run(self) -> None:
        pause = threading.Event()
        while True:
            pause.wait(self._turn())

    def _turn(self) -> float:
        """One look. Returns the seconds until the next one."""
        try:
            connection = self._connection = self._connection or connect(self._url)
            if self._decided.is_set() and self._store is not None and self._store.begun():
                return LOOK_EVERY
            services = build(self._settings(), connection)
            self._store = services.store
            done = begin(services, self._data, self._started, self._say)
        except redis.RedisError:
            return 1.0
        except HelpdeskAway as away:
            self._say_once(f"Nothing is sent until the helpdesk answers, since Redis is empty: {away}")
        except IsLive as problem:  # never decided: nothing else of a rehearsal starts on what is live
            self._refused = True
            self._say_once(str(problem))
            if self._decided.is_set():  # another host went live, whose jobs our workers would take and leave undone
                os.kill(os.getpid(), signal.SIGTERM)
            return AGAIN_AFTER
        except EscalatorError as problem:
            self._say_once(f"Nothing is sent, since Redis is empty and can't be rebuilt: {problem}")
        except Exception as problem:  # the processes that are supervised must not end with it
            self._say_once(f"Nothing is sent, since Redis is empty and can't be rebuilt: {describe(problem)}")
        else:
            self._said = ""
            if done:
                self._decided.set()
            return LOOK_EVERY if done else 1.0
        self._decided.set()
        return AGAIN_AFTER

    def _say_once(self, line: str) -> None:
        if line != self._said:
            self._say(line)
        self._said = line
