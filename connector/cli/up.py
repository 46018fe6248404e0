"""`escalator up`: everything in one go, supervised."""

import contextlib
import http.client
import logging
import os
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import click
import redis

from config.loader import digest_of
from config.settings import Settings

from .. import helpdesks, queues
from ..beginning import Beginning, IsLive, may_rehearse
from ..errors import ConfigError, EscalatorError
from ..exclusive import alive
from ..redis_server import check_url, connect, prepare, redis_url
from ..redis_watch import watch_redis
from ..services import build_channels, config_path, read_config
from ..supervisor import LISTEN, Process, Supervisor
from .words import in_rehearsal

WORKERS = 2  # processes that send; each makes 32 calls at a time
WEB_WORKERS = 2
WEB_THREADS = 64  # a slow client keeps one for up to 15 s


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=int, envvar="PORT", default=8000, show_default=True, help="Port to listen on.")
@click.option(
    "--data", type=click.Path(path_type=Path), default=Path("data"), show_default=True, envvar="ESCALATOR_DATA"
)
@click.option("--config", type=click.Path(path_type=Path), default=None, help="The config file.")
@click.option("--workers", type=click.IntRange(1, 32), default=WORKERS, show_default=True, help="Sending processes.")
def up(host: str, port: int, data: Path, config: Path | None, workers: int) -> None:
    """Run receiver, workers, timers and sweep; without REDIS_URL also a Redis that keeps its data in --data."""
    logging.getLogger("connector").addHandler(logging.NullHandler())  # `up` itself says its lines, and says them once
    path = config or config_path()
    settings = usable(path)
    if settings is None:
        sys.exit(2)
    environ = {"ESCALATOR_CONFIG": str(path.absolute()), "ESCALATOR_DATA": str(data.absolute())}
    os.environ.update(environ)
    url = os.environ.get("REDIS_URL", "")
    if url:
        check_url(url)
    make(data)
    rehearsal = settings.service.rehearsal
    if rehearsal and not _may_rehearse(data, url):
        sys.exit(2)
    running = data.absolute() / f"running-{os.getpid()}.yml"
    os.environ["ESCALATOR_RUNNING"] = str(running)
    if not keep(running, path, settings):
        sys.exit(2)
    supervisor = Supervisor(
        processes(data, url, settings, workers, (host, port)),
        data,
        lambda: reload(running, path),
        _say,
        listen=(host, port),
    )
    if rehearsal:
        _say(in_rehearsal(settings))
    threading.Thread(target=_look_at_helpdesk, args=(settings,), daemon=True).start()
    watched = (redis_url(data), lambda: running_settings(settings), _say)
    threading.Thread(target=watch_redis, args=watched, daemon=True).start()
    try:
        sys.exit(supervisor.run())
    finally:
        running.unlink(missing_ok=True)


def reload(running: Path, path: Path) -> bool:
    """Whether the edited config is good; from then on it is what processes start with."""
    settings = usable(path)
    if settings is None:
        return False
    if settings.service.mode != running_settings(settings).service.mode:
        _say("`service.mode` has changed: stop `escalator up` and start it again.")
        return False
    return keep(running, path, settings)


def _may_rehearse(data: Path, url: str) -> bool:
    """Whether nothing live would be lost, as far as it can be told now; else that is said."""
    try:
        may_rehearse(data, connect(url) if url else None)
    except IsLive as problem:
        click.echo(str(problem), err=True)
        return False
    except redis.RedisError:
        return True  # once it answers it is looked at again, before anything begins
    return True


def running_settings(otherwise: Settings) -> Settings:
    """The config that the processes run on, as it was found good last."""
    running = os.environ.get("ESCALATOR_RUNNING")
    try:
        text = Path(running).read_text(encoding="utf-8") if running else None
    except OSError:
        text = None
    loaded = read_config(config_path(), text=text) if text is not None else None
    return loaded.settings if loaded is not None and loaded.settings is not None else otherwise


