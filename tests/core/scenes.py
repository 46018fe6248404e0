"""What leads to each kind of note: every scene is all that Escalator asked for, up to the note that it is about."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from connector.core.events import (
    Acknowledge,
    Claim,
    Command,
    CustomerWrote,
    GroupSet,
    Outcome,
    OwnerSet,
    Receipt,
    Unlocked,
    WriteNote,
)
from connector.core.plan import Policy
from connector.core.words import Words

from .builders import (
    ANNA,
    BEN,
    BY_ANNA,
    BY_BEN,
    BY_DANA,
    CUSTOMER,
    MAJOR,
    MINOR,
    MINUTE,
    POLICY,
    SYSTEM,
    Desk,
    Story,
    Watch,
    at,
    running,
)

Scene = Callable[[], list[Command]]
SCENES: dict[str, Scene] = {}


def scene(play: Scene) -> Scene:
    SCENES[play.__name__.replace("_", " ")] = play
    return play


def begun(policy: Policy = POLICY) -> Watch:
    """Its first step has fired, and told Dana."""
    watch = Watch(policy=policy)
    watch.looks(at(0, 1))
    watch.looks(at(10))
    watch.tells("dana", "push", at(10, 1))
    watch.looks(at(10, 2))
    return watch


def up_to(kind: str, commands: list[Command]) -> list[Command]:
    """These commands up to the first note of this kind."""
    kinds = [command.kind if isinstance(command, WriteNote) else "" for command in commands]
    return commands[: kinds.index(kind) + 1]


def quiet() -> Watch:
    """A ticket without a plan."""
    desk = Desk()
    desk.ticket = replace(desk.ticket, facts=replace(desk.ticket.facts, priority="1 low"))
    watch = Watch(desk)
    watch.looks(at(1))
    return watch


def writes(watch: Watch, line: str, minutes: float = 11) -> list[Command]:
    watch.desk.article(at(minutes), BY_BEN, line)
    watch.looks(at(minutes, 1))
    return watch.commands


def taken() -> Story:
    story = running()
    story.happens(Acknowledge(BY_ANNA, at(11), "take"), at(11))
    story.happens(OwnerSet(ANNA, at(11), BY_ANNA), at(11))
    return story


@scene
def a_step() -> list[Command]:
    story = running()
    story.send("dana", "push", at(10, 1))
    return story.commands


@scene
def a_step_without_outcomes() -> list[Command]:
    story = running(replace(MAJOR, rounds=2))
    story.until(at(20))
    story.send("dana", "sms", at(20, 1), wait=60)
    story.fail("lead", "sms", at(20, 1))
    story.until(at(25, 1))
    story.tick(at(25, 40))
    return story.commands


@scene
def a_call_and_a_doubt() -> list[Command]:
    story = running(MAJOR, ANNA)
    story.until(at(15))
    call, sms = story.one("login:anna@example.com", "phone"), story.one("login:anna@example.com", "push")
    story.happens(Claim(call.id, at(15, 30)), at(15, 1))
    story.happens(Outcome(call.id, Words("accepted"), sent=True, wait=60), at(15, 2))
    story.happens(Claim(sms.id, at(15, 30)), at(15, 1))
    story.happens(Outcome(sms.id, Words("accepted"), sent=True, arrived=True, doubt=True), at(15, 3))
    story.happens(Receipt(call.id, Words("answered, key {key} pressed", key="5"), arrived=True), at(15, 9))
    story.tick(at(15, 9))
    return story.commands


@scene
def a_step_that_reaches_nobody() -> list[Command]:
    story = running(replace(MAJOR, unassigned=()))
    story.tick(at(10, 1))
    return story.commands


@scene
def the_last_step() -> list[Command]:
    story = running(replace(MINOR, give_up_after=5 * MINUTE))
    story.send("dana", "push", at(30, 1))
    return story.commands


@scene
def the_helpdesk_is_away() -> list[Command]:
    story = running()
    story.tick(at(15), read_at=at(10))
    story.tick(at(15, 3), read_at=at(10))
    story.tick(at(15, 40))
    return story.commands


@scene
def acknowledged() -> list[Command]:
    story = running()
    story.happens(Acknowledge(BY_DANA, at(11), "phone call", "dana", outside=True), at(11))
    return story.commands


@scene
def put_off() -> list[Command]:
    watch = begun()
    return writes(watch, "/snooze 30m")


@scene
def put_off_again() -> list[Command]:
    watch = begun()
    writes(watch, "/snooze 30m")
    return writes(watch, "/snooze 2h", 12)


@scene
def the_time_has_come() -> list[Command]:
    watch = begun()
    writes(watch, "/snooze 30m")
    watch.looks(at(41, 1))
    return watch.commands


@scene
def handed_to_a_colleague() -> list[Command]:
    story = taken()
    story.happens(OwnerSet(BEN, at(20), BY_ANNA), at(20))
    return story.commands


@scene
def handed_to_nobody() -> list[Command]:
    story = taken()
    story.happens(OwnerSet(None, at(20), SYSTEM), at(20))
    return story.commands


@scene
def handed_to_a_group() -> list[Command]:
    story = taken()
    story.happens(GroupSet("2nd Level", at(20), BY_ANNA), at(20))
    return story.commands


@scene
def only_a_form() -> list[Command]:
    story = running()
    story.happens(Acknowledge(BY_ANNA, at(11), "lock", provisional=True), at(11))
    story.happens(Unlocked(BY_ANNA, at(12)), at(12))
    return story.commands


@scene
def still_on_it() -> list[Command]:
    story = running(replace(MAJOR, acknowledged_for=timedelta(hours=4)))
    story.happens(Acknowledge(BY_ANNA, at(11), "take"), at(11))
    story.tick(at(251))
    return story.commands


@scene
def no_answer() -> list[Command]:
    story = running(replace(MAJOR, acknowledged_for=timedelta(hours=4)))
    story.happens(Acknowledge(BY_ANNA, at(11), "take"), at(11))
    story.tick(at(251))
    story.tick(at(266))
    return story.commands


@scene
def nobody_came() -> list[Command]:
    story = running()
    story.until(at(35))
    return story.commands


@scene
def nobody_to_be_told() -> list[Command]:
    story = running(replace(MAJOR, when_exhausted=None))
    story.until(at(35))
    return story.commands


@scene
def it_matters_more_now() -> list[Command]:
    story = running()
    story.until(at(35))
    story.happens(CustomerWrote(at(40), CUSTOMER), at(40))
    return story.commands
