"""Bugs to be planted in the processes of a chaos world: each one must turn the campaign red."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import redis.client

from channels import email, http_post, phone, push, sms
from connector.clockwork.sweep import Sweep
from connector.core import receipts, sending, transition
from connector.core.escalation import Stage
from connector.core.events import Claim
from connector.engine import answering
from connector.engine.messages import Messages
from connector.helpdesks.zammad.adapter import Zammad
from connector.points import reached


def shorten_leases(seconds: float) -> None:
    for channel in (email.Email, http_post.HttpPost, phone.Phone, push.Push, sms.Sms):
        channel.lease = seconds


def claim_dropped() -> None:
    """Whoever wants to send may, also while somebody else is sending."""

    def claim(escalation: Any, event: Any, now: Any) -> Any:
        found = sending.find(escalation, event.id)
        if found is None or found.stage is Stage.ENDED:
            return escalation, ()
        return sending.with_notification(escalation, replace(found, stage=Stage.CLAIMED, at=event.until)), ()

    for rules in (transition.ALWAYS, transition.LIVE, transition.TAKEN, transition.ENDED, *transition.TABLE.values()):
        rules[Claim] = claim  # type: ignore[index]


def claim_after_acknowledgement() -> None:
    """An acknowledgement doesn't keep what was under way from being begun again."""
    sending.wanted = receipts.wanted = lambda escalation, notification: True


def lease_too_short() -> None:
    """Over before a provider has answered."""
    shorten_leases(0.3)


def commit_in_two() -> None:
    """The record is written first, and what belongs to it a moment later."""
    whole = redis.client.Pipeline.execute

    def execute(self: Any, raise_on_error: bool = True) -> Any:
        stack = list(self.command_stack)
        first = stack[0][0] if stack else ()
        if len(stack) < 2 or not self.watching or first[0] != "SET" or b"case:" not in str(first[1]).encode():
            return whole(self, raise_on_error)
        self.command_stack = stack[:1]
        done = whole(self, raise_on_error)
        reached("commit written")
        self.command_stack = stack[1:]
        return [*done, *whole(self, raise_on_error)]

    redis.client.Pipeline.execute = execute  # type: ignore[method-assign]


def note_not_looked_for() -> None:
    """A note whose answer was lost is written again."""
    Zammad.find_note = lambda self, ticket_id, proof: None  # type: ignore[method-assign]


def text_not_looked_for() -> None:
    """A text whose answer was lost is sent again."""
    sms.Sms.find = lambda self, message: None  # type: ignore[method-assign]


def message_not_asked_for() -> None:
    """What was asked of a provider about several tickets, and what it answered, is forgotten with its sender."""
    kept = Messages.kept

    def nothing_asked(self: Messages, id: str) -> Any:
        bundle = kept(self, id)
        return replace(bundle, message=None, outcome=None) if bundle is not None else None

    Messages.kept = nothing_asked  # type: ignore[method-assign]


def key_takes_the_first() -> None:
    """Who is told of several tickets at once takes one of them."""
    answering._each = lambda targets: list(targets)


def nothing_woken() -> None:
    """A job that was lost with its worker stays lost."""
    Sweep.overdue = lambda self: 0  # type: ignore[method-assign]


BUGS: dict[str, Callable[[], None]] = {
    "claim dropped": claim_dropped,
    "claim after an acknowledgement": claim_after_acknowledgement,
    "lease too short": lease_too_short,
    "commit in two": commit_in_two,
    "note look-up off": note_not_looked_for,
    "text look-up off": text_not_looked_for,
    "message not asked for": message_not_asked_for,
    "key 1 takes the first alone": key_takes_the_first,
    "nothing overdue is woken": nothing_woken,
}
