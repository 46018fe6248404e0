"""The chain from the helpdesk to a person and back, looked at link by link; a probe ticket goes round it once.

What one link is found to be doesn't end the walk, unless nothing behind it could be looked at.
"""

from collections.abc import Generator, Iterator
from dataclasses import dataclass, field, replace

from .. import helpdesks
from ..errors import HelpdeskAway, HelpdeskError
from ..probing import Allowed, Finding, Probes, Result
from .common import Places, build_helpdesk
from .links import look_at_config, look_at_processes, look_at_ways, look_at_web, open_redis
from .round import CREDENTIALS, REACH, RIGHTS, Asked, Round
from .unnamed import look_at_agents
from .words import in_rehearsal

PROBED = "But you asked for a probe: that ticket is made and written to."


@dataclass
class Chain:
    """`probe`: id, number and title of the ticket, once there is one."""

    places: Places
    asked: Asked
    probe: dict[str, str] = field(default_factory=dict)

    def walk(self) -> Generator[Finding, None, None]:
        """Every link as it is found. Closes the probe also when it is left in the middle."""
        loaded, found = look_at_config(self.places)
        yield found
        if loaded is None:
            return
        services, found = open_redis(self.places, loaded)
        yield found
        if services is not None and loaded.service.rehearsal:
            services = replace(services, helpdesk=build_helpdesk(loaded))
            yield Finding("mode", Result.RIGHT, f"{in_rehearsal(loaded)} {PROBED}")
        if services is not None:
            yield from look_at_processes(services)
        yield from look_at_web(loaded)
        probes: Probes = helpdesks.probes_of(loaded.helpdesk.kind).build(dict(loaded.helpdesk.options))
        try:
            allowed = probes.allowed()
        except HelpdeskError as problem:
            mend = REACH if isinstance(problem, HelpdeskAway) else CREDENTIALS
            yield Finding("helpdesk", Result.BROKEN, str(problem), mend)
        else:
            yield from _judge(allowed, [one.login for one in loaded.contacts.values()])
            if services is not None:
                yield from look_at_agents(services.redis, loaded)
                yield from Round(self.asked, services, probes, allowed, self.probe).walk()
        yield from look_at_ways(loaded)


def _judge(allowed: Allowed, contacts: list[str]) -> Iterator[Finding]:
    if allowed.login.casefold() in (login.casefold() for login in contacts):
        sentence = (
            f"It answers and knows us as {allowed.login}, who is also a contact: what they do never acknowledges."
        )
        yield Finding("helpdesk", Result.DOUBTFUL, sentence, "Give Escalator a user of its own: `escalator connect`.")
    else:
        yield Finding("helpdesk", Result.RIGHT, f"It answers, and knows us as {allowed.login}.")
    if allowed.lacking:
        yield Finding("rights", Result.BROKEN, allowed.lacking, RIGHTS)
    elif allowed.too_much:
        yield Finding("rights", Result.DOUBTFUL, allowed.too_much, "`escalator connect` makes a user with the least.")
    elif not allowed.told:
        sentence = "The helpdesk tells nobody's rights: what is done with the probe shows them."
        yield Finding("rights", Result.NOT_CHECKED, sentence)
    else:
        yield Finding("rights", Result.RIGHT, "It may read, create and change, and no more.")
