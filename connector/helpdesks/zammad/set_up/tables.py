"""The rows of Zammad's own tables that Escalator needs: webhook, triggers, macro, overview, text modules. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connector.setting_up import Wanted

HERE = Path(__file__).parent
#: One a command, so that `::esc` in a note lists them all.
COMMANDS = {
    "acknowledge": "/ack",
    "put off for half an hour": "/snooze 30m",
    "next step now": "/escalate",
    "stop": "/stop",
    "why": "/why",
}
SECRET = ("signature_token", "basic_auth_password")


@dataclass(frozen=True, slots=True)
class Table:
    """One row: where it belongs, and the body that makes it."""

    kind: str  # the path: webhooks, triggers ...
    title: str
    body: Mapping[str, Any]


def tables(wanted: Wanted, user_id: int | None, webhook_id: int | None) -> list[Table]:
    """Every row, in the order in which they can be made. What isn't there yet is named by nothing that exists."""
    words = {
        "PUBLIC_URL/webhooks/zammad": f"{wanted.public_url.rstrip('/')}/webhooks/zammad",
        "WEBHOOK_SECRET": wanted.webhook_secret,
        "WEBHOOK_ID": webhook_id,
        "API_USER_ID": str(user_id) if user_id is not None else None,
    }
    made = [
        Table(kind, f'{said} "{body["name"]}"', body)
        for kind, said, file in (
            ("webhooks", "webhook", "webhook"),
            ("triggers", "trigger", "trigger_created"),
            ("triggers", "trigger", "trigger_updated"),
            ("macros", "macro", "macro"),
            ("overviews", "overview", "overview"),
        )
        if (body := _filled(json.loads((HERE / f"{file}.json").read_text("utf-8")), words))
    ]
    return [*made, *(_text_module(what, command) for what, command in COMMANDS.items())]


def _text_module(what: str, command: str) -> Table:
    name = f"Escalation: {what}"
    body = {"name": name, "keywords": f"esc {command[1:].split()[0]}", "content": command, "active": True}
    return Table("text_modules", f'text module "{name}"', body)


def _filled(value: Any, words: Mapping[str, Any]) -> Any:
    if isinstance(value, dict):
        return {key: _filled(one, words) for key, one in value.items()}
    if isinstance(value, list):
        return [_filled(one, words) for one in value]
    return words.get(value, value) if isinstance(value, str) else value


def difference(table: Table, row: Mapping[str, Any]) -> tuple[str, ...]:
    """What differs between the row that stands there and the one that is wanted, in words; secrets stay unsaid.

    What an administrator added and Escalator doesn't ask for stays as it is. An overview's link and place are theirs.
    """
    theirs = {"link", "prio", "note", "role_ids"} if table.kind == "overviews" else {"note"}
    different = [
        key
        for key, value in table.body.items()
        if key not in theirs and _plain(row.get(key)) != _plain(value) and not _masked(key, row.get(key))
    ]
    return tuple(
        key if key in SECRET else f"{key}: {_short(row.get(key))} -> {_short(table.body[key])}" for key in different
    )


def _masked(key: str, value: Any) -> bool:
    """Zammad 7 shows no secrets: whether one is right can't be told."""
    return key in SECRET and isinstance(value, str) and bool(value) and set(value) <= {"*"}


def _plain(value: Any) -> Any:
    """Zammad gives some numbers back as texts."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return (
        str(value)
        if isinstance(value, int) and not isinstance(value, bool)
        else (value or None if value != 0 else value)
    )


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return f"{text[:60]}..." if len(text) > 60 else text or "nothing"
