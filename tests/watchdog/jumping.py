"""The watchdog as its own process starts it, but its wall clock is ahead by what a file says."""

import os
import threading
import time
from pathlib import Path

from connector import watching
from connector.services import current

OFFSET = Path(os.environ["OFFSET"])


def wall() -> float:
    return time.time() + float(OFFSET.read_text() or 0)


def main() -> None:
    services = current()
    watch = watching.watch_of(services)
    watch.wall = wall
    while True:
        watch.look()
        services.redis.incr("jumping:looks")
        threading.Event().wait(1)


if __name__ == "__main__":
    main()
