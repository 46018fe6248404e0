"""All senders die while Twilio is being asked to send: what Twilio has isn't sent again, what it hasn't is sent."""

import time

from ..stories.world import eventually
from .outage import DANA, Outage

LEASE = 20.0  # seconds; channels.sms.Sms.lease


def test_a_try_whose_sender_died_is_settled_within_its_lease_and_a_question(world: Outage) -> None:
    world.twilio.deliver_to = "http://127.0.0.1:9"  # no receipt gets through: Twilio must be asked
    world.twilio.pause = 20.0
    taken = world.ticket("once", title="Twilio has it")
    world.first_text(taken)
    world.twilio.answer_with("hang")
    lost = world.ticket("once", title="Twilio has it not")
    eventually(lambda: world.under_way(lost), 15, "a claim")
    assert world.under_way(taken)

    began = time.monotonic()
    for _ in world.processes("deliver"):
        world.kill("deliver")
    world.twilio.pause, world.twilio.deliver_to, asked = 0.0, "", world.twilio.asked
    world.twilio.works_again()  # a sender that died between its claim and its call has left the trouble for others
    for ticket in (taken, lost):
        eventually(lambda ticket=ticket: world.outcomes(ticket), LEASE + 15, "an outcome")
    settled = time.monotonic() - began

    print(f"\nkill -9 all senders in mid-call: settled after {settled:.1f} s (lease {LEASE:.0f} s)")
    assert [len(world.texts(ticket, DANA)) for ticket in (taken, lost)] == [1, 1]
    assert world.twilio.asked >= asked + 2
    assert "possibly sent twice" not in "".join(entry.text for t in (taken, lost) for entry in world.history(t))
    assert settled <= LEASE + 10
