"""`redirect_to`: one contact gets it all, marked and with the name of whom it is meant for; answering works."""

from collections.abc import Iterator

import pytest
import requests

from ..stories.plans import LEE
from ..stories.world import eventually, said
from .recorded import RECORDINGS, Stage


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    world = Stage(tmp_path_factory.mktemp("redirected"), mode="rehearsal", redirect_to="lee")
    world.providers.twilio.on_call(LEE).press("1")
    try:
        world.start()
        yield world
    finally:
        world.stop()


@pytest.mark.timeout(200)
def test_the_link_in_a_marked_mail_answers_for_whom_it_is_meant(world: Stage) -> None:
    ticket = world.comes_in(RECORDINGS["ui_owner_chosen"])
    (mail,) = eventually(lambda: world.mails(ticket), 90, "a mail")
    assert mail.to == ("lee@example.com",)
    assert str(mail.message["subject"]).startswith("Rehearsal, for Dana Reyes: [E-")
    assert said(mail).startswith("Rehearsal, for Dana Reyes: Nobody has taken this ticket yet.")
    requests.post(world.link(ticket), timeout=10).raise_for_status()
    world.state(ticket, "acknowledged")
    assert world.shown(ticket)["acknowledged"]["by"] == "Dana Reyes"
    assert "email to Dana Reyes: accepted, sent to Lee Adams (rehearsal)" in history(world, ticket)


@pytest.mark.timeout(200)
def test_a_code_in_an_sms_takes_it_for_the_contact_and_ways_without_an_address_of_theirs_are_not_sent(
    world: Stage,
) -> None:
    ticket = world.comes_in(RECORDINGS["created_by_mail"])
    text = eventually(lambda: world.texts(ticket, LEE), 90, "a text")[0]
    assert text.body.startswith(f"Rehearsal, for Dana Reyes: {world.code(ticket)}: ticket ")
    world.providers.twilio.text_from(LEE, world.code(ticket))
    world.state(ticket, "acknowledged")
    assert world.shown(ticket)["acknowledged"] | {"at": ""} == {"by": "Lee Adams", "at": "", "via": "SMS"}
    not_sent = {words for words in history(world, ticket) if words.endswith(": not sent (rehearsal)")}
    assert {f"{way} to Dana Reyes: not sent (rehearsal)" for way in ("push", "pager")} <= not_sent


@pytest.mark.timeout(200)
def test_a_call_says_whom_it_is_meant_for_and_its_key_answers_for_them(world: Stage) -> None:
    ticket = world.comes_in(RECORDINGS["created_by_customer"])
    world.known(ticket)
    world.state(ticket, "acknowledged")
    (call,) = world.calls(ticket)
    assert call.to == LEE
    assert call.said[0] == "This is a rehearsal, meant for Dana Reyes."
    assert world.shown(ticket)["acknowledged"] | {"at": ""} == {"by": "Dana Reyes", "at": "", "via": "phone call"}


@pytest.mark.timeout(200)
def test_nobody_else_was_told_and_nothing_was_written(world: Stage) -> None:
    """After the tests before."""
    told = [text.to for text in world.providers.twilio.messages] + [call.to for call in world.providers.twilio.calls]
    assert set(told) <= {LEE}
    assert {to for mail in world.providers.smtp.mails for to in mail.to} <= {"lee@example.com"}
    assert {name: world.effects()[name] for name in ("pushes", "posts", "writes")} == dict.fromkeys(
        ("pushes", "posts", "writes"), 0
    )
    assert "Rehearsal: every message goes to Lee Adams instead" in world.said()


def history(world: Stage, ticket: str) -> list[str]:
    return [entry["text"] for entry in world.shown(ticket)["history"]]
