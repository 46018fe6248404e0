"""Scripts that Redis runs as one step: sent once, then called by their digest."""

import hashlib
from collections.abc import Sequence
from typing import Any

from redis.exceptions import NoScriptError


class Script:
    """A Lua script for the busiest paths; the others are sent as they are each time."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._digest = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()

    def __call__(self, redis: Any, keys: Sequence[str], *arguments: Any) -> Any:
        """Its answer. Raises redis.RedisError."""
        try:
            return redis.evalsha(self._digest, len(keys), *keys, *arguments)
        except NoScriptError:  # a Redis that was started since, or another master
            return redis.eval(self._text, len(keys), *keys, *arguments)
