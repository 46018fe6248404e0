"""A person as the config (or the helpdesk) lets us reach them."""

from dataclasses import dataclass, field

LOGIN = "login:"  # begins the key of somebody known only from the helpdesk


@dataclass(frozen=True, slots=True)
class Subscription:
    """Where a browser takes pushes: what `PushSubscription.toJSON()` tells (https://www.w3.org/TR/push-api/).

    `p256dh` (its public key) and `auth` (a secret shared with us) are base64url without padding.
    """

    endpoint: str = field(repr=False)
    p256dh: str = field(repr=False)
    auth: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Contact:
    """`key` is the config's name for them, or `login:<login>` for somebody known only from the helpdesk.

    `mobile` is in E.164 form ("+49..."). Empty strings mean: can't be reached that way. `webpush` never stands in the
    config: browsers are paired.
    """

    key: str
    name: str
    login: str = ""
    email: str = ""
    mobile: str = ""
    push: tuple[str, ...] = ()
    timezone: str = ""
    language: str = ""
    webpush: tuple[Subscription, ...] = ()


def key_of_login(login: str) -> str:
    """The key of somebody whom only the helpdesk knows."""
    return f"{LOGIN}{login}"


def login_in_key(key: str) -> str:
    """The login of somebody whom only the helpdesk knows; "" in the key of a contact of the config."""
    return key.removeprefix(LOGIN) if key.startswith(LOGIN) else ""
