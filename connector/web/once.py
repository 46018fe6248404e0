"""What one call or SMS asks for is done once.

Twilio's signature holds no time (https://www.twilio.com/docs/usage/security), so a copy of yesterday's callback is as
genuine as the first: it would take whatever is open today. Twilio gives each call and SMS an id of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..engine.keys import PREFIX

if TYPE_CHECKING:
    from ..services import Services

_SID = re.compile(r"[A-Za-z0-9]{1,64}")


def once(services: Services, sid: str, act: Callable[[], str]) -> str:
    """What `act` said for this call or SMS the first time; one without an id is done each time.

    Remembered only afterwards: a request that failed in the middle is done when Twilio tries again. Raises what `act`
    raises, and redis.RedisError.
    """
    if _SID.fullmatch(sid) is None:
        return act()
    key = f"{PREFIX}answered:{sid}"
    said = services.redis.get(key)
    if isinstance(said, bytes):
        services.store.count("callbacks_repeated")
        return said.decode()
    sentence = act()
    services.redis.set(key, sentence.encode("utf-8", "replace"), ex=services.settings.service.keep)
    return sentence
