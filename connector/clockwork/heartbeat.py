"""A sign of life to somebody outside, who raises the alarm when it stops: a GET each minute while all is well.

Whoever waits for it (Healthchecks.io, a dead man's switch of any monitoring) needs nothing but the request itself. The
address holds its secret in the path, so it stands in no log.
"""

import logging

import requests

from .. import outbound
from ..faults import describe

EVERY = 60.0  # seconds

log = logging.getLogger(__name__)


def beat(url: str, *, allow_private: bool = False) -> str:
    """Sends one. Returns "" when it was taken (any 2xx), else a sentence; redirects aren't followed. Never raises."""
    try:
        status = outbound.get(url, allow_private=allow_private)
    except outbound.AddressRefused as error:
        return f"The heartbeat's address leads to {error.args[0]}."
    except (requests.RequestException, ValueError) as error:
        log.warning("the heartbeat did not get out: %s", describe(error))
        return "The heartbeat's address does not answer."
    return "" if 200 <= status < 300 else f"The heartbeat's address answers with status {status}."
