"""Our notes as Zammad's articles, and our articles as notes again.

An internal note by sender System notifies nobody, is no first response, and changes no state. Zammad keeps the
`preferences` that come with an article and gives them back with every answer, unseen by people: the place for the
proof. Customers and agents can send the same in articles of theirs, so a proof counts only in an article that our own
API user created; who made it public since doesn't matter.
"""

import re
from collections.abc import Mapping
from html import escape
from typing import Any

from connector.helpdesks.zammad.text import lines
from connector.ports import Note

SUBJECT = "Escalation"
MARK = "escalator:"
_CODE = re.compile(r"\bE-[0-9A-Z]+(?:-\d+)?\b")


def article(ticket_id: str, note: Note, *, proof_seen: bool) -> dict[str, Any]:
    """The body of `POST /ticket_articles`; `proof_seen` adds the proof as a small last line that people see too."""
    written = {
        "ticket_id": int(ticket_id),
        "subject": SUBJECT,
        "body": _html(note, proof_seen=proof_seen),
        "content_type": "text/html",
        "type": "note",
        "sender": "System",
        "internal": True,
    }
    return written | ({"preferences": {"escalator": {"proof": note.proof}}} if note.proof else {})


def proof_kept(row: Mapping[str, Any]) -> str:
    """The proof in an article's preferences, or "" where there is none."""
    preferences = row.get("preferences")
    ours = preferences.get("escalator") if isinstance(preferences, dict) else None
    proof = ours.get("proof") if isinstance(ours, dict) else None
    return proof if isinstance(proof, str) else ""


def proof_in(row: Mapping[str, Any]) -> str:
    """What stands where a note's proof stands, in the preferences or on the last line; "" where nothing does."""
    return proof_kept(row) or _last_line(row).removeprefix(MARK)


def _last_line(row: Mapping[str, Any]) -> str:
    found = lines(str(row.get("body") or ""), str(row.get("content_type") or ""))
    return found[-1] if found and found[-1].startswith(MARK) else ""


def _html(note: Note, *, proof_seen: bool) -> str:
    headline, rest = (note.lines[0], note.lines[1:]) if note.lines else ("", ())
    written = [f"<b>{_linked(headline, note.link)}</b>", *(escape(line) for line in rest)]
    if proof_seen and note.proof:
        written.append(f"<small>{MARK}{escape(note.proof)}</small>")
    return "<br>".join(written)


def _linked(headline: str, link: str) -> str:
    code = _CODE.search(headline) if link else None
    if code is None:
        return escape(headline)
    before, after = headline[: code.start()], headline[code.end() :]
    return f'{escape(before)}<a href="{escape(link)}">{escape(code[0])}</a>{escape(after)}'
