"""Storms of hints while escalations climb: a moved customer and a saved SLA, each over thousands of open tickets."""

import json
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from connector.clockwork.sweep import SWEPT
from connector.core.code import code_of
from connector.core.ticket import Facts, Phase, Reading, Ticket
from connector.engine.keys import BEHIND, HINTS, KNOWN
from connector.ports import Row
from connector.services import Services

from . import stage as stages
from . import waiting

STEPS = 20
EVERY = 0.5  # seconds between two new tickets
EVER = datetime.fromtimestamp(0, UTC)
PROCESSES = ["timers", "work", "deliver1", "web"]


@dataclass(frozen=True)
class Storm:
    """Seconds, and calls to the helpdesk. `digested`: from the storm's begin until nothing waits to be looked at."""

    tickets: int
    calm_p50: float
    calm_latest: float
    storm_p50: float
    storm_latest: float
    earliest: float
    digested: float
    searches: int
    readings: int
    most_at_once: int


def measure(directory: Path, tickets: int, progress: Callable[[str], None]) -> Storm:
    progress(f"hints: a helpdesk with {tickets:,} open tickets")
    with (
        stages.beside("tests.bench.crowded_helpdesk", str(tickets)) as helpdesk,
        stages.beside("tests.bench.slow_twilio", "0.05") as twilio,
    ):
        there = json.loads(stages.line(helpdesk))
        config = stages.config({"url": there["url"], "token": there["token"]}, stages.line(twilio))
        config["helpdesk"]["timeout"] = 120.0  # the sandbox has no index, and searches on what is left of the cores
        with stages.Stage(directory, config, PROCESSES) as stage:
            services = stage.services
            write_known(services)
            stage.also("desk")  # which would read each of them
            stages.eventually(lambda: services.store.redis.exists(SWEPT), 120)
            progress("hints: steps in calm")
            calm = climb(stage, helpdesk, "calm")
            stages.ask(helpdesk, "calls")
            progress("hints: a saved SLA, a moved customer, and a hint for each ticket")
            stages.ask(helpdesk, "move")
            stages.ask(helpdesk, "sla")
            began = time.time()
            for start in range(0, tickets, 500):
                services.store.hints.add(there["ids"][start : start + 500])
            services.sweep.ask_for_helpdesk()
            storm = climb(stage, helpdesk, "storm")
            progress("hints: until nothing waits")
            stages.eventually(lambda: digested(services, began), 900)
            took = time.time() - began
            calls = stages.ask(helpdesk, "calls")
    return Storm(
        tickets=tickets,
        calm_p50=stages.quantile(calm, 0.5),
        calm_latest=max(calm),
        storm_p50=stages.quantile(storm, 0.5),
        storm_latest=max(storm),
        earliest=min(*calm, *storm),
        digested=took,
        searches=calls.get("searches", 0),
        readings=calls.get("readings", 0),
        most_at_once=calls["most_at_once"],
    )


def write_known(services: Services) -> None:
    """Every ticket as it would be known after having been read, by the store's own writer."""
    rows = list(services.helpdesk.find_changed(EVER))
    waiting.write(services, [known(row) for row in rows], False, lambda _: None)


def known(row: Row) -> Reading:
    facts = Facts("2 normal", "Network", "An old matter", row.organization)
    at = row.updated_at
    ticket = Ticket(row.ticket_id, f"58{row.ticket_id}", "", facts, "new", Phase.OPEN, at, at, mark=row.mark)
    return Reading(ticket, (), at)


def climb(stage: stages.Stage, helpdesk: Any, name: str) -> list[float]:
    """Seconds from due to fired of the first step of some new tickets."""
    made = []
    for number in range(STEPS):
        answer = stages.ask(helpdesk, f"Server outage {name} {number} (soon)")
        made.append(answer["id"])
        post(stage.port, answer["body"].encode())
        time.sleep(EVERY)
    found: list[float] = stages.eventually(lambda: fired(stage, made), stages.WINDOW + 120)
    return found


def post(port: int, body: bytes) -> None:
    url, headers = f"http://127.0.0.1:{port}/webhooks/zammad", {"X-Hub-Signature": stages.signed(body)}
    asked = urllib.request.Request(url, body, {**headers, "Content-Type": "application/json"})
    with urllib.request.urlopen(asked, timeout=30):
        return


def fired(stage: stages.Stage, tickets: list[str]) -> list[float]:
    late = []
    for ticket, case in stage.services.store.cases(tickets).items():
        steps = [entry for entry in stage.services.store.history(code_of(ticket)) if entry.kind == "step"]
        if steps:
            late.append(steps[0].at.timestamp() - case.ticket.created_at.timestamp() - stages.WINDOW)
    return late if len(late) == len(tickets) else []


def digested(services: Services, began: float) -> bool:
    redis = services.store.redis
    swept = json.loads(redis.get(SWEPT) or b"{}")
    through = not swept.get("unfinished") and datetime.fromisoformat(swept["at"]).timestamp() > began
    return through and not any(redis.zcard(key) for key in (HINTS, KNOWN, BEHIND))
