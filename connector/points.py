"""Named points between two effects. In production nothing happens there; tests/chaos kills the process at each."""

from collections.abc import Callable

POINTS = (
    "webhook proved",
    "webhook stored",
    "callback proved",
    "callback answered",
    "commit decided",
    "commit written",
    "wake begun",
    "wake done",
    "ticket read",
    "reading taken in",
    "hint forgotten",
    "group taken",
    "bundle kept",
    "part claimed",
    "sending claimed",
    "sending composed",
    "pace entered",
    "sending asked",
    "message kept",
    "outcome known",
    "sending accepted",
    "part recorded",
    "sending recorded",
    "note begun",
    "note looked for",
    "note answered",
    "note crossed off",
    "live state shown",
    "jobs moved",
    "overdue woken",
    "sweep found",
    "sweep hinted",
)


def _nothing(point: str) -> None:  # noqa: ARG001  it is what production does
    return


_watcher: Callable[[str], None] = _nothing


def reached(point: str) -> None:
    """The code has come to this point, one of POINTS."""
    _watcher(point)


def watch(watcher: Callable[[str], None]) -> None:
    """Has `watcher` called at each point of this process from now on."""
    global _watcher
    _watcher = watcher
