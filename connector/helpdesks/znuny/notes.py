"""Escalator's notes as Znuny articles: plain text, the proof on the last line. Pure."""

from collections.abc import Mapping
from typing import Any

from connector.helpdesks.znuny.values import words
from connector.ports import Note

MARK = "escalator:"
SUBJECT = 200  # characters


def written(note: Note) -> dict[str, Any]:
    """The article of this note. A line that looks like a proof without being the note's own is quoted."""
    lines = [" ".join(line.split()) for line in note.lines]
    lines = [f"> {line}" if line.startswith(MARK) else line for line in lines]
    if note.link:
        lines.append(note.link)
    if note.proof:
        lines += ["", MARK + note.proof]
    return {
        "CommunicationChannel": "Internal",
        "SenderType": "system",
        "IsVisibleForCustomer": 0,
        "NoAgentNotify": 1,
        "HistoryType": "AddNote",
        "HistoryComment": "Escalator",
        "ContentType": "text/plain; charset=utf-8",
        "Subject": (lines[0] if lines else "")[:SUBJECT] or "Escalation",
        "Body": "\n".join(lines) or "Escalation",
    }


def proof_in(article: Mapping[str, Any]) -> str:
    """The proof on the article's last line; "" where there is none."""
    lines = words(article.get("Body")).rstrip().splitlines()
    last = lines[-1].strip() if lines else ""
    return last.removeprefix(MARK) if last.startswith(MARK) else ""
