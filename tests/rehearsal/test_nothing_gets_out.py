"""A rehearsal has no way to write to the helpdesk or to send, whatever code asks for it."""

import inspect
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import responses
from redis import Redis

from config.settings import Settings
from connector.core.contact import Contact
from connector.helpdesks.zammad import build as build_zammad
from connector.ports import Helpdesk, Live, Message, Note, Purpose
from connector.rehearsing import NOT_SENT, READS, REHEARSED, Redirected, Silent, read_only
from connector.services import build, read_config

from ..helpdesks.zammad.test_adapter import OPTIONS as ZAMMAD
from .worlds import ByMobile, Played

#: What the port lets Escalator do to a ticket, each with something to do.
WRITES: dict[str, tuple[Any, ...]] = {
    "add_note": ("42", Note(("Escalation E-1A, step 1 of 2 (plan ladder)",))),
    "show": ("42", Live("running", "ladder", "1 of 2")),
    "assign": ("42", "dana@example.com"),
}
NOW = datetime(2026, 1, 31, 20, 15, tzinfo=UTC)


def test_each_method_of_a_helpdesk_either_reads_or_is_known_to_write() -> None:
    methods = {name for name, _ in inspect.getmembers(Helpdesk, inspect.isfunction) if not name.startswith("_")}
    assert methods == (READS | WRITES.keys()) - {"kind", "request_limit"}


@pytest.mark.parametrize("name", WRITES)
def test_no_writing_method_reaches_the_helpdesk(redis: Redis, name: str) -> None:
    world = Played(redis, rehearsal=True)
    with responses.RequestsMock() as mock:  # every request fails, and is counted
        helpdesk = read_only(build_zammad(ZAMMAD), world.store, world.signatures, world.clock)
        getattr(helpdesk, name)(*WRITES[name])
        assert len(mock.calls) == 0


def test_what_an_adapter_can_do_besides_the_port_is_out_of_reach(redis: Redis) -> None:
    world = Played(redis, rehearsal=True)
    zammad = build_zammad(ZAMMAD)
    helpdesk = read_only(zammad, world.store, world.signatures, world.clock)
    public = {name for name in dir(zammad) if not name.startswith("_")}
    reachable = {name for name in public if hasattr(helpdesk, name)}
    assert reachable <= READS | WRITES.keys()
    with pytest.raises(AttributeError, match="a rehearsal asks nothing of the helpdesk but"):
        helpdesk.close  # type: ignore[attr-defined]  # noqa: B018


def test_what_escalates_has_only_the_silent_ways_and_the_helpdesk_that_cant_be_written_to(
    redis: Redis, tmp_path: Path
) -> None:
    services = build(_settings(tmp_path), redis)
    assert {type(way) for way in services.delivery.channels.values()} == {Silent}
    helpdesks = (services.helpdesk, services.desk.helpdesk, services.observer.helpdesk, services.desk.notes.helpdesk)
    assert {type(one).__name__ for one in helpdesks} == {"_ReadOnly"}


def test_the_operator_is_still_told_for_real(redis: Redis, tmp_path: Path) -> None:
    services = build(_settings(tmp_path), redis)
    assert not any(isinstance(way, Silent) for way in services.operator.channels.values())
    assert list(services.operator.channels) == ["email"]


def test_a_silent_way_reaches_the_same_people_and_sends_nothing() -> None:
    way, dana = ByMobile("sms"), Contact("dana", "Dana Reyes", mobile="+491701234567")
    silent = Silent(way, rings=False)
    assert (silent.address(dana), silent.address(Contact("max", "Max"))) == ("+491701234567", "")
    receipt = silent.deliver(message(dana))
    assert (receipt.detail, receipt.final, receipt.provider_id) == (NOT_SENT, True, REHEARSED)
    assert silent.find(message(dana)) is None
    silent.hang_up("CA1")
    assert (way.tried, way.asked, way.hung_up) == (0, [], [])


def test_a_way_without_an_address_of_the_contact_who_gets_it_all_sends_nothing(redis: Redis) -> None:
    way, dana = ByMobile("sms"), Contact("dana", "Dana Reyes", mobile="+491701234567")
    world = Played(redis, rehearsal=True)
    lee = Contact("lee", "Lee Adams", email="lee@example.com")
    assert Redirected(way, False, lee, "en", world.store).deliver(message(dana)).detail == NOT_SENT
    assert way.tried == 0


def message(contact: Contact) -> Message:
    return Message("e-1a-1-1-0", Purpose.STEP, "E-1A", (contact,), sent_at=NOW)


def _settings(folder: Path) -> Settings:
    path = folder / "escalation.yml"
    path.write_text(
        """
helpdesk: {kind: zammad, url: "https://desk.example.com", token: EXAMPLE, webhook_secret: EXAMPLE}
service:
  mode: rehearsal
  secret_keys: [a-key-that-is-only-for-these-tests-1234]
  operator: {notify: dana, by: email}
channels: {email: {host: smtp.example.com, from: "Escalations <escalations@example.com>"}}
contacts: {dana: {name: Dana Reyes, email: dana@example.com}}
"""
    )
    loaded = read_config(path, {})
    assert loaded.settings is not None, loaded.problems
    return loaded.settings
