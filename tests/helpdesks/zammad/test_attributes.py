"""The step and the next time as attributes of the ticket: written where they are there, and never read."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
import responses

from connector.core.ticket import Kind
from connector.errors import HelpdeskRefused
from connector.helpdesks.zammad import attributes, build
from connector.helpdesks.zammad.values import DUE, OURS, STEP, is_custom
from connector.ports import Helpdesk, Live
from connector.sandbox.zammad import SandboxZammad

from .composed import answer
from .served import API, OPTIONS

AT = datetime(2026, 11, 22, 20, 15, 42, 123456, UTC)
RUNNING = Live("running", "major-incident", "2 of 3", AT)
SHOWN = ("2 of 3 (major-incident)", "2026-11-22T20:15:00.000Z")
SCREENS = {"edit": {"ticket.agent": {"shown": True}}}


def with_attributes(zammad: SandboxZammad, *names: str) -> None:
    kinds: dict[str, dict[str, Any]] = {
        STEP: {"data_type": "input", "data_option": {"type": "text", "maxlength": 120}},
        DUE: {"data_type": "datetime", "data_option": {"future": True, "past": True}},
    }
    admin, own = zammad.caller(zammad.admin), zammad.setup.attributes
    for name in names:
        body = {"object": "Ticket", "name": name, "display": name, "active": True, "screens": SCREENS}
        own.create(admin, {**body, **kinds.get(name, kinds[STEP])})
    own.migrate()


def served_by(zammad: SandboxZammad) -> Helpdesk:
    return build({"url": zammad.url, "token": zammad.escalator.token, "webhook_secret": "EXAMPLE", "timeout": 10})


@pytest.fixture(scope="module")
def zammad() -> Iterator[SandboxZammad]:
    with SandboxZammad(delivery_delay=0.01) as running:
        with_attributes(running, *OURS)
        yield running


@pytest.fixture
def helpdesk(zammad: SandboxZammad) -> Helpdesk:
    return served_by(zammad)


@pytest.fixture
def ticket(zammad: SandboxZammad) -> str:
    return str(zammad.create_ticket(priority="3 high")["id"])


def stands(zammad: SandboxZammad, ticket: str) -> tuple[Any, Any]:
    row = zammad.ticket(ticket)
    return row[STEP], row[DUE]


def asked(zammad: SandboxZammad, ticket: str) -> dict[str, int]:
    """How often the ticket's own row was read and saved since the last look."""
    found = {f"{method}": zammad.faults.requests[f"{method} /api/v1/tickets/{ticket}"] for method in ("GET", "PUT")}
    zammad.faults.forget_requests()
    return found


def test_step_plan_and_the_next_time_stand_on_the_ticket_beside_the_tag(
    zammad: SandboxZammad, helpdesk: Helpdesk, ticket: str
) -> None:
    helpdesk.show(ticket, RUNNING)
    assert stands(zammad, ticket) == SHOWN
    assert zammad.tags(ticket) == ["escalation-running"]


def test_both_are_one_save_and_what_stands_there_already_is_none(
    zammad: SandboxZammad, helpdesk: Helpdesk, ticket: str
) -> None:
    zammad.faults.forget_requests()
    helpdesk.show(ticket, RUNNING)
    assert asked(zammad, ticket) == {"GET": 1, "PUT": 1}
    helpdesk.show(ticket, replace(RUNNING, due_at=AT.replace(second=59)))
    assert asked(zammad, ticket) == {"GET": 1, "PUT": 0}


def test_they_are_emptied_when_the_escalation_ends(zammad: SandboxZammad, helpdesk: Helpdesk, ticket: str) -> None:
    helpdesk.show(ticket, RUNNING)
    helpdesk.show(ticket, Live("acknowledged", "major-incident", "2 of 3"))
    assert stands(zammad, ticket) == (SHOWN[0], None)
    helpdesk.show(ticket, Live())
    assert stands(zammad, ticket) == (None, None)


def test_a_zammad_without_them_is_asked_for_none(ticket: str) -> None:
    with SandboxZammad() as bare:
        ticket, helpdesk = str(bare.create_ticket()["id"]), served_by(bare)
        helpdesk.read(ticket)
        bare.faults.forget_requests()
        helpdesk.show(ticket, RUNNING)
        assert asked(bare, ticket) == {"GET": 0, "PUT": 0}
        assert bare.tags(ticket) == ["escalation-running"]


def test_they_are_used_as_soon_as_they_are_there_without_a_restart_of_ours() -> None:
    with SandboxZammad() as bare:
        ticket, helpdesk = str(bare.create_ticket()["id"]), served_by(bare)
        helpdesk.read(ticket)
        with_attributes(bare, *OURS)
        helpdesk.read(ticket)
        helpdesk.show(ticket, RUNNING)
        assert stands(bare, ticket) == SHOWN


def test_where_only_one_of_them_is_there_that_one_is_written() -> None:
    with SandboxZammad() as half:
        with_attributes(half, DUE)
        ticket = str(half.create_ticket()["id"])
        served_by(half).show(ticket, RUNNING)
        assert half.ticket(ticket)[DUE] == SHOWN[1]
        assert attributes.missing(half.ticket(ticket)) == [STEP]


# --- never read ------------------------------------------------------------------------------------------------------


