"""What each captured Znuny event means to an escalation: the manual as a table.

One action of an agent sends several events in any order; each of them alone leads to all that was done. So a line is
for the action: the capture's name up to the first dot.
"""

#: How it stands before -> after, and what kinds of entries are new in its history. `climbing`: `waiting` while the
#: response window runs, `running` when it is over; what is `waiting` here is so in both cases.
EXPECTED: dict[str, tuple[str, str]] = {
    # A new ticket. An agent who makes one is its owner for Znuny; that is nobody's acknowledgement, and nobody's owner.
    "create-by-agent-api": ("nothing -> waiting", "created"),
    "create-by-customer-api": ("nothing -> waiting", "created"),
    "create-by-customer-email": ("nothing -> waiting", "created"),
    "ui-customer-creates": ("nothing -> waiting", "created"),
    # Taken: a lock, the "Lock" button, the form that makes oneself the owner, a form that locks when it opens.
    "lock-by-ben": ("climbing, owner ben -> acknowledged by ben (lock)", "acknowledged"),
    "ui-lock-button-by-ben": ("climbing -> acknowledged by ben (lock)", "acknowledged"),
    "ui-owner-to-anna-by-anna": ("acknowledged by ben (lock) -> acknowledged by anna (take)", "acknowledged"),
    "ui-compose-reply-by-anna": ("climbing, owner anna -> acknowledged by anna (lock)", "acknowledged"),
    # Taken by work: a note by the owner, a reply by anybody.
    "note-internal-by-agent": ("climbing, owner ben -> acknowledged by ben (note)", "acknowledged"),
    "sla-agent-reply-stops-response-escalation": ("climbing -> acknowledged by agent 4 (reply)", "acknowledged"),
    # Locked and left without work within a quarter of an hour: only a form was open, and it goes on.
    "unlock-by-ben": ("acknowledged by ben (lock) -> climbing, owner ben", "handed_over"),
    # Given to somebody else is no acknowledgement; another queue ends one.
    "owner-to-ben-by-anna": ("climbing -> climbing, owner ben", ""),
    "queue-move-by-agent": ("climbing, owner ben -> climbing, owner ben", ""),
    "ui-move-queue-by-anna": ("acknowledged by anna (take) -> waiting, owner anna", "handed_over"),
    # Another priority is another plan; who has the ticket keeps it. That the body names our own user hides nobody.
    "priority-by-agent": ("climbing -> waiting", "plan_changed"),
    "ui-priority-by-anna": ("acknowledged by anna (take) -> acknowledged by anna (take)", "plan_changed"),
    "auth-jwt-bearer": ("acknowledged by anna (lock) -> acknowledged by anna (lock)", "plan_changed"),
    "xslt-slim-payload": ("acknowledged by anna (lock) -> acknowledged by anna (lock)", "plan_changed"),
    "race-agent-change-then-plugin-note": (
        "acknowledged by anna (lock) -> acknowledged by anna (lock)",
        "plan_changed",
    ),
    # Six changes in one save: the waiting is over, another plan, another queue, and anna has it.
    "two-changes-at-once-by-agent": (
        "held until 2026-11-21 21:06, acknowledged by anna (reopened) -> acknowledged by anna (lock)",
        "plan_changed handed_over acknowledged",
    ),
    # Work on what is acknowledged, new -> open alone, and what customers write, change nothing.
    "state-open-by-agent": ("climbing, owner ben -> climbing, owner ben", ""),
    "reply-to-customer-by-agent": ("acknowledged by ben (note) -> acknowledged by ben (note)", ""),
    "ui-note-by-ben": ("acknowledged by ben (lock) -> acknowledged by ben (lock)", ""),
    "ui-note-with-acknowledge-checkbox": ("acknowledged by anna (lock) -> acknowledged by anna (lock)", ""),
    "followup-by-customer-api": ("acknowledged by ben (note) -> acknowledged by ben (note)", ""),
    "followup-by-customer-email": ("acknowledged by ben (note) -> acknowledged by ben (note)", ""),
    "ui-customer-followup": ("acknowledged by anna (lock) -> acknowledged by anna (lock)", ""),
    # Pending: held until then.
    "pending-by-agent": (
        "acknowledged by anna (reopened) -> held until 2026-11-21 21:06, acknowledged by anna (reopened)",
        "held",
    ),
    # What Escalator itself writes, and Znuny's own clocks.
    **{
        ours: (" -> ".join(2 * ["held until 2026-11-21 21:06, acknowledged by anna (reopened)"]), "")
        for ours in ("plugin-note", "plugin-dynamic-field", "plugin-note-and-field")
    },
    "sla-response-time-escalated": ("waiting -> waiting", ""),
    # Closed, reopened by an agent, and by a customer so soon that the acknowledgement stands.
    "close-by-agent": ("acknowledged by ben (note) -> resolved, acknowledged by ben (note)", "resolved"),
    "ui-close-by-anna": ("acknowledged by anna (lock) -> resolved, acknowledged by anna (lock)", "resolved"),
    "reopen-by-agent": ("resolved, acknowledged by ben (note) -> acknowledged by anna (reopened)", "acknowledged"),
    "reopen-by-customer-email": (
        "resolved, acknowledged by anna (reopened) -> acknowledged by anna (reopened)",
        "created",
    ),
    # Merged into a ticket that escalates itself: this one resolves, and nobody has acknowledged.
    "ui-merge-by-anna": ("climbing, owner anna -> resolved, acknowledged by nobody", "resolved"),
}
