"""Merging in a helpdesk whose merge form locks the ticket when it opens (Znuny)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from redis import Redis

from connector.core.contact import Contact
from connector.core.escalation import Escalation, State
from connector.core.ticket import Kind, Reading
from connector.core.wording import Reader
from connector.engine.engine import Engine
from connector.engine.keys import EPOCH
from connector.engine.operator import Operator
from connector.engine.proofs import Signatures
from connector.engine.store import Store
from connector.services import SystemClock

from ..core.builders import ANNA, BY_ANNA, PEOPLE, POLICY, Desk

MADE = datetime.now(UTC) - timedelta(minutes=11)


@pytest.fixture
def engine(redis: Redis) -> Engine:
    redis.set(EPOCH, "an-epoch")
    return Engine(
        store=Store(redis, timedelta(days=1)),
        policy=POLICY,
        people=PEOPLE,
        reader=Reader(UTC, {}),
        signatures=Signatures(["a-key-of-the-tests-0123456789abcdef"]),
        clock=SystemClock(),
        operator=Operator(redis),
        contact_of=lambda owner: Contact(owner.login, owner.name, owner.login),
    )


def desk(ticket_id: str, priority: str = "3 high") -> Desk:
    made = Desk()
    facts = replace(made.ticket.facts, priority=priority)
    made.ticket = replace(made.ticket, id=ticket_id, facts=facts, created_at=MADE, updated_at=MADE)
    return made


def seen(engine: Engine, desk: Desk) -> None:
    engine.observe(read(desk), MADE - timedelta(days=1))


def read(desk: Desk) -> Reading:
    return Reading(desk.ticket, tuple(desk.changes), datetime.now(UTC))


def merged(engine: Engine, target: Desk, opened: datetime) -> None:
    """Anna submits the form 20 seconds after she opened it."""
    engine.merge("42", read(target), BY_ANNA, opened + timedelta(seconds=20), MADE - timedelta(days=1))


def escalation(engine: Engine, ticket_id: str) -> Escalation:
    case = engine.store.case(ticket_id)
    assert case is not None
    assert case.escalation is not None
    return case.escalation


def test_who_opened_the_form_and_merged_has_acknowledged_nothing(engine: Engine) -> None:
    source, opened = desk("42"), datetime.now(UTC)
    seen(engine, source)
    engine.wake("42")
    source.marks(opened, BY_ANNA, Kind.LOCK)
    source.owned(opened, BY_ANNA, ANNA, with_lock=True)
    seen(engine, source)
    assert escalation(engine, "42").state is State.ACKNOWLEDGED
    merged(engine, desk("43", priority="1 low"), opened)
    moved = escalation(engine, "43")
    assert (moved.state, moved.acknowledged) == (State.RUNNING, None)
    assert moved.due_at is not None


def test_nor_when_the_target_has_an_escalation_of_its_own(engine: Engine) -> None:
    source, target, opened = desk("42"), desk("43"), datetime.now(UTC)
    seen(engine, source)
    seen(engine, target)
    source.marks(opened, BY_ANNA, Kind.LOCK)
    seen(engine, source)
    merged(engine, target, opened)
    ended = escalation(engine, "42")
    assert (ended.state, ended.acknowledged) == (State.RESOLVED, None)


def test_an_acknowledgement_for_certain_goes_along(engine: Engine) -> None:
    source, taken = desk("42"), datetime.now(UTC)
    seen(engine, source)
    source.owned(taken, BY_ANNA, ANNA)
    seen(engine, source)
    merged(engine, desk("43", priority="1 low"), taken)
    assert escalation(engine, "43").state is State.ACKNOWLEDGED
