"""The names of what the engine keeps in Redis.

escalator:case:<ticket>      what is known of a ticket, with its escalation (records.py)
escalator:history:<code>     list of history entries
escalator:due                ticket -> when its next tick is due; what is overdue is woken again by the sweep
escalator:out                "<ticket> <notification> [<group>]" -> not before; what deliver drains
escalator:out:<group>        the same of one person and way, while it may go into one message
escalator:message:<id>       a message about several tickets, until its outcome is recorded with each
escalator:pace:<group>       when that person is told again by that way; :spent:<hash> how often in this hour
escalator:breaker:<channel>  how often its provider failed in a row
escalator:desk:<ticket>      list of things to write in the helpdesk, in order
escalator:show:<ticket>      the live state that the helpdesk should show
escalator:desk               ticket -> not before; what desk drains
escalator:hints              ticket -> when to read it; escalator:hint:<ticket> is the number of its last hint
escalator:newest-hint        the number of the last hint of all
escalator:hints:known        the same for known tickets with nothing running: looked at in bulk, before any is read
escalator:hints:behind       and for those of them that differ: read when nothing else waits
escalator:hints:late         there for a while after a hint that came late
escalator:probe              there while somebody waits for the webhook of a probe; :probe:<ticket>: it came
escalator:clock-skew         seconds by which the helpdesk's clock is ahead
escalator:live, :past        ticket -> code; code -> when it ended
escalator:link:<id>          whom a notification told, while its link is valid
escalator:agents             id -> who that is, where the helpdesk lists nobody; :unnamed: ids that only acted
escalator:devices            contacts who have paired devices; :<contact> those, by their id
escalator:counters           counters for /metrics
escalator:epoch, :since      set once by the first `up`; the epoch says whether it is a rehearsal
"""

PREFIX = "escalator:"
DUE, OUT, DESK, HINTS = f"{PREFIX}due", f"{PREFIX}out", f"{PREFIX}desk", f"{PREFIX}hints"
KNOWN, BEHIND, LATE, SKEW = f"{HINTS}:known", f"{HINTS}:behind", f"{HINTS}:late", f"{PREFIX}clock-skew"
LIVE, PAST = f"{PREFIX}live", f"{PREFIX}past"
DEVICES = f"{PREFIX}devices"
EPOCH, SINCE, COUNTERS = f"{PREFIX}epoch", f"{PREFIX}since", f"{PREFIX}counters"


def case_key(ticket_id: str) -> str:
    return f"{PREFIX}case:{ticket_id}"


def wake_job(ticket_id: str) -> str:
    """The id of the RQ job that wakes this ticket's escalation."""
    return f"wake-{ticket_id}"
