"""A sign of life to somebody outside, who raises the alarm when it stops: a GET each minute while all is well.

Whoever waits for it (Healthchecks.io, a dead man's switch of any monitoring) needs nothing but the request itself. The
address holds its secret in the path, so it stands in no log.
"""

import logging

import requests

from ..faults import describe

EVERY = 60.0  # seconds
TIMEOUT = (4.0, 10.0)  # seconds to connect, and between two bytes

log = logging.getLogger(__name__)


def beat(url: str) -> str:
    """Sends one. Returns "" when it was taken (any 2xx), else a sentence; redirects aren't followed. Never raises."""
    try:
        with requests.Session() as session:
            session.trust_env = False
            answer = session.get(url, timeout=TIMEOUT, allow_redirects=False, stream=True)
            answer.close()
    except (requests.RequestException, ValueError) as error:
        log.warning("the heartbeat did not get out: %s", describe(error))
        return "The heartbeat's address does not answer."
    if not 200 <= answer.status_code < 300:
        return f"The heartbeat's address answers with status {answer.status_code}."
    return ""
