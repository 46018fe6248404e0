"""More scenes: another plan, what people ask for by commands, and how it ends."""

from dataclasses import replace

from connector.core.events import Closed, Command, MovedHere
from connector.core.leaving_out import leave_out
from connector.core.plan import Criteria, Rule
from connector.core.ticket import Kind, Phase

from .builders import ANNA, BEN, BY_ANNA, BY_BEN, BY_DANA, CUSTOMER, POLICY, SYSTEM, at, running
from .scenes import SCENES, begun, quiet, scene, up_to, writes

__all__ = ["SCENES"]


@scene
def another_plan() -> list[Command]:
    watch = begun()
    watch.desk.sets(at(11), CUSTOMER, Kind.PRIORITY, "2 normal")
    watch.looks(at(11, 1))
    return watch.commands


@scene
def no_plan() -> list[Command]:
    watch = begun()
    watch.desk.sets(at(11), BY_BEN, Kind.PRIORITY, "1 low")
    watch.looks(at(11, 1))
    return watch.commands


@scene
def a_plan_again() -> list[Command]:
    watch = begun()
    watch.desk.sets(at(11), BY_BEN, Kind.PRIORITY, "1 low")
    watch.looks(at(11, 1))
    watch.desk.sets(at(13), BY_BEN, Kind.PRIORITY, "3 high")
    watch.looks(at(13, 1))
    return watch.commands


@scene
def stopped() -> list[Command]:
    return writes(begun(), "/stop")


@scene
def escalated() -> list[Command]:
    return writes(begun(), "/escalate")


@scene
def another_plan_by_hand() -> list[Command]:
    return up_to("plan-changed", writes(begun(), "/escalate minor"))


@scene
def told_a_moment_ago() -> list[Command]:
    return writes(begun(), "/escalate minor")


@scene
def why() -> list[Command]:
    return writes(begun(), "/why")


@scene
def why_it_is_quiet() -> list[Command]:
    watch = begun()
    writes(watch, "/snooze 30m")
    return writes(watch, "/why", 12)


@scene
def why_by_a_rule() -> list[Command]:
    rule = Rule(Criteria(group=("Network",), title=("outage",), vip=False), "major", line=42)
    return writes(begun(replace(POLICY, rules=(rule,))), "/why")


@scene
def not_understood() -> list[Command]:
    return writes(begun(), "/snoze 30m")


@scene
def snoozed_for_how_long() -> list[Command]:
    return writes(begun(), "/snooze until tomorrow")


@scene
def nothing_to_escalate() -> list[Command]:
    return writes(quiet(), "/escalate")


@scene
def reopened() -> list[Command]:
    watch = begun()
    watch.desk.state(at(11), SYSTEM, Phase.CLOSED)
    watch.looks(at(11, 1))
    watch.desk.state(at(12), CUSTOMER, Phase.OPEN)
    watch.looks(at(12, 1))
    return watch.commands


@scene
def merged() -> list[Command]:
    story = running()
    story.happens(MovedHere("43", at(11), BY_ANNA), at(11))
    return story.commands


@scene
def left_out() -> list[Command]:
    return [*leave_out(running().escalation, at(15, 51))[1]]


@scene
def closed() -> list[Command]:
    watch = begun()
    watch.looks(at(15))
    watch.tells("dana", "phone", at(15, 1))
    watch.desk.owned(at(16), BY_ANNA, ANNA)
    watch.looks(at(16, 1))
    watch.desk.owned(at(20), BY_ANNA, BEN)
    watch.looks(at(20, 1))
    watch.looks(at(30))
    watch.tells("login:ben@example.com", "push", at(30, 1))
    watch.desk.article(at(31), BY_DANA, "/ack")
    watch.looks(at(31, 1))
    watch.tells("login:ben@example.com", "push", at(31, 2))
    watch.desk.state(at(50), BY_DANA, Phase.CLOSED)
    watch.looks(at(50, 1))
    return watch.commands


@scene
def closed_in_time() -> list[Command]:
    story = running()
    story.happens(Closed(at(12), CUSTOMER), at(12))
    return story.commands
