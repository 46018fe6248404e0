"""Why a webhook never came, from what an administrator of Zammad can see. Pure.

`/http_logs/webhook` has each try with its address and the status of the answer, newest first, "0" for none
(Zammad 6.0 to 7.x, `app/controllers/http_logs_controller.rb`; `lib/user_agent.rb`).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from connector.helpdesks.zammad.values import moment
from connector.probing import Silence

Row = Mapping[str, Any]
CONNECT = "Run `escalator connect`, which shows and mends it."


def why(silent: Silence, webhooks: Sequence[Row], triggers: Sequence[Row], logs: Sequence[Row]) -> tuple[str, str]:
    """What is wrong, and the mend."""
    to_us = [row for row in webhooks if _same(row.get("endpoint"), silent.address)]
    if not to_us:
        return _goes_elsewhere(silent, webhooks)
    if not any(row.get("active") for row in to_us):
        return f"Zammad's webhook {_names(to_us)} is switched off.", f"Switch it on. {CONNECT}"
    hooks = {row["id"] for row in to_us if row.get("active")}
    calling = [row for row in triggers if _webhook_of(row) in map(str, hooks)]
    if not calling:
        return f"No trigger of Zammad's calls the webhook {_names(to_us)}.", CONNECT
    off = [row for row in calling if not row.get("active")]
    if off:
        return f"Zammad's trigger {_names(off)} is switched off.", f"Switch it on. {CONNECT}"
    return _tried(silent, logs) or (
        "Zammad has not tried to send it: no trigger fires for a new ticket, or its background worker is behind.",
        f"See Admin > Monitoring in Zammad. {CONNECT}",
    )


def _goes_elsewhere(silent: Silence, webhooks: Sequence[Row]) -> tuple[str, str]:
    alike = [row for row in webhooks if str(urlsplit(str(row.get("endpoint"))).path).endswith("/webhooks/zammad")]
    alike += [row for row in webhooks if "escalat" in str(row.get("name")).lower() and row not in alike]
    if not alike:
        return f"Zammad has no webhook that goes to {silent.address}.", CONNECT
    address = str(alike[0].get("endpoint"))
    return (
        f"Zammad's webhook {_names(alike[:1])} goes to {_bare(address)}, and not to {silent.address}.",
        f"Put in the right address, or mend `service.public_url`. {CONNECT}",
    )


def _tried(silent: Silence, logs: Sequence[Row]) -> tuple[str, str] | None:
    statuses = [str(row.get("status")) for row in logs if _same(row.get("url"), silent.address) and _since(row, silent)]
    if not statuses:
        return None
    status = statuses[0]
    if status == "0":
        return (
            f"Zammad can't reach {silent.address}: there was no answer.",
            "From Zammad's host, try that address: name, firewall, certificate, proxy.",
        )
    if status == "401":
        return (
            "Zammad's webhook is signed with another secret than the config has.",
            f"Put `helpdesk.webhook_secret` into the webhook. {CONNECT}",
        )
    if status.startswith("2"):
        return (
            f"{silent.address} answered Zammad with {status}, and this Escalator heard nothing.",
            "Something else answers there: does the proxy lead to this Escalator?",
        )
    return (
        f"{silent.address} answered Zammad with {status}.",
        "Does the proxy hand on everything below /webhooks to this Escalator?",
    )


def _since(row: Row, silent: Silence) -> bool:
    at = moment(row.get("created_at"))
    return at is not None and at >= silent.since


def _webhook_of(trigger: Row) -> str:
    asked = (trigger.get("perform") or {}).get("notification.webhook") or {}
    return str(asked.get("webhook_id"))


def _names(rows: Iterable[Row]) -> str:
    return " and ".join(f'"{row.get("name")}"' for row in rows)


def _same(one: object, other: str) -> bool:
    return str(one or "").rstrip("/") == other.rstrip("/")


def _bare(address: str) -> str:
    """Without a password that somebody wrote into it."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
