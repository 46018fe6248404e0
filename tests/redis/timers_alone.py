"""The timers process without any sweep; run as a program by processes.py."""

import logging
import os

from connector.clockwork.timers import Timers
from connector.queues import QUEUES
from connector.redis_server import connect

if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    Timers(connect(os.environ["REDIS_URL"]), QUEUES).work()
