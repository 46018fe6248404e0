"""A person as the config (or the helpdesk) lets us reach them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Contact:
    """`key` is the config's name for them, or `login:<login>` for somebody known only from the helpdesk.

    `mobile` is in E.164 form ("+49..."). Empty strings mean: can't be reached that way.
    """

    key: str
    name: str
    login: str = ""
    email: str = ""
    mobile: str = ""
    push: tuple[str, ...] = ()
    timezone: str = ""
    language: str = ""
