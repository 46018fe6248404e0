"""Plans for those who act between two steps: the second one comes late enough that every act lies before it."""

from typing import Any

from .plans import plan, step

KIM = "+491702000007"
SECOND = "20s"

WATCHED: dict[str, dict[str, Any]] = {
    # a mail to Dana, who is agent Alice; to somebody who is no agent at all; by every way that has an answer; a call
    "watched": plan("1s", step("owner", "email"), step("owner", "email", SECOND)),
    "aside": plan("1s", step("lee", "email"), step("lee", "email", SECOND), unassigned=["lee"]),
    "reached": plan("1s", step("owner", ["push", "webpush", "sms", "email", "pager"]), step("owner", "email", SECOND)),
    "rung": plan("1s", step("kim", "phone"), step("lee", "email", SECOND)),
}
CONTACTS: dict[str, dict[str, Any]] = {
    "kim": {"name": "Kim Keys", "email": "kim@example.com", "mobile": KIM},
}
RULES: list[dict[str, Any]] = [
    {"when": {"title": [name], "priority": ["2 normal", "3 high"]}, "plan": name} for name in WATCHED
]
