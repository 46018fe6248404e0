"""Why a webhook never came, told from what an administrator of Zammad can see."""

from datetime import UTC, datetime
from typing import Any

import pytest

from connector.helpdesks.zammad.silence import why
from connector.probing import Silence

ADDRESS = "https://escalator.example.com/webhooks/zammad"
SILENT = Silence(ADDRESS, datetime(2026, 1, 31, 20, 0, tzinfo=UTC))
WEBHOOK = {"id": 7, "name": "Escalator", "endpoint": ADDRESS, "active": True}
TRIGGER = {
    "name": "Escalator: created",
    "active": True,
    "perform": {"notification.webhook": {"webhook_id": "7"}},  # Zammad gives back what it was sent: text or number
}


def tried(status: str, at: str = "2026-01-31T20:00:01.000Z", url: str = ADDRESS) -> dict[str, Any]:
    return {"url": url, "status": status, "created_at": at}


def test_a_webhook_that_goes_elsewhere_is_named_with_both_addresses_and_without_its_password() -> None:
    elsewhere = {**WEBHOOK, "endpoint": "https://user:hidden@old.example.com/webhooks/zammad?key=hidden"}
    said, mend = why(SILENT, [elsewhere], [TRIGGER], [])

    assert (
        said == f'Zammad\'s webhook "Escalator" goes to https://old.example.com/webhooks/zammad, and not to {ADDRESS}.'
    )
    assert "`escalator connect`" in mend


def test_others_webhooks_are_not_taken_for_ours() -> None:
    chat = {"id": 1, "name": "Team chat", "endpoint": "https://chat.example.com/hooks/1", "active": True}
    assert why(SILENT, [chat], [], [])[0] == f"Zammad has no webhook that goes to {ADDRESS}."


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("0", f"Zammad can't reach {ADDRESS}: there was no answer."),
        ("401", "Zammad's webhook is signed with another secret than the config has."),
        ("202", f"{ADDRESS} answered Zammad with 202, and this Escalator heard nothing."),
        ("502", f"{ADDRESS} answered Zammad with 502."),
    ],
)
def test_the_newest_try_since_the_probe_tells(status: str, said: str) -> None:
    logs = [tried(status), tried("200", at="2026-01-31T20:00:00.500Z")]
    assert why(SILENT, [WEBHOOK], [TRIGGER], logs)[0] == said


def test_tries_from_before_the_probe_and_to_others_tell_nothing() -> None:
    logs = [tried("500", url="https://chat.example.com/hooks/1"), tried("0", at="2026-01-31T19:59:00.000Z")]
    assert why(SILENT, [WEBHOOK], [TRIGGER], logs)[0].startswith("Zammad has not tried to send it")
