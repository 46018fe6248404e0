"""What each captured event means: the changes that a read of the ticket must find at the end of its history.

One action of an agent sends several events in any order, and each of them means the whole action. An event says only
that a ticket changed; the words are those of `said` (composed.py).
"""

from collections.abc import Mapping

#: By the capture's name up to the first dot.
CASES: Mapping[str, tuple[str, ...]] = {
    "auth-jwt-bearer": ("anna (person): priority 4 high -> 3 normal",),
    "close-by-agent": ("anna (person): state open -> closed successful",),
    "create-by-agent-api": (
        "anna (person): public article, at creation",
        "anna (person): owner nobody -> nobody, at creation",
    ),
    "create-by-customer-api": ("carla (customer): public article, at creation",),
    "create-by-customer-email": ("carla (customer): public article, by mail, at creation",),
    "followup-by-customer-api": ("carla (customer): public article",),
    "followup-by-customer-email": ("carla (customer): public article, by mail",),
    "lock-by-ben": ("ben (person): lock",),
    "note-internal-by-agent": ("ben (person): note 'I am looking into it'",),
    "owner-to-ben-by-anna": ("anna (person): owner nobody -> ben",),
    "pending-by-agent": ("anna (person): state open -> pending reminder, until 21:06",),
    "plugin-dynamic-field": (),
    "plugin-note-and-field": ("escalation (us): note 'Step 2'",),
    "plugin-note": ("escalation (us): note 'Step 1: SMS sent'",),
    "priority-by-agent": ("anna (person): priority 3 normal -> 5 very high, raised",),
    "queue-move-by-agent": ("anna (person): group Service Desk -> Second Level",),
    "race-agent-change-then-plugin-note": (
        "anna (person): priority 4 high -> 5 very high, raised",
        "escalation (us): note 'race'",
    ),
    "reopen-by-agent": ("anna (person): state closed successful -> open",),
    "reopen-by-customer-email": (
        "carla (customer): state closed successful -> open",
        "carla (customer): public article, by mail",
    ),
    "reply-to-customer-by-agent": ("ben (person): reply",),
    "sla-agent-reply-stops-response-escalation": ("- (person): reply",),
    "sla-response-time-escalated": (),
    "state-open-by-agent": ("anna (person): state new -> open",),
    "ticket-deleted": (),
    "two-changes-at-once-by-agent": (
        "anna (person): group Second Level -> Service Desk",
        "anna (person): lock",
        "anna (person): state pending reminder -> open",
        "anna (person): priority 5 very high -> 4 high",
        "anna (person): owner ben -> anna, with the lock",
    ),
    "ui-close-by-anna": (
        "anna (person): state open -> closed successful",
        "anna (person): unlock",
        "anna (person): note 'done'",
    ),
    "ui-compose-reply-by-anna": ("anna (person): lock", "anna (person): reply", "anna (person): state new -> open"),
    "ui-customer-creates": ("carla (customer): public article, at creation",),
    "ui-customer-followup": ("carla (customer): public article",),
    "ui-lock-button-by-ben": ("ben (person): lock", "ben (person): owner nobody -> ben, with the lock"),
    "ui-merge-by-anna": (
        "anna (person): public article",
        "anna (person): merged into 7",
        "anna (person): state new -> merged",
        "anna (person): unlock",
    ),
    "ui-move-queue-by-anna": ("anna (person): group Service Desk -> Second Level", "- (system): unlock"),
    "ui-note-by-ben": ("ben (person): note 'I look at it'",),
    "ui-note-with-acknowledge-checkbox": ("ben (person): note 'ack'", "ben (person): acknowledged"),
    "ui-owner-to-anna-by-anna": ("anna (person): owner ben -> anna", "anna (person): note 'taking it'"),
    "ui-priority-by-anna": (
        "anna (person): priority 3 normal -> 5 very high, raised",
        "anna (person): note 'more urgent'",
    ),
    "unlock-by-ben": ("ben (person): unlock",),
    "xslt-slim-payload": ("anna (person): priority 3 normal -> 5 very high, raised",),
}
