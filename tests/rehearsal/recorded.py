"""Recorded tickets played again, in rehearsal and live: on a sandbox helpdesk, with a real `escalator up`."""

import subprocess
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from connector.cli.explaining import STEP, Explained, Known, explained
from connector.clockwork.sweep import SWEPT
from connector.core.plan import Plan
from connector.core.timetable import LATE
from connector.core.wording import duration
from connector.helpdesks.zammad import build as build_zammad
from connector.redis_server import connect, redis_url
from connector.sandbox.zammad import SandboxZammad
from connector.services import build_channels, read_config

from ..contract.zammad_before import before
from ..helpdesks.zammad.composed import Row, composed
from ..stories.plans import plan, step
from ..stories.world import READY_WITHIN, World, escalator, eventually

AT_ONCE = -1.0
READS, SEARCH = ("GET", "HEAD"), "POST /api/v1/tickets/search"  # a search is a read whose question is long
TROUBLE = "Escalator needs you"  # subject of what the operator is told, in a rehearsal, too
ACTED_WITHIN = 90.0  # seconds; other tests may keep the machine busy

PLANS: dict[str, dict[str, Any]] = {
    "climbs": plan(
        "1s",
        step("owner", "push", otherwise="sms"),
        step("owner", "sms", "2s"),
        step("owner", "phone", "2s"),
        step(["max", "lee"], ["sms", "phone"], "2s", otherwise="email"),  # nothing of this reaches Max but mail
        give_up_after="2s",
    ),
    "rounds": plan(
        "2s",
        step("owner", ["push", "sms", "email", "pager"]),
        step("lee", "sms", "2s"),
        rounds=2,
        again_after="3s",
        give_up_after="1s",
    ),
    "owned": plan("1s", step("owner", "sms"), step(["owner", "lee"], "email", "3s"), give_up_after="2s"),
    "unheard": plan("1s", step("max", "push"), step("lee", "email", "5m")),  # no device: the next step comes at once
    "calm": plan("1s", step("owner", "email"), step("owner", "email", "5m")),
    "later": plan("10m", step("owner", "email"), step("lee", "sms", "5m"), rounds=2),
}
RULES: list[dict[str, Any]] = [
    {"when": {"title": "no-escalation"}, "plan": "none"},
    {"when": {"title": "Server outage", "group": "Network", "priority": "3 high"}, "plan": "climbs"},
    {"when": {"title": "Server outage", "group": "2nd Level", "priority": "2 normal"}, "plan": "calm"},
    {"when": {"title": "Straße down", "priority": "2 normal"}, "plan": "rounds"},
    {"when": {"title": "zzz"}, "plan": "owned"},
    {"when": {"title": "nonascii"}, "plan": "unheard"},
    {"when": {"title": ["second", "third", "UI"], "priority": "3 high"}, "plan": "calm"},
    {"when": {"title": "urgent", "priority": "3 high"}, "plan": "later"},
]
Act = Callable[[SandboxZammad, str], object]


@dataclass(frozen=True)
class Recording:
    """A captured delivery: its ticket as it was before, and what somebody did to it once its first step had come.

    `ends` is the state in which it comes to rest.
    """

    name: str
    ends: str
    act: Act | None = None

    @property
    def row(self) -> Row:
        it = composed(f"captured/{self.name}")
        return (before(it) or it).ticket


RECORDINGS = {
    one.name: one
    for one in (
        Recording("created_by_customer", "exhausted"),
        Recording("created_by_mail", "exhausted"),
        Recording("created_assigned_by_another_trigger", "exhausted"),
        Recording("trigger_with_a_non_ascii_name", "running"),
        Recording("created_raised_by_another_trigger", "waiting"),
        Recording("macro_in_bulk", "acknowledged", lambda desk, id: desk.run_macro([id], by=desk.alice)),
        Recording("ui_macro_in_the_ticket", "acknowledged", lambda desk, id: desk.run_macro_in_ticket(id, desk.alice)),
        Recording("ui_owner_chosen", "acknowledged", lambda desk, id: desk.take(id, by=desk.alice)),
        Recording(
            "ui_internal_note_with_command", "acknowledged", lambda desk, id: desk.internal_note(id, desk.bob, "/ack")
        ),
        Recording("ui_closed_without_owner", "resolved", lambda desk, id: desk.close(id, by=desk.alice)),
        Recording("closed", "resolved", lambda desk, id: desk.close(id, by=desk.bob)),
        Recording("merged_target", "cancelled", lambda desk, id: desk.change(id, by=desk.alice, priority="2 normal")),
    )
}