def test_what_we_write_there_is_no_change_of_the_ticket(zammad: SandboxZammad, helpdesk: Helpdesk, ticket: str) -> None:
    before = helpdesk.read(ticket)
    helpdesk.show(ticket, RUNNING)
    after = helpdesk.read(ticket)
    assert [change.kind for change in after.changes if change.kind is not Kind.TAG] == [
        change.kind for change in before.changes
    ]
    assert (after.ticket.mark, after.ticket.facts.fields) == (before.ticket.mark, before.ticket.facts.fields)
    assert helpdesk.rows([ticket])[0].mark == before.ticket.mark


def test_an_open_screen_writes_old_values_back_and_nobody_takes_that_for_work(
    zammad: SandboxZammad, helpdesk: Helpdesk, ticket: str
) -> None:
    screen = zammad.open_screen(ticket)
    helpdesk.show(ticket, RUNNING)
    before = helpdesk.read(ticket)
    zammad.save_screen(screen, by=zammad.alice)
    after = helpdesk.read(ticket)
    assert not any(stands(zammad, ticket))
    assert [line for line in zammad.history(ticket) if line.get("attribute") in OURS][2:], "Zammad's own history has it"
    assert after.changes == before.changes
    assert after.ticket.mark == before.ticket.mark
    helpdesk.show(ticket, RUNNING)
    assert stands(zammad, ticket) == SHOWN


def test_what_a_customer_puts_there_over_the_api_is_no_change_either(
    zammad: SandboxZammad, helpdesk: Helpdesk, ticket: str
) -> None:
    before = helpdesk.read(ticket)
    zammad.change(ticket, zammad.cathy, **{STEP: "done", DUE: "2030-01-01T00:00:00Z"})
    assert helpdesk.read(ticket).changes == before.changes


def test_an_administrators_own_attributes_are_read_as_before() -> None:
    row = answer("attr_get")
    assert is_custom("escalation_step")
    assert row["escalation_step"] == "2 of 4"
    assert not attributes.there(row)
    assert not any(is_custom(name) for name in OURS)


def test_nothing_of_ours_comes_back_as_a_webhook() -> None:
    with SandboxZammad(delivery_delay=0.01, retry_waits=()) as zammad:
        with_attributes(zammad, *OURS)
        zammad.set_up_webhook("http://127.0.0.1:9/hook", "EXAMPLE")
        ticket = str(zammad.create_ticket()["id"])
        assert zammad.deliveries.wait(20)
        sent = len(zammad.deliveries.log)
        served_by(zammad).show(ticket, RUNNING)
        assert zammad.deliveries.wait(20)
        assert len(zammad.deliveries.log) == sent


def test_where_an_older_trigger_sends_our_own_save_back_the_reading_says_nothing_new() -> None:
    with SandboxZammad(delivery_delay=0.01, retry_waits=()) as zammad:
        with_attributes(zammad, *OURS)
        zammad.set_up_webhook("http://127.0.0.1:9/hook", "EXAMPLE")
        [updated] = [row for row in zammad.desk.tables["triggers"].values() if "updated" in row["name"]]
        everything = {"ticket.action": {"operator": "is not", "value": "create"}}
        zammad.setup.save(zammad.caller(zammad.admin), "triggers", updated["id"], {"condition": everything})
        ticket, helpdesk = str(zammad.create_ticket()["id"]), served_by(zammad)
        helpdesk.show(ticket, RUNNING)
        before = helpdesk.read(ticket)
        assert zammad.deliveries.wait(20)
        sent = len(zammad.deliveries.log)

        helpdesk.show(ticket, replace(RUNNING, step="3 of 3"))

        assert zammad.deliveries.wait(20)
        assert len(zammad.deliveries.log) == sent + 1
        after = helpdesk.read(ticket)
        assert (after.changes, after.ticket.mark) == (before.changes, before.ticket.mark)
        zammad.faults.forget_requests()
        helpdesk.show(ticket, replace(RUNNING, step="3 of 3"))
        assert asked(zammad, ticket) == {"GET": 1, "PUT": 0}, "and so it ends there"


# --- odd answers -----------------------------------------------------------------------------------------------------


def test_a_process_of_zammads_that_was_not_restarted_takes_the_save_and_keeps_nothing() -> None:
    row = {**answer("attr_get"), **dict.fromkeys(OURS)}
    with responses.RequestsMock() as mock:
        mock.add("GET", f"{API}/tags", json={"tags": ["escalation-running"]})
        mock.add("GET", f"{API}/tickets/19", json=row)
        mock.add("PUT", f"{API}/tickets/19", json=answer("attr_set"))
        with pytest.raises(HelpdeskRefused, match=r"escalator_step and escalator_due: .* has to be restarted"):
            build(OPTIONS).show("19", RUNNING)


@pytest.mark.parametrize(
    ("due", "saved"),
    [
        ("2026-11-22T20:15:00.000Z", False),
        ("2026-11-22T21:15:00.000+01:00", False),
        ("2026-11-22T20:15:42.000Z", True),
        ("tomorrow", True),
        (None, True),
        (7, True),
    ],
)
def test_a_time_is_compared_as_a_time(due: object, saved: bool) -> None:
    assert (DUE in attributes.changes({STEP: SHOWN[0], DUE: due}, RUNNING)) is saved


def test_a_long_plan_name_is_cut_to_what_the_column_takes() -> None:
    changes = attributes.changes({STEP: None}, Live("running", "p" * 200, "1 of 3"))
    assert len(changes[STEP] or "") == attributes.LONGEST == 120
