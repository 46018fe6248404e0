"""One note after its outcome was left open: its request was cut, or its writer killed before the answer came.

It is looked for at once by its proof. If it isn't there, the helpdesk may still be working on the request: it is looked
for again when the helpdesk's own limit for a request is over, and only then written again. So it stands there once;
twice at worst, where the helpdesk answered neither the request nor any look-up, and then it says so.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from ..errors import HelpdeskAway, HelpdeskRefused, PermissionLost
from ..ports import Helpdesk
from .records import DeskItem

LOOK_UPS = 3  # that fail in a row before a note is written without having been looked for
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)  # for one that was begun by an older version
DOUBT = "possibly sent twice: the helpdesk answered neither the first request nor the look-up"


class Waits(Exception):
    """It can't be said before `until` whether a note was written; only notes of its ticket wait."""

    def __init__(self, until: datetime) -> None:
        super().__init__("the helpdesk may still be working on the note")
        self.until = until


def is_open(item: DeskItem) -> bool:
    """Whether a request with this note may have reached the helpdesk."""
    return bool(item.attempts and item.lines and item.proof)


def begun(item: DeskItem, now: datetime) -> DeskItem:
    """Its request goes out now."""
    return replace(item, attempts=item.attempts + 1, begun_at=now)


def looked_up(helpdesk: Helpdesk, ticket_id: str, item: DeskItem, now: datetime) -> DeskItem | None:
    """None when an open note stands on the ticket; else the item as it is to be written, or to be tried again.

    Raises Waits while the helpdesk may still be working on it, and HelpdeskError as the port does.
    """
    over = (item.begun_at or LONG_AGO) + timedelta(seconds=helpdesk.request_limit)
    try:
        found = helpdesk.find_note(ticket_id, item.proof)
    except PermissionLost:
        raise
    except (HelpdeskAway, HelpdeskRefused):
        failed = replace(item, looked_in_vain=item.looked_in_vain + 1)
        if now < over or failed.looked_in_vain < LOOK_UPS or DOUBT in item.lines:
            raise LookUpFailed(failed) from None
        return replace(failed, lines=(*item.lines, DOUBT))
    if found is not None:
        return None
    if now < over:
        raise Waits(over)
    return replace(item, looked_in_vain=0)


class LookUpFailed(HelpdeskAway):
    """The helpdesk didn't answer the look-up; `item` counts it."""

    def __init__(self, item: DeskItem) -> None:
        super().__init__("The helpdesk could not say whether a note is there.")
        self.item = item
