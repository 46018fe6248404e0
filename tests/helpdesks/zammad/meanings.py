"""What each captured delivery means: the story behind it and the changes that a read of the ticket must find.

A body doesn't say what happened; the history does. `acts` are what the delivery is about, `earlier` what had been done
on the ticket before, `articles` those that no capture shows. Tickets 2 and 5 need no story: their history was captured.
`changes` are the words of `said` (composed.py).
"""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Set:
    """One column changed by somebody; `before` and `after` as shown, owners by their short names."""

    by: str
    attribute: str
    before: str
    after: str


@dataclass(frozen=True)
class Wrote:
    """An article that stands in the ticket; the delivery's own one is taken as it was sent."""

    by: str
    article: int
    type: str = "note"
    sender: str = "Agent"
    internal: bool = True
    body: str = "a note"
    on: int = 0  # the ticket that it was written on, where a merge brought it here


@dataclass(frozen=True)
class Merged:
    """This ticket went into another one (`into`), or another one came into this (`source`)."""

    by: str
    into: int = 0
    source: int = 0


Act = Set | Wrote | Merged


@dataclass(frozen=True)
class Meaning:
    changes: tuple[str, ...]
    acts: tuple[Act, ...] = ()
    earlier: tuple[Act, ...] = ()
    at_creation: bool = field(default=False)  # the delivery is about the creation itself


OURS = {"by": "escalator", "sender": "System"}
MADE = Meaning(("cathy (customer): public article, at creation",), at_creation=True)
MADE_BY_ELISE = Meaning(("elise.durand (customer): public article, at creation",), at_creation=True)
NOTHING = Meaning(())
AUTO_REPLY = Wrote("-", 311, "email", "System", internal=False)
ANSWER = Wrote("jonas.weber", 312, "email", internal=False)
OPENED = Set("jonas.weber", "state", "new", "open")
BOB_TOOK = (Set("bob", "owner", "-", "bob"), Wrote("bob", 24, body="/ack"))
WAITED = Set("bob", "state", "new", "pending close")