@dataclass(frozen=True)
class Played:
    """What became of one ticket. Moments are seconds after the ticket came in."""

    steps: Sequence[tuple[str, str, float | None]]  # kind, words, when it was due (None: when somebody did it)
    told: Mapping[tuple[str, str, str], int]  # who, by which channel, why it couldn't be
    end: str
    ahead: Sequence[tuple[float, str, tuple[str, ...], tuple[str, ...]]]  # as `explain` told it when it came in

    def told_by(self, channel: str) -> int:
        """How many messages went out by this channel, or would have."""
        return sum(times for (_, way, missing), times in self.told.items() if way == channel and not missing)


class Stage(World):
    """A world in which recorded tickets come in, with `service` as a rehearsal has it, or not."""

    def __init__(self, directory: Path, **service: Any) -> None:
        super().__init__(directory)
        self.service = service

    def start_up(self, patience: float = READY_WITHIN) -> None:
        super().start_up(patience)

    def config(self) -> dict[str, Any]:
        known = super().config()
        contacts = {name: known["contacts"][name] for name in ("dana", "bob", "lee")}
        contacts["max"] = {"name": "Max Moritz", "email": "max@example.com"}
        service = {**known["service"], **self.service}
        return {**known, "service": service, "contacts": contacts, "plans": PLANS, "rules": RULES}

    def comes_in(self, recording: Recording) -> str:
        """The recorded ticket as the sandbox has it: the same title, priority, group, and owner from the start."""
        row = recording.row
        owners = {"bob@example.com": self.desk.bob}
        made = self.desk.create_ticket(
            row["title"], priority=row["priority"], group=row["group"], owner=owners.get(row["owner"])
        )
        return str(made["id"])

    def explained(self, ticket: str) -> Explained:
        """What `escalator explain` says of a ticket that nobody has taken in yet."""
        settings = read_config(self.directory / "escalation.yml", {}).settings
        assert settings is not None
        reading = build_zammad(dict(settings.helpdesk.options)).read(ticket)
        return explained(settings, build_channels(settings), reading, Known())

    def play(self) -> dict[str, Played]:
        """All recordings: they come in one after the other, and everybody does their part once it is time."""
        ids, ahead = {}, {}
        for name, recording in RECORDINGS.items():
            ids[name] = self.comes_in(recording)
            ahead[name] = self.explained(ids[name])
        for name, recording in RECORDINGS.items():
            if recording.act is not None:
                eventually(lambda id=ids[name]: self._fired(id), ACTED_WITHIN, f"the first step of {name}")
                recording.act(self.desk, ids[name])
        return {name: self._played(recording, ids[name], ahead[name]) for name, recording in RECORDINGS.items()}

    def _fired(self, ticket: str, step: int = 1) -> bool:
        answer = self._shown(ticket)
        return answer.status_code == 200 and answer.json()["step"] >= step

    def _played(self, recording: Recording, ticket: str, ahead: Explained) -> Played:
        def rests() -> bool:
            shown = self._shown(ticket)
            if shown.status_code != 200 or shown.json()["state"] != recording.ends:
                return False
            ended = recording.ends != "running" or shown.json()["step"] == shown.json()["steps"]
            return ended and (recording.ends != "exhausted" or _told_that_nobody_came(shown.json()))

        eventually(rests, ACTED_WITHIN, lambda: f"{recording.name}: {self._shown(ticket).text}")
        shown = self.shown(ticket)
        assert ahead.plan is not None
        return Played(tuple(_steps(shown, ahead.plan)), _told(shown), shown["state"], tuple(_ahead(ahead)))

    def write_config(self) -> None:
        with (self.directory / "escalation.yml").open("w", encoding="utf-8") as file:
            YAML(typ="safe").dump(self.config(), file)

    def swept(self) -> object:
        """What the last sweep has left."""
        connection = connect(redis_url(self.directory / "data", {}))
        try:
            return connection.get(SWEPT)
        finally:
            connection.close()

    def effects(self) -> dict[str, int]:
        """What the providers and the helpdesk were asked to do."""
        asked = self.desk.faults.requests
        return {
            "texts": len(self.providers.twilio.messages),
            "calls": len(self.providers.twilio.calls),
            "pushes": len(self.providers.apns.pushes),
            "mails": sum(mail.message["subject"] != TROUBLE for mail in self.providers.smtp.mails),
            "posts": len(self.providers.http_post.received),
            "writes": sum(times for what, times in asked.items() if what.split()[0] not in READS and what != SEARCH),
        }

    def run(self, *words: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            escalator(*words), env={**self.environ, "COLUMNS": "200"}, capture_output=True, text=True, timeout=100
        )

    def said(self) -> str:
        return (self.directory / "up.log").read_text()


