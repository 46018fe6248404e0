"""What each captured Zammad delivery means to an escalation: the manual as a table."""

from ..helpdesks.zammad.composed import NAMES

#: How it stands before -> after. `climbing`: `waiting` while the response window runs, `running` when it is over;
#: what is `waiting` here is so in both cases, because its window has only just begun.
EXPECTED: dict[str, str] = {
    # A new ticket: the window runs. Nothing that was set at its creation, or by a trigger, acknowledges.
    "captured/created_by_customer": "nothing -> waiting",
    "captured/created_by_customer_of_an_organization": "nothing -> climbing",
    "captured/created_by_mail": "nothing -> waiting",
    "captured/trigger_with_a_non_ascii_name": "nothing -> waiting",
    "captured/created_raised_by_another_trigger": "nothing -> waiting",
    "captured/created_assigned_by_another_trigger": "nothing -> waiting, owner bob",
    "captured/created_by_agent_on_the_phone_owned_at_creation": "nothing -> waiting, owner alice",
    "payloads/ticket_created_by_customer_email": "nothing -> waiting",
    "payloads/ticket_created_by_customer_email.v6_0": "nothing -> waiting",
    "payloads/unassigned_ticket_no_organization": "nothing -> waiting",
    "payloads/with_custom_attributes": "nothing -> waiting",
    "payloads/unicode_html_attachments": "nothing -> waiting",
    "payloads/very_long_body": "nothing -> waiting",
    # Deliveries without a meaning: clocks of Zammad, a customer's new organization, our own writes.
    "captured/sla_echo": "climbing -> climbing",
    "payloads/ticket_created_sla_echo": "waiting -> waiting",
    "payloads/time_trigger_escalation_reached": "waiting -> waiting",
    "payloads/scheduler_job_without_article": "waiting -> waiting",
    "captured/customer_moved_open_ticket": "acknowledged by alice (take) -> acknowledged by alice (take)",
    "captured/customer_moved_closed_ticket": (
        "resolved, acknowledged by bob (take) -> resolved, acknowledged by bob (take)"
    ),
    "captured/own_system_note_echo": "acknowledged by bob (take) -> acknowledged by bob (take)",
    "payloads/updated_by_plugin_api_user_note": "climbing -> climbing",
    "payloads/updated_by_plugin_api_user_attribute": "climbing -> climbing",
    # An agent takes it. That the body names our own user, who wrote a moment later, hides nobody.
    "captured/agent_takes": "climbing -> acknowledged by alice (take)",
    "captured/ui_owner_chosen": "climbing -> acknowledged by alice (take)",
    "captured/agent_takes_and_notes_in_one_save": "climbing -> acknowledged by bob (take)",
    "captured/hidden_agent_take": "acknowledged by bob (reopened) -> acknowledged by alice (take)",
    "payloads/stale_own_echo_hides_agent_ack": "climbing -> acknowledged by jonas.weber (take)",
    # The macro "Acknowledge escalation": in the ticket, in bulk, and in bulk by who owns it already.
    "captured/ui_macro_in_the_ticket": "climbing -> acknowledged by alice (take)",
    "captured/macro_in_bulk": "climbing -> acknowledged by alice (take)",
    "captured/macro_in_bulk_by_the_owner_after_our_save": "climbing, owner alice -> acknowledged by alice (note)",
    "payloads/acknowledged_by_macro": "climbing -> acknowledged by jonas.weber (take)",
    # A note acknowledges by its owner, by somebody who was told, or by "/ack"; a reply by any agent.
    "captured/ui_internal_note_with_command": "climbing -> acknowledged by alice (note)",
    "payloads/agent_internal_note": "climbing -> climbing",
    "payloads/agent_reply_email": "climbing -> acknowledged by jonas.weber (reply)",
    # Work on a ticket that is acknowledged already, and what customers write, changes nothing.
    "captured/agent_internal_note": "acknowledged by alice (take) -> acknowledged by alice (take)",
    "captured/agent_public_note": "acknowledged by alice (take) -> acknowledged by alice (take)",
    "captured/agent_call_logged": "acknowledged by alice (take) -> acknowledged by alice (take)",
    "captured/agent_reply_by_mail": "acknowledged by alice (take) -> acknowledged by alice (take)",
    "captured/agent_mail_from_own_mail_program": "acknowledged by alice (take) -> acknowledged by alice (take)",
    "captured/ui_reply_by_mail": "acknowledged by alice (take) -> acknowledged by alice (take)",
    "captured/reopened_by_customer_mail": "acknowledged by alice (take) -> acknowledged by alice (take)",
    "captured/after_own_write_customer_article": "climbing -> climbing",
    # Owners: a colleague takes it over; giving it to somebody else or to nobody ends an acknowledgement.
    "captured/taken_over": "acknowledged by alice (take) -> acknowledged by bob (take)",
    "captured/assigned_by_somebody_else": "acknowledged by bob (take) -> waiting, owner alice",
    "captured/given_back": "climbing, owner alice -> climbing",
    "payloads/owner_changed": "climbing -> climbing, owner jonas.weber",
    "payloads/unassigned_by_timeout": "acknowledged by jonas.weber (take) -> waiting",
    # Matched fields: another plan begins with its own window. A group that no rule asks for says nothing.
    "captured/priority_lowered": "climbing -> waiting",
    "payloads/priority_changed": "climbing -> waiting",
    "captured/hidden_agent_change": "acknowledged by bob (reopened) -> acknowledged by bob (reopened)",
    "captured/group_changed": "climbing -> climbing",
    # Pending: held until then, 20 minutes more for "pending close", since Zammad looks for those every 15.
    "captured/pending_reminder": "climbing -> held until 2026-11-22 01:27, acknowledged by bob (pending)",
    "captured/pending_close": "acknowledged by bob (take) -> held until 2026-11-21 23:56, acknowledged by bob (take)",
    # Closed: by an agent, who thereby acknowledges if nobody had; by Zammad when the time came.
    "captured/ui_closed_without_owner": "climbing -> resolved, acknowledged by alice (close)",
    "captured/closed": (
        "held until 2026-11-22 01:27, acknowledged by bob (pending) -> resolved, acknowledged by bob (pending)"
    ),
    "payloads/state_closed": "acknowledged by jonas.weber (take) -> resolved, acknowledged by jonas.weber (take)",
    "captured/pending_close_reached": "acknowledged by bob (take) -> resolved, acknowledged by bob (take)",
    "payloads/pending_close_reached": (
        "acknowledged by jonas.weber (take) -> resolved, acknowledged by jonas.weber (take)"
    ),
    "captured/customer_web_answer_on_closed_ticket": (
        "resolved, acknowledged by bob (pending) -> resolved, acknowledged by bob (pending)"
    ),
    # Reopened: an agent has it, an automatic reply waits for somebody, a customer hours later begins a second life.
    "captured/reopened_by_agent": "resolved, acknowledged by bob (pending) -> acknowledged by bob (reopened)",
    "captured/reopened_by_automatic_reply": (
        "resolved, acknowledged by alice (take) -> resolved, acknowledged by alice (take), until somebody works on it"
    ),
    "payloads/reopened_by_customer_email": (
        "resolved, acknowledged by jonas.weber (take) -> waiting, owner jonas.weber, life 2"
    ),
    # Merged into a ticket that escalates itself: this one resolves. What came in by a merge is nobody's work there.
    "captured/merged_source": "acknowledged by alice (take) -> resolved, acknowledged by alice (take)",
    "payloads/merged_source": "acknowledged by jonas.weber (take) -> resolved, acknowledged by jonas.weber (take)",
    "captured/merged_target": "acknowledged by alice (take) -> acknowledged by alice (take)",
    "payloads/merged_target": "acknowledged by jonas.weber (take) -> acknowledged by jonas.weber (take)",
}

