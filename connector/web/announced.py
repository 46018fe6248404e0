"""What a message told of: the escalations behind its link."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ..core.case import Case
from ..core.plan import Policy
from ..engine.messages import announce
from ..engine.records import Link
from ..ports import Announced

if TYPE_CHECKING:
    from ..services import Services


def codes_of(link: Link) -> tuple[str, ...]:
    """The code of the first, which the message describes, then those of the others; each once."""
    return tuple(dict.fromkeys((link.code, *(code for _, code in link.also))))


def cases_of(services: Services, link: Link) -> list[Case]:
    """The tickets with these escalations as they are now, in order; what is forgotten is missing."""
    return [case for code in codes_of(link) if (case := case_of(services, code)) is not None]


def case_of(services: Services, code: str) -> Case | None:
    """The ticket with the escalation of this code, also after it was merged into another ticket."""
    found = services.engine.find(code)
    case = services.store.case(found[0]) if found is not None else None
    return case if case is not None and case.escalation is not None else None


def announced(cases: Iterable[Case], policy: Policy) -> tuple[Announced, ...]:
    """The same as a message tells of them."""
    return tuple(announce(case, case.escalation.code, policy) for case in cases if case.escalation is not None)
