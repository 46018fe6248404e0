"""The campaign's teeth: each planted bug must turn a short one red, and the same without any bug is clean."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .acts import Act, deaths_at
from .campaign import Report, run
from .crowd import Crowd
from .together import Shifts, TogetherWorld
from .world import ChaosWorld, mobile

TAKERS = {"acts": ("take",), "after": (1.6, 3.0)}


@dataclass(frozen=True)
class Tooth:
    """A bug of inside/chaos_bugs.py: what brings it to light, and which findings it must lead to (any of them)."""

    bug: str
    act: Act
    wrong: tuple[str, ...]
    people: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    slow: float = 0.0  # seconds that Twilio takes
    receipts: bool = True  # a receipt also proves a try whose answer was lost
    settle: float = 25.0
    together: bool = False  # several tickets in one message


def _quiet(seconds: float) -> Act:
    return deaths_at(seconds=seconds)


TEETH = (
    Tooth("claim dropped", _quiet(15), ("doubled",), slow=0.6),
    Tooth("lease too short", _quiet(15), ("doubled",), slow=1.5),
    Tooth(
        "claim after an acknowledgement",
        deaths_at("sending claimed", seconds=12, pause=1.0),
        ("begun after an acknowledgement",),
        people=TAKERS,
        options={"lease": 16},
        settle=40,
    ),
    Tooth("commit in two", deaths_at("commit written", seconds=20), ("never ended", "steps lost", "notes missing")),
    Tooth("note look-up off", deaths_at("note taken", seconds=15), ("doubled",)),
    Tooth(
        "text look-up off",
        deaths_at("text taken", seconds=15),
        ("doubled",),
        options={"lease": 4},
        receipts=False,
    ),
    Tooth(
        "message not asked for",
        deaths_at("text taken", "call taken", seconds=20),
        ("told twice",),
        people={"acts": ("nothing",), "apart": 1.5},
        options={"lease": 4, "silent": True},
        receipts=False,
        settle=60,
        together=True,
    ),
    Tooth(
        "key 1 takes the first alone",
        _quiet(15),
        ("announced and not taken",),
        people={"acts": ("nothing",), "apart": 1.5},
        settle=60,
        together=True,
    ),
    Tooth("nothing overdue is woken", deaths_at("wake begun", seconds=15), ("never ended", "steps lost")),
)


def bite(tooth: Tooth, seed: int, *, planted: bool = True) -> Report:
    """A short campaign with this bug, or the same one without it."""

    def act(world: Any, crowd: Any, report: Report) -> None:
        world.twilio.pause = tooth.slow
        for number in range(0 if tooth.receipts else len(world.people)):
            world.twilio.on_sms(mobile(number)).no_receipt()
        tooth.act(world, crowd, report)

    return run(
        tooth.bug if planted else f"as for {tooth.bug}, without it",
        seed,
        act,
        people={"apart": 0.6, **tooth.people},
        bug=tooth.bug if planted else "",
        settle=tooth.settle if planted else 120.0,
        place=TogetherWorld if tooth.together else ChaosWorld,
        living=Shifts if tooth.together else Crowd,
        **tooth.options,
    )


def bitten(tooth: Tooth, report: Report) -> bool:
    """Whether the campaign has seen the bug."""
    return any(report.findings.wrong[kind] for kind in tooth.wrong)