#: What is new in the escalation's history; a delivery that isn't here leaves nothing in it.
HISTORY: dict[str, str] = {
    **{
        name: f"created: plan {'urgent' if name.startswith('captured/') else 'normal'}: priority is "
        f'"{"3 high" if name.startswith("captured/") else "2 normal"}"'
        for name in NAMES
        if EXPECTED[name].startswith("nothing ->")
    },
    "captured/created_by_mail": 'created: plan normal: priority is "2 normal"',
    "captured/created_raised_by_another_trigger": (
        'created: plan normal: priority is "2 normal"'
        " / plan_changed: plan urgent instead of normal, changed by the helpdesk"
    ),
    "captured/agent_takes": "acknowledged: by Alice Agent (take)",
    "captured/ui_owner_chosen": "acknowledged: by Alice Agent (take)",
    "captured/agent_takes_and_notes_in_one_save": "acknowledged: by Bob Agent (take)",
    "captured/hidden_agent_take": "acknowledged: taken over by Alice Agent (take)",
    "payloads/stale_own_echo_hides_agent_ack": "acknowledged: by Jonas Weber (take)",
    "captured/ui_macro_in_the_ticket": "acknowledged: by Alice Agent (take)",
    "captured/macro_in_bulk": "acknowledged: by Alice Agent (take)",
    "captured/macro_in_bulk_by_the_owner_after_our_save": "acknowledged: by Alice Agent (note)",
    "payloads/acknowledged_by_macro": "acknowledged: by Jonas Weber (take)",
    "captured/ui_internal_note_with_command": "acknowledged: by Alice Agent (note)",
    "payloads/agent_reply_email": "acknowledged: by Jonas Weber (reply)",
    "captured/taken_over": "acknowledged: taken over by Bob Agent (take)",
    "captured/assigned_by_somebody_else": "handed_over: to Alice Agent by Bob Agent",
    "payloads/unassigned_by_timeout": "handed_over: to nobody by the helpdesk",
    "captured/priority_lowered": "plan_changed: plan normal instead of urgent, changed by Bob Agent",
    "payloads/priority_changed": "plan_changed: plan urgent instead of normal, changed by Jonas Weber",
    "captured/hidden_agent_change": "plan_changed: plan urgent instead of normal, changed by Alice Agent",
    "captured/pending_reminder": (
        "acknowledged: by Bob Agent (pending) / held: until 2026-11-22 01:27 UTC by Bob Agent"
    ),
    "captured/pending_close": "held: until 2026-11-21 23:56 UTC by Bob Agent",
    "captured/ui_closed_without_owner": "resolved: closed by Alice Agent",
    "captured/closed": "resolved: closed by Bob Agent",
    "payloads/state_closed": "resolved: closed by Jonas Weber",
    "captured/pending_close_reached": "resolved: closed by the helpdesk",
    "payloads/pending_close_reached": "resolved: closed by the helpdesk",
    "captured/reopened_by_agent": "acknowledged: reopened and so taken by Bob Agent",
    "payloads/reopened_by_customer_email": "created: plan normal: reopened",
    "captured/merged_source": "resolved: merged into ticket 58006 by Alice Agent",
    "payloads/merged_source": "resolved: merged into ticket 67101 by Jonas Weber",
}

