"""Jobs that somebody has written into Redis: a real worker runs what `jobs.JOBS` lists, and nothing else."""

import json
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
from redis import Redis

from connector import queues
from connector.redis_server import EmbeddedRedis
from tests.redis.processes import python, until


class Springs:
    """Makes a file when it is unpickled."""

    def __init__(self, file: str) -> None:
        self.file = file

    def __reduce__(self) -> tuple[Callable[[str], object], tuple[str]]:
        return exec, (f"open({self.file!r}, 'w')",)


def data(name: object, *args: object) -> bytes:
    return json.dumps([name, None, list(args), {}]).encode()


#: attack -> what is changed about a job, with the file that it would make
SMUGGLED: dict[str, Callable[[str], dict[str, bytes | str]]] = {
    "a shell": lambda file: {"data": data("os.system", f"touch {file}")},
    "a process": lambda file: {"data": data("subprocess.call", ["touch", file])},
    "a builtin": lambda file: {"data": data("builtins.exec", f"open({file!r}, 'w')")},
    "something of ours that is no job": lambda file: {"data": data("connector.cli.up.make", file)},
    "a job by its dotted name": lambda file: {"data": data("connector.jobs.ping")},
    "an attribute of a job": lambda file: {"data": data("ping.__globals__")},
    "a method of an instance": lambda file: {"data": json.dumps(["touch", file, [], {}]).encode()},
    "a pickle": lambda file: {"data": pickle.dumps(Springs(file))},
    "a callback of success": lambda file: {"data": data("ping"), "success_callback_name": "pathlib.Path.touch"},
    "a callback of failure": lambda file: {"data": data("os.nothing"), "failure_callback_name": "pathlib.Path.touch"},
    "a job of a thousand arguments": lambda file: {"data": data("ping", *range(1000))},
    "a job that repeats itself": lambda file: {"data": data("os.nothing"), "retries_left": "1000000"},
    "a name of a megabyte": lambda file: {"data": data("x" * 1_000_000)},
}


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "worker.log"


@pytest.mark.parametrize("attack", SMUGGLED)
def test_it_is_not_run_and_the_next_listed_job_is(
    redis: Redis, redis_server: EmbeddedRedis, tmp_path: Path, log: Path, attack: str
) -> None:
    sprung = tmp_path / "sprung"
    for id in ("smuggled", "listed"):
        with redis.pipeline() as pipe:
            pipe.multi()
            queues.enqueue(pipe, queues.WORK, "ping", [], id)
            pipe.execute()
    redis.hset("rq:job:smuggled", mapping=SMUGGLED[attack](str(sprung)))
    with python("-m", "connector.worker", queues.WORK, url=redis_server.url, log=log):
        until(lambda: not redis.exists("rq:job:listed"), within=60)
    assert not sprung.exists()
    said = log.read_text()
    assert "Traceback" not in said
    assert str(sprung) not in said
    assert len(said) < 10_000


def test_a_queue_of_nonsense_is_worked_off(redis: Redis, redis_server: EmbeddedRedis, log: Path) -> None:
    for nonsense in (b"", b"\xff\xfe", b"../../etc/passwd", b"x" * 100_000, b"no-such-job"):
        redis.rpush(queues.queue_key(queues.WORK), nonsense)
    with redis.pipeline() as pipe:
        pipe.multi()
        queues.enqueue(pipe, queues.WORK, "ping", [], "listed")
        pipe.execute()

    def start() -> None:
        """A supervisor starts a worker again that ends."""
        with python("-m", "connector.worker", queues.WORK, url=redis_server.url, log=log) as worker:
            until(lambda: worker.poll() is not None or not redis.exists("rq:job:listed"), within=60)

    until(lambda: start() or not redis.exists("rq:job:listed"), within=100)
    assert "Traceback" not in log.read_text()


def test_nobody_stops_a_worker_through_redis(redis: Redis, redis_server: EmbeddedRedis, log: Path) -> None:
    """RQ's workers take commands (`shutdown`, `stop-job`) from a channel in Redis; ours listen to none."""
    with python("-m", "connector.worker", queues.WORK, url=redis_server.url, log=log) as worker:
        until(lambda: redis.smembers("rq:workers"), within=60)
        [name] = redis.smembers("rq:workers")
        channel = f"rq:pubsub:{name.decode().removeprefix('rq:worker:')}"
        assert redis.publish(channel, json.dumps({"command": "shutdown"})) == 0
        with redis.pipeline() as pipe:
            pipe.multi()
            queues.enqueue(pipe, queues.WORK, "ping", [], "listed")
            pipe.execute()
        until(lambda: not redis.exists("rq:job:listed"), within=60)
        assert worker.poll() is None