CAPTURED: dict[str, Meaning] = {
    "created_by_customer": MADE,
    "created_by_customer_of_an_organization": Meaning(
        MADE.changes, earlier=(Wrote(**OURS, article=33),), at_creation=True
    ),
    "sla_echo": Meaning((), earlier=(Wrote(**OURS, article=33),)),
    "customer_moved_open_ticket": Meaning(("- (system): organization nothing -> Example Corp",)),
    "customer_moved_closed_ticket": Meaning(
        ("- (system): organization nothing -> Example Corp",),
        (Set("-", "organization", "", "Example Corp"),),
        (*BOB_TOOK, Wrote(**OURS, article=25), Set("bob", "state", "new", "closed")),
    ),
    "created_by_agent_on_the_phone_owned_at_creation": Meaning(
        ("alice (person): public article, at creation",), at_creation=True
    ),
    "created_by_mail": Meaning(("cathy (customer): public article, by mail, at creation",), at_creation=True),
    "created_raised_by_another_trigger": Meaning(
        (*MADE.changes, "- (system): priority 2 normal -> 3 high, raised"),
        (Set("-", "priority", "2 normal", "3 high"),),
        at_creation=True,
    ),
    "created_assigned_by_another_trigger": Meaning(
        (*MADE.changes, "- (system): owner nobody -> bob"), (Set("-", "owner", "-", "bob"),), at_creation=True
    ),
    "agent_takes": Meaning(("alice (person): owner nobody -> alice",)),
    "agent_internal_note": Meaning(("alice (person): internal article 'looking'",)),
    "agent_public_note": Meaning(("alice (person): public article",)),
    "agent_call_logged": Meaning(("alice (person): public reply", "alice (person): state new (open) -> open (open)")),
    "agent_reply_by_mail": Meaning(
        ("alice (person): public reply", "alice (person): state new (open) -> open (open)"),
        (Wrote("alice", 34), Set("alice", "state", "new", "open")),
        (Wrote(**OURS, article=33), Set("alice", "owner", "-", "alice")),
    ),
    "agent_mail_from_own_mail_program": Meaning(
        ("alice (person): public reply, by mail",),
        (Wrote("alice", 22),),
        (Set("alice", "owner", "-", "alice"), Wrote("cathy", 20), Wrote("cathy", 21)),
    ),
    "agent_takes_and_notes_in_one_save": Meaning(
        ("bob (person): owner nobody -> bob", "bob (person): internal article '/ack'"), BOB_TOOK
    ),
    "assigned_by_somebody_else": Meaning(("bob (person): owner bob -> alice",)),
    "taken_over": Meaning(("bob (person): owner alice -> bob",)),
    "given_back": Meaning(("alice (person): owner alice -> nobody",)),
    "priority_lowered": Meaning(("bob (person): priority 3 high -> 2 normal",)),
    "group_changed": Meaning(("bob (person): group Network -> 2nd Level",)),
    "pending_reminder": Meaning(
        ("bob (person): state open (open) -> pending reminder (pending) until 2026-11-22 01:27",)
    ),
    "pending_close": Meaning(
        ("bob (person): state new (open) -> pending close (pending close) until 2026-11-21 23:36",),
        (WAITED, Set("bob", "pending_time", "", "2026-11-21 23:36:00 UTC")),
        BOB_TOOK,
    ),
    "own_system_note_echo": Meaning(
        ("escalator (us): internal article 'own'",), (Wrote(**OURS, article=25),), (*BOB_TOOK, WAITED)
    ),
    "pending_close_reached": Meaning(
        ("- (system): state pending close (pending close) -> closed (closed)",),
        (Set("-", "state", "pending close", "closed"), Set("-", "pending_time", "2026-11-21 23:36:00 UTC", "")),
        (*BOB_TOOK, WAITED, Wrote(**OURS, article=25)),
    ),
    "closed": Meaning(("bob (person): state pending reminder (pending) -> closed (closed)",)),
    "customer_web_answer_on_closed_ticket": Meaning(("cathy (customer): public article",)),
    "reopened_by_agent": Meaning(("bob (person): state closed (closed) -> open (open)",)),
    "reopened_by_automatic_reply": Meaning(
        (
            "cathy (customer): public article, by mail, automatic",
            "cathy (customer): state closed (closed) -> open (open)",
        ),
        (Wrote("cathy", 20), Set("cathy", "state", "closed", "open")),
        (Set("alice", "owner", "-", "alice"), Set("alice", "state", "new", "closed")),
    ),
    "reopened_by_customer_mail": Meaning(
        ("cathy (customer): public article, by mail",),
        (Wrote("cathy", 21),),
        (Set("alice", "owner", "-", "alice"), Wrote("cathy", 20)),
    ),
    "macro_in_bulk": Meaning(("alice (person): owner nobody -> alice", "alice (person): internal article '/ack'")),
    "merged_source": Meaning(
        (
            "escalator (us): group Network -> 2nd Level",
            "alice (person): merged into 6",
            "alice (person): public article",
            "alice (person): state new (open) -> merged (merged)",
            "alice (person): owner alice -> nobody",
        )
    ),
    "merged_target": Meaning(
        (),
        (Merged("alice", source=5), Wrote("alice", 14, "web", on=5), Wrote("alice", 16, on=5)),
        (Set("alice", "owner", "-", "alice"), Wrote("alice", 17, sender="System", body="/ack")),
    ),
    "hidden_agent_change": Meaning(
        ("alice (person): priority 2 normal -> 3 high, raised", "escalator (us): owner alice -> nobody")
    ),
    "hidden_agent_take": Meaning(("alice (person): owner nobody -> alice", "escalator (us): internal article 'x'")),
    "after_own_write_customer_article": Meaning(
        ("cathy (customer): public article",), (Wrote("cathy", 13),), (Wrote(**OURS, article=12),)
    ),
    "ui_macro_in_the_ticket": Meaning(
        ("alice (person): owner nobody -> alice", "alice (person): internal article '/ack'"),
        (Set("alice", "owner", "-", "alice"), Wrote("alice", 200)),
        (Wrote(**OURS, article=194),),
    ),
    "ui_owner_chosen": Meaning(("alice (person): owner nobody -> alice",), (Set("alice", "owner", "-", "alice"),)),
    "ui_internal_note_with_command": Meaning(
        ("alice (person): internal article '/ack on it'",), (Wrote("alice", 203),)
    ),
    "ui_reply_by_mail": Meaning(
        ("alice (person): public reply",),
        (Wrote("alice", 204),),
        (Set("alice", "owner", "-", "alice"), Wrote("cathy", 20), Wrote("cathy", 21), Wrote("alice", 22)),
    ),
    "ui_closed_without_owner": Meaning(
        ("alice (person): state new (open) -> closed (closed)",), (Set("alice", "state", "new", "closed"),)
    ),
    "macro_in_bulk_by_the_owner_after_our_save": Meaning(
        ("alice (person): internal article '/ack'",),
        (Wrote("alice", 580),),
        (Set("escalator", "owner", "-", "alice"), *(Wrote(**OURS, article=number) for number in (577, 578, 579))),
    ),
    "trigger_with_a_non_ascii_name": MADE,
}

