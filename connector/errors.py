"""What can go wrong at the edges, in two kinds (try again, give up) and for two readers.

`str(error)` is one sentence that may stand on a ticket or a terminal: it never holds a secret, a phone number, an
address or a message body. `details` is for the log and keeps to the same rule.
"""


class EscalatorError(Exception):
    """Something that Escalator can explain in one sentence; `sentence` is that as it was given."""

    def __init__(self, sentence: str, *, details: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.details = details


class HelpdeskError(EscalatorError):
    """The helpdesk did not do what it was asked."""


class HelpdeskAway(HelpdeskError):
    """No answer, a 5xx, a 429: worth another try.

    `maybe_done` is True when the request went out and only the answer was lost, so that a write may have happened.
    """

    def __init__(self, sentence: str, *, details: str = "", maybe_done: bool = False) -> None:
        super().__init__(sentence, details=details)
        self.maybe_done = maybe_done


class HelpdeskRefused(HelpdeskError):
    """The helpdesk understood and said no; asking again won't help until a person changes something."""


class PermissionLost(HelpdeskRefused):
    """The API user may not (or no longer) do this. Never to be taken for a deleted ticket."""


class TicketGone(HelpdeskError):
    """The ticket does not exist any more."""


class NotUnderstood(EscalatorError):
    """A webhook body from which no ticket id can be read."""


class Undelivered(EscalatorError):
    """A channel could not hand a message over.

    permanent: this address will never work (unknown number, dead device, opted out); otherwise worth another try.
    maybe_sent: the request went out and its answer was lost; the provider may have it.
    credentials: the provider refused *us*; every message through it fails alike and the operator must know.
    retry_after: seconds that the provider asked us to wait, or None.
    dead: addresses that the provider says are gone for good, as in a receipt; never in a text.
    """

    def __init__(
        self,
        sentence: str,
        *,
        details: str = "",
        permanent: bool = False,
        maybe_sent: bool = False,
        credentials: bool = False,
        retry_after: float | None = None,
        dead: tuple[str, ...] = (),
    ) -> None:
        super().__init__(sentence, details=details)
        self.permanent = permanent
        self.maybe_sent = maybe_sent
        self.credentials = credentials
        self.retry_after = retry_after
        self.dead = dead


class ConfigError(EscalatorError):
    """The config can't be used; the sentence says where and what to write instead."""