def keep(running: Path, path: Path, settings: Settings) -> bool:
    """Keeps the content that was found good beside the data, for processes that start again later."""
    text = path.read_text(encoding="utf-8-sig")
    if digest_of(text) != settings.digest:
        _say(f"{path} was changed while it was read: try again.")
        return False
    for left in running.parent.glob("running-*"):  # of an `up` that was killed
        if not alive(left.stem.removeprefix("running-")):
            left.unlink(missing_ok=True)
    new = running.with_suffix(".new")
    new.touch(mode=0o600)
    new.write_text(text, encoding="utf-8")
    new.replace(running)
    return True


def make(data: Path) -> None:
    """The data directory, only for us. Raises ConfigError when it can't be had or written to."""
    try:
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        usable_by_us = os.access(data, os.W_OK | os.X_OK)
    except OSError:
        usable_by_us = False
    if not usable_by_us:
        raise ConfigError(f"--data {data} can't be used: name a directory that Escalator may write to.")


def _look_at_helpdesk(settings: Settings) -> None:
    """Says so when the helpdesk can't be used; what happens there meanwhile is found by the sweep."""
    try:
        helpdesks.discover()[settings.helpdesk.kind].build(dict(settings.helpdesk.options)).about()
    except EscalatorError as problem:
        _say(f"The helpdesk can't be used right now: {problem} Escalator starts all the same.")


def usable(path: Path) -> Settings | None:
    """The settings, or None with all that is wrong with them said."""
    loaded = read_config(path)
    for problem in loaded.problems:
        click.echo(str(problem), err=True)
    if loaded.settings is None:
        return None
    try:
        build_channels(loaded.settings)
    except ConfigError as problem:
        click.echo(str(problem), err=True)
        return None
    return loaded.settings


def processes(
    data: Path, url: str, settings: Settings, workers: int, address: tuple[str, int] = ("127.0.0.1", 0)
) -> list[Process]:
    """What is supervised, in the order of starting; the Procfile has the same. `address` is where the web answers."""
    python = [sys.executable, "-m"]
    first: list[Process] = []
    if not url:
        redis = prepare(data)
        url = redis.url
        first.append(Process("redis", redis.command, ready=redis.ready, restart_on_reload=False, patience=30.0))
    beginning = Beginning(url, data, lambda: running_settings(settings), _say)
    senders = ["deliver"] if workers == 1 else [f"deliver{n + 1}" for n in range(workers)]
    environ = {"REDIS_URL": url}
    web_ready = (lambda: answers(*address)) if address[1] else None  # port 0: only the supervisor knows it
    return [
        *first,
        Process("timers", [*python, "connector.ticking"], environ, ready=beginning.ready),
        Process("work", [*python, "connector.worker", queues.WORK], environ),
        Process("desk", [*python, "connector.worker", queues.DESK], environ, patience=70.0),
        *(Process(name, [*python, "connector.worker", queues.DELIVER], environ, patience=40.0) for name in senders),
        Process("watchdog", [*python, "connector.watching"], environ),
        Process("web", [*python, "gunicorn", *gunicorn_options(), "wsgi:app"], environ, ready=web_ready),
    ]


def answers(host: str, port: int) -> bool:
    """Whether the web answers; the socket alone takes connections before anybody reads them."""
    everywhere = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104  # compared, not bound
    connection = http.client.HTTPConnection(everywhere.get(host, host), port, timeout=0.5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def gunicorn_options() -> Sequence[str]:
    """Threads, so that slow clients don't stop the others; no access log, since paths hold tokens."""
    here = Path(__file__).resolve().parents[2]
    return (
        f"--bind={LISTEN}",
        f"--workers={WEB_WORKERS}",
        "--worker-class=connector.web.serving.PatientWorker",
        f"--threads={WEB_THREADS}",
        f"--chdir={here}",
        "--timeout=60",
        "--graceful-timeout=10",
        "--keep-alive=5",
        "--log-level=warning",
        "--no-control-socket",
    )


def _say(line: str) -> None:
    with contextlib.suppress(OSError):  # the log's disk is full, or nobody reads it any more: no reason to end
        click.echo(line)