#: What the ticket says when dana had been told (after "Escalation E-2"); all else leaves no note.
NOTES: dict[str, str] = {
    "captured/agent_takes": " acknowledged by Alice Agent (took the ticket)",
    "captured/ui_owner_chosen": " acknowledged by Alice Agent (took the ticket)",
    "captured/agent_takes_and_notes_in_one_save": " acknowledged by Bob Agent (took the ticket)",
    "payloads/stale_own_echo_hides_agent_ack": " acknowledged by Jonas Weber (took the ticket)",
    "captured/ui_macro_in_the_ticket": " acknowledged by Alice Agent (took the ticket)",
    "captured/macro_in_bulk": " acknowledged by Alice Agent (took the ticket)",
    "captured/macro_in_bulk_by_the_owner_after_our_save": " acknowledged by Alice Agent (note)",
    "payloads/acknowledged_by_macro": " acknowledged by Jonas Weber (took the ticket)",
    "captured/ui_internal_note_with_command": " acknowledged by Alice Agent (note)",
    "payloads/agent_reply_email": " acknowledged by Jonas Weber (replied to the customer)",
    "captured/assigned_by_somebody_else": " handed to Alice Agent, not yet taken",
    "payloads/unassigned_by_timeout": " handed to nobody, not yet taken",
    "captured/priority_lowered": ": plan normal from now on",
    "payloads/priority_changed": ": plan urgent from now on",
    "captured/pending_reminder": " acknowledged by Bob Agent (set it pending)",
    "captured/ui_closed_without_owner": " closed",
    "captured/closed": " closed",
    "captured/reopened_by_agent": " acknowledged by Bob Agent (reopened)",
}
