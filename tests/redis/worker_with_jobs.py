"""The worker, with a few jobs that tests can watch; run as a program by processes.py."""

import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from connector import queues
from connector.engine import drain as drains
from connector.jobs import JOBS
from connector.redis_server import connect
from connector.worker import main

redis = connect(os.environ["REDIS_URL"])


def note(key: str) -> None:
    """Writes down when it ran, and waits nowhere."""
    redis.rpush(key, repr(time.time()))


def fail(secret: str) -> None:
    raise ValueError(f"+4915112345678 {secret}")


def again(key: str) -> None:
    """Arms itself under its own id, once."""
    if redis.rpush(key, repr(time.time())) == 1:
        pipe = redis.pipeline()
        pipe.multi()
        queues.arm(pipe, queues.WORK, "again", [key], "again-1", time.time() + 0.3)
        pipe.execute()


def linger(key: str) -> None:
    """Runs until the process is asked to end, then a little longer."""
    redis.rpush(key, "started")
    queues.stopping.wait(30)
    redis.rpush(key, "ended")


def stay(key: str) -> None:
    """Runs for ever, the first time."""
    if redis.rpush(key, repr(time.time())) == 1:
        time.sleep(60)


def outlive(key: str) -> None:
    """Ends though its call goes on, until the process is asked to end; the call then needs threads of its own."""

    def call() -> None:
        linger(key)
        time.sleep(1)  # as an answer takes, and so long that an idle process would have ended
        with ThreadPoolExecutor(1) as pool:
            pool.submit(redis.rpush, key, "answered").result()

    drains.DRAIN_FOR = 0.2
    drains.Drain(lambda busy, _: {} if busy else {"call": call}, 1, "test").run()


JOBS.update(note=note, fail=fail, again=again, linger=linger, stay=stay, outlive=outlive)

if __name__ == "__main__":
    main(sys.argv[1:])
