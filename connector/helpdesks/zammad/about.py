"""Who we are in Zammad and what we may do there, as one sentence for the terminal."""

from collections.abc import Mapping
from typing import Any

_NEEDED = ("read", "create", "change")


def sentence(me: Mapping[str, Any], *, is_admin: bool) -> str:
    """`me` is `/users/me?expand=true`, whose `groups` are `{name: [access, ...]}`."""
    groups: Mapping[str, list[str]] = me.get("groups") or {}
    lacking = [
        f"{name} ({', '.join(missing)})" for name, rights in sorted(groups.items()) if (missing := _lacks(rights))
    ]
    full = sorted(name for name, rights in groups.items() if "full" in rights)
    parts = [f"Zammad knows us as {me['login']}, with access to {_counted(len(groups))}"]
    if not groups:
        parts.append("it needs read, create and change in every group that escalates")
    if lacking:
        parts.append(f"rights are missing in {', '.join(lacking)}")
    if is_admin:
        parts.append("the token has admin rights, which Escalator doesn't need")
    if full:
        parts.append(f"full access in {', '.join(full)} is more than needed and makes Zammad notify this user")
    return "; ".join(parts) + "."


def _lacks(rights: list[str]) -> list[str]:
    return [] if "full" in rights else [right for right in _NEEDED if right not in rights]


def _counted(groups: int) -> str:
    return "1 group" if groups == 1 else f"{groups} groups"
