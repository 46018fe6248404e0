"""Links of the chain that can be looked at without a probe: config, Redis, the parts of `up`, the web, the ways."""

import time
from collections.abc import Iterator
from pathlib import Path

import redis
import requests

from config.loader import digest_of
from config.settings import Settings

from ..clockwork import readiness
from ..clockwork.rq_health import Workers
from ..clockwork.watchdog import Seen, judge
from ..errors import ConfigError
from ..exclusive import alive
from ..probing import Finding, Result
from ..redis_server import connect, redis_url
from ..services import Services, build, build_channels, read_config
from . import REDIS_AWAY
from .common import Places, utc_now
from .providers import look_at_providers

TIMEOUT = (4.0, 10.0)  # seconds to connect, and between two bytes
STARTING = 5.0  # seconds after which what `up` has just started is at work
IDLE = ("epoch", "mode", "watchdog")  # reasons of /readyz that say that nobody is at work
RESULTS = {"ok": Result.RIGHT, "failed": Result.BROKEN, "not checked": Result.NOT_CHECKED}


def look_at_config(places: Places) -> tuple[Settings | None, Finding]:
    """The settings, where the config can be used."""
    loaded = read_config(places.config)
    mend = "`escalator check` says all that is wrong, with its mend."
    if loaded.settings is None:
        return None, Finding("config", Result.BROKEN, str(loaded.errors[0]), mend)
    try:
        build_channels(loaded.settings)
    except ConfigError as problem:
        return None, Finding("config", Result.BROKEN, str(problem), mend)
    if _runs_on_another(places.data, loaded.settings.digest):
        sentence = f"{places.config} was changed, and `escalator up` runs on what stood there before."
        return loaded.settings, Finding("config", Result.DOUBTFUL, sentence, "Send `up` a SIGHUP, or start it again.")
    return loaded.settings, Finding("config", Result.RIGHT, f"{places.config} can be used.")


def _runs_on_another(data: Path, digest: str) -> bool:
    """Whether the `up` of this data directory was started with other content."""
    running = [file for file in data.glob("running-*.yml") if alive(file.stem.removeprefix("running-"))]
    try:
        return any(digest_of(file.read_text(encoding="utf-8")) != digest for file in running)
    except OSError:
        return False


def open_redis(places: Places, settings: Settings) -> tuple[Services | None, Finding]:
    """All parts, where Redis is there."""
    try:
        connection = connect(redis_url(places.data))
        connection.ping()
        return build(settings, connection), Finding("redis", Result.RIGHT, "Redis answers.")
    except ConfigError as problem:
        return None, Finding("redis", Result.BROKEN, str(problem), "Start `escalator up`, or name its --data.")
    except redis.RedisError:
        sentence, _, mend = REDIS_AWAY.partition(". ")
        return None, Finding("redis", Result.BROKEN, f"{sentence}.", mend)


def look_at_processes(services: Services) -> Iterator[Finding]:
    """Timers, workers, watchdog; and what they themselves have found to be wrong. They may just have been started."""
    until = time.monotonic() + STARTING
    while True:
        reasons = readiness.reasons(services.store, services.operator)
        said = [*_stuck(services), *(str(one["message"]) for one in reasons if one["reason"] in IDLE)]
        if not said or time.monotonic() > until:
            break
        time.sleep(0.5)
    if said:
        mend = "Is `escalator up` running with this --data, or the Procfile with this REDIS_URL? Start it again."
        yield Finding("processes", Result.BROKEN, " ".join(said), mend)
    else:
        yield Finding("processes", Result.RIGHT, "Timers, workers and watchdog are at work.")
    told = [str(one["message"]) for one in reasons if one["reason"] in ("trouble", "overdue")]
    if told:
        yield Finding(
            "troubles", Result.DOUBTFUL, " ".join(told), "`escalator status` and /readyz say whether it ended."
        )


def _stuck(services: Services) -> list[str]:
    """What the watchdog would say of timers, workers and Redis at this moment, a sentence each."""
    connection, now = services.redis, utc_now()
    seen = Seen(
        now,
        begun=services.store.begun(),
        timers_age=readiness.timers_age(connection, now.timestamp()),
        queues=Workers(connection).look(),
        redis=connection.info(),
    )
    return [*judge(seen).values()]


def webhook_address(settings: Settings) -> str:
    """Where the helpdesk's webhooks go; "" without a public_url."""
    url = settings.service.public_url
    return f"{url.rstrip('/')}/webhooks/{settings.helpdesk.kind}" if url else ""


def look_at_web(settings: Settings) -> Iterator[Finding]:
    """Whether public_url leads to an Escalator, as seen from here."""
    url = settings.service.public_url
    if not url:
        sentence = "`service.public_url` isn't set: no links, no callbacks, and where webhooks go isn't known here."
        yield Finding("web", Result.NOT_CHECKED, sentence)
        return
    mend = "Is the proxy up, does it lead to `up`'s port, and does this host reach it?"
    try:
        with requests.Session() as session:
            health = session.get(f"{url.rstrip('/')}/healthz", timeout=TIMEOUT, allow_redirects=False)
            hook = session.get(webhook_address(settings), timeout=TIMEOUT, allow_redirects=False)
    except requests.exceptions.SSLError:
        yield Finding(
            "web", Result.BROKEN, f"The certificate of {url} is not trusted.", "Mend the proxy's certificate."
        )
        return
    except requests.RequestException:
        yield Finding("web", Result.BROKEN, f"Nothing answers at {url} from here.", mend)
        return
    if health.status_code != 200 or not _is_ours(health):
        yield Finding("web", Result.BROKEN, f"Something else than Escalator answers at {url}/healthz.", mend)
    elif hook.status_code != 405:  # only POST is taken there
        sentence = f"{url}/healthz leads to Escalator, and /webhooks/{settings.helpdesk.kind} does not."
        yield Finding("web", Result.BROKEN, sentence, "Have the proxy hand on every path.")
    else:
        yield Finding("web", Result.RIGHT, f"Escalator answers at {url}.")


def _is_ours(answer: requests.Response) -> bool:
    try:
        return bool(answer.json() == {"status": "ok"})
    except ValueError:
        return False


def look_at_ways(settings: Settings) -> Iterator[Finding]:
    """The providers behind the channels, as far as they can be asked without sending."""
    for one in look_at_providers(settings):
        yield Finding(f"channel {one.what}", RESULTS[one.result], one.sentence, one.mend)
