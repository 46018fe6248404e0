"""Keys and words of the product's contract that this version doesn't act on yet.

They are refused with a word of their own: taking them in silence would promise what isn't kept, and calling them
unknown would send the admin looking for a typo.
"""

from .problems import Path

#: By the pattern of the section (`*` is any name or index).
KEYS: dict[tuple[str, ...], frozenset[str]] = {
    (): frozenset({"calendars", "levels", "pages"}),
    ("service",): frozenset({"pages"}),
    ("contacts", "*"): frozenset({"reachable", "calendar"}),
    ("plans", "*"): frozenset({"calendar", "levels", "assign"}),
    ("plans", "*", "steps", "*"): frozenset({"assign", "calendar"}),
    ("plans", "*", "when_exhausted"): frozenset({"assign", "calendar"}),
}

CHANNEL_KINDS = frozenset({"chat"})
NOTIFY = frozenset({"group", "customer"})

#: What to do meanwhile, where there is something better than leaving it out.
MENDS = {
    "calendar": "Take it out: every window runs around the clock.",
    "calendars": "Take them out: every window runs around the clock.",
    "levels": "Name the contacts in `notify` instead.",
    "group": "Name the contacts instead.",
    "customer": "Let the helpdesk's own trigger write to the customer.",
    "chat": "Use `http_post`, `email` or another kind.",
}


def is_later(section: Path, key: str) -> bool:
    """Whether the contract knows this key in this section, although this version doesn't."""
    for pattern, keys in KEYS.items():
        fits = len(pattern) == len(section) and all(map(_fits, pattern, section))
        if fits and key in keys:
            return True
    return False


def _fits(want: str, part: str | int) -> bool:
    return want in ("*", part)


def sentence(what: str) -> str:
    return f"{what} is known, but not in this version."


def mend(word: str) -> str:
    return MENDS.get(word, "Take it out.")
