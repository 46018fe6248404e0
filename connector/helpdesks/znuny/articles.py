"""What a Znuny article is to an escalation. Pure."""

import re
from collections.abc import Container, Iterable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from connector.core.ticket import Article
from connector.helpdesks.znuny.acts import ONE_ACT, Line
from connector.helpdesks.znuny.values import SYSTEM, ident, moment, words

#: Communication channels (fixed ids of every Znuny): 1 mail, 2 phone, 3 internal, 4 chat.
MAIL, INTERNAL = "1", "3"

#: History types that carry an article's id without being about the article itself.
NO_ARTICLE = frozenset({"StateUpdate", "Misc", "SendAgentNotification", "SendCustomerNotification", "Merged", "Bounce"})

_BY_ZNUNY_ITSELF = frozenset({"SendAutoReply", "SendAutoReject", "SendAutoFollowUp"})

#: How mail programs begin the subject of an absence notice; Znuny keeps no header that says so.
_ABSENT = re.compile(
    r"^(?:\[[^\]]*\]\s*)?(?:automatic reply|automatische antwort|auto-?reply|out of (?:the )?office|abwesenheitsnotiz"
    r"|réponse automatique|respuesta automática|risposta automatica)\s*:",
    re.IGNORECASE,
)

FIRST_LINE = 200  # characters


def not_shown(lines: Iterable[Line], articles: Container[str]) -> frozenset[str]:
    """The articles that these lines name and the ticket, read before or from an old cache, doesn't have.

    Znuny (6.5) writes an article's line after the article, and deletes both together: it will be there.
    """
    named = {line.article_id for line in lines if line.article_id and line.type not in NO_ARTICLE}
    return frozenset(one for one in named if one not in articles)


def is_customers(raw: Mapping[str, Any]) -> bool:
    """Whether a customer wrote it (portal, mail, API): Znuny's user 1 made it for a sender of that type."""
    return raw.get("SenderType") == "customer" and ident(raw.get("CreateBy")) == SYSTEM


def article_of(article_id: str, history_type: str, raw: Mapping[str, Any]) -> Article:
    """The article of a history line; one that can't be seen any more counts as internal and says nothing."""
    public = words(raw.get("IsVisibleForCustomer")) == "1"
    channel = ident(raw.get("CommunicationChannelID"))
    by_mail = channel == MAIL and ident(raw.get("CreateBy")) == SYSTEM and history_type not in _BY_ZNUNY_ITSELF
    absent = by_mail and _ABSENT.match(words(raw.get("Subject"))) is not None
    return Article(
        id=article_id,
        public=public,
        reply=public and raw.get("SenderType") == "agent" and channel not in ("", INTERNAL),
        by_mail=by_mail,
        automatic=absent or history_type in _BY_ZNUNY_ITSELF,
        first_line="" if public else _first_line(raw),
    )


def _first_line(raw: Mapping[str, Any]) -> str:
    """An internal note's first line. Znuny's form asks for a subject too: a command may stand there."""
    subject = words(raw.get("Subject")).strip()
    lines = (line.strip() for line in words(raw.get("Body")).splitlines())
    first = next((line for line in lines if line), "")
    return (subject if subject.startswith("/") and not first.startswith("/") else first)[:FIRST_LINE]


def came_by_merge(raw: Mapping[str, Any], merges: Iterable[tuple[datetime, str]], zone: ZoneInfo) -> bool:
    """Whether one of these merges (when, by which agent) brought it here: a merge is what its last change was."""
    made, changed = moment(raw.get("CreateTime"), zone), moment(raw.get("ChangeTime"), zone)
    if made is None or changed is None or changed == made:
        return False
    by = ident(raw.get("ChangeBy"))
    return any(by == who and abs(when - changed) <= ONE_ACT for when, who in merges)