def _told_that_nobody_came(shown: dict[str, Any]) -> bool:
    """Whether the last of it has happened: who is told that nobody came has heard of it."""
    kinds = [entry["kind"] for entry in shown["history"]]
    after = shown["history"][kinds.index("exhausted") :]
    return any(entry["kind"] == "notification" and entry["contact"] == "Lee Adams" for entry in after)


def _steps(shown: dict[str, Any], plan: Plan) -> list[tuple[str, str, float | None]]:
    """A step that came more than 5 s late moves all that follow: that is taken off, since it is the machine's doing.

    One that was brought forward came as soon as it could: AT_ONCE.
    """
    begun, found, moved, wanted = _moment(shown["created_at"]), [], timedelta(0), iter(_timetable(plan))
    for entry in shown["history"]:
        if entry["kind"] in ("notification", "note"):
            continue
        due = None
        if "late_s" in entry:
            late = timedelta(seconds=entry["late_s"])
            due = round((_moment(entry["at"]) - late - moved - begun).total_seconds(), 2)
            due = due if due > next(wanted) - 0.1 else AT_ONCE
            moved += late if late > LATE else timedelta(0)
        found.append((entry["kind"], entry["text"], due))
    return found


def _timetable(plan: Plan) -> Iterator[float]:
    """When each step of each round is due, in seconds after the ticket came in."""
    at = plan.respond_within
    for round_ in range(plan.rounds):
        for number, each in enumerate(plan.steps):
            at += plan.pause_between_rounds if round_ and not number else each.after
            yield at.total_seconds()


def _told(shown: dict[str, Any]) -> Mapping[tuple[str, str, str], int]:
    """A call ends when the phone has rung twice, which takes its time: those are left out here."""
    told = [entry for entry in shown["history"] if entry["kind"] == "notification"]
    return Counter(
        (entry["contact"], entry["channel"], entry["outcome"] if "no address" in entry["outcome"] else "")
        for entry in told
        if entry["channel"] != "phone" or "no address" in entry["outcome"]
    )


def _ahead(told: Explained) -> list[tuple[float, str, tuple[str, ...], tuple[str, ...]]]:
    begun = told.ticket.created_at
    return [
        (round((one.at - begun).total_seconds(), 2), ", ".join(who.name for who in one.people), one.by, one.otherwise)
        for one in told.coming
        if one.kind == STEP
    ]


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def table(rehearsed: Mapping[str, Played], live: Mapping[str, Played]) -> str:
    """For people: each ticket with what was rehearsed and what live then did."""
    lines = []
    for name in rehearsed:
        lines.append(f"{name}: {rehearsed[name].end} / {live[name].end}")
        for one, other in zip(rehearsed[name].steps, live[name].steps, strict=False):
            when = "at once" if one[2] == AT_ONCE else duration(timedelta(seconds=one[2])) if one[2] is not None else ""
            lines.append(f"  {when:>8}  {one[0]}: {one[1]}{'' if one == other else f'  |  live: {other}'}")
    return "\n".join(lines)
