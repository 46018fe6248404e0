"""All that a job in Redis may run: short name -> function. Whoever writes to Redis can't call anything else.

A job's arguments are ids; it looks at the truth before it acts, and may be called twice, late, or for nothing.
"""

from collections.abc import Callable
from typing import Any


def ping() -> None:
    """Does nothing: shows that a worker takes jobs."""


JOBS: dict[str, Callable[..., Any]] = {
    "ping": ping,
}