CONSTRUCTED: dict[str, Meaning] = {
    "ticket_created_by_customer_email": Meaning(MADE_BY_ELISE.changes, earlier=(AUTO_REPLY,), at_creation=True),
    "ticket_created_sla_echo": Meaning((), earlier=(AUTO_REPLY,)),
    "agent_reply_email": Meaning(
        ("jonas.weber (person): public reply", "jonas.weber (person): state new (open) -> open (open)"),
        (ANSWER, OPENED),
        (AUTO_REPLY,),
    ),
    "agent_internal_note": Meaning(
        ("jonas.weber (person): internal article 'Gateway vendor confirmed an outage, waiting for their call.'",),
        (Wrote("jonas.weber", 312),),
        (AUTO_REPLY,),
    ),
    "owner_changed": Meaning(
        ("nadia.admin (person): owner nobody -> jonas.weber",),
        (Set("nadia.admin", "owner", "-", "jonas.weber"),),
        (AUTO_REPLY,),
    ),
    "priority_changed": Meaning(
        ("jonas.weber (person): priority 2 normal -> 3 high, raised",),
        (Set("jonas.weber", "priority", "2 normal", "3 high"),),
        (AUTO_REPLY,),
    ),
    "state_closed": Meaning(
        ("jonas.weber (person): state open (open) -> closed (closed)",),
        (Set("jonas.weber", "state", "open", "closed"),),
        (AUTO_REPLY, Set("jonas.weber", "owner", "-", "jonas.weber"), ANSWER, OPENED),
    ),
    "reopened_by_customer_email": Meaning(
        ("elise.durand (customer): public article", "elise.durand (customer): state closed (closed) -> open (open)"),
        (Wrote("elise.durand", 313), Set("elise.durand", "state", "closed", "open")),
        (
            AUTO_REPLY,
            Set("jonas.weber", "owner", "-", "jonas.weber"),
            ANSWER,
            Set("jonas.weber", "state", "new", "closed"),
        ),
    ),
    "merged_source": Meaning(
        (
            "jonas.weber (person): merged into 101",
            "jonas.weber (person): public article",
            "jonas.weber (person): state open (open) -> merged (merged)",
            "jonas.weber (person): owner jonas.weber -> nobody",
        ),
        (
            Merged("jonas.weber", into=101),
            Wrote("jonas.weber", 330),
            Set("jonas.weber", "state", "open", "merged"),
            Set("jonas.weber", "owner", "jonas.weber", "-"),
        ),
        (Set("jonas.weber", "owner", "-", "jonas.weber"), OPENED),
    ),
    "merged_target": Meaning(
        (),
        (Merged("jonas.weber", source=118), *(Wrote("jonas.weber", number, on=118) for number in (310, 311, 312))),
        (Set("jonas.weber", "owner", "-", "jonas.weber"), OPENED, Wrote("jonas.weber", 271)),
    ),
    "updated_by_plugin_api_user_note": Meaning(
        ("escalation-plugin (us): internal article 'Escalation step 1 of 4: push sent to Jonas Weber at 10:15.'",),
        (Wrote("escalation-plugin", 312),),
        (AUTO_REPLY,),
    ),
    "updated_by_plugin_api_user_attribute": Meaning(
        ("escalation-plugin (us): field escalation_state nothing -> running",),
        (Set("escalation-plugin", "escalation_state", "", "running"),),
        (AUTO_REPLY,),
    ),
    "stale_own_echo_hides_agent_ack": Meaning(
        (
            "jonas.weber (person): owner nobody -> jonas.weber",
            "jonas.weber (person): state new (open) -> open (open)",
            "escalation-plugin (us): internal article 'Escalation step 1 of 4: mail'",
        ),
        (
            Set("jonas.weber", "owner", "-", "jonas.weber"),
            OPENED,
            Wrote("escalation-plugin", 312, sender="System", body="<p>Escalation step 1 of 4: mail</p>"),
        ),
        (AUTO_REPLY,),
    ),
    "acknowledged_by_macro": Meaning(
        (
            "jonas.weber (person): owner nobody -> jonas.weber",
            "jonas.weber (person): state new (open) -> open (open)",
            "jonas.weber (person): internal article 'Escalation acknowledged.'",
        ),
        (Set("jonas.weber", "owner", "-", "jonas.weber"), OPENED, Wrote("jonas.weber", 313)),
        (AUTO_REPLY, Wrote("escalation-plugin", 312, sender="System")),
    ),
    "unassigned_ticket_no_organization": Meaning(("sam (customer): public article, at creation",), at_creation=True),
    "unassigned_by_timeout": Meaning(
        ("- (system): owner jonas.weber -> nobody",),
        (Set("-", "owner", "jonas.weber", "-"),),
        (AUTO_REPLY, Set("jonas.weber", "owner", "-", "jonas.weber"), OPENED),
    ),
    "pending_close_reached": Meaning(
        ("- (system): state pending close (pending close) -> closed (closed)",),
        (Set("-", "state", "pending close", "closed"),),
        (
            AUTO_REPLY,
            Set("jonas.weber", "owner", "-", "jonas.weber"),
            ANSWER,
            Set("jonas.weber", "state", "new", "pending close"),
        ),
    ),
    "with_custom_attributes": MADE_BY_ELISE,
    "unicode_html_attachments": MADE_BY_ELISE,
    "very_long_body": MADE_BY_ELISE,
    "time_trigger_escalation_reached": Meaning((), earlier=(AUTO_REPLY,)),
    "scheduler_job_without_article": Meaning((), earlier=(AUTO_REPLY,)),
    "ticket_created_by_customer_email.v6_0": Meaning(MADE_BY_ELISE.changes, earlier=(AUTO_REPLY,), at_creation=True),
}

MEANINGS: dict[str, Meaning] = {
    **{f"captured/{name}": meaning for name, meaning in CAPTURED.items()},
    **{f"payloads/{name}": meaning for name, meaning in CONSTRUCTED.items()},
}
