"""Stand-ins for the providers, spoken to over their real protocols on this machine: for the demo and the tests."""

from contextlib import ExitStack
from typing import Any

from ._server import Stoppable
from .apns import Apns
from .http_post import Receiver
from .smtp import Smtp
from .twilio import Twilio
from .webpush import PushService

__all__ = ["Apns", "Providers", "PushService", "Receiver", "Smtp", "Twilio"]

#: Twilio's own magic "from" number for tests.
FROM = "+15005550006"


class Providers(Stoppable):
    """All of them at once, on free ports.

    public_url, deliver_to, pace: as for `Twilio`; people's SMS go to `public_url` + /callbacks/twilio/sms.
    """

    def __init__(self, *, public_url: str = "", deliver_to: str = "", pace: float = 0.02) -> None:
        sms_url = public_url + "/callbacks/twilio/sms" if public_url else ""
        self.twilio = Twilio(public_url=public_url, deliver_to=deliver_to, sms_url=sms_url, pace=pace)
        self.apns = Apns()
        self.smtp = Smtp()
        self.http_post = Receiver()
        self._running = ExitStack()

    def reach(self, public_url: str, deliver_to: str = "") -> None:
        """Says where the program under test is, once its port is known."""
        self.twilio.public_url, self.twilio.deliver_to = public_url, deliver_to
        self.twilio.sms_url = public_url + "/callbacks/twilio/sms"

    @property
    def twilio_section(self) -> dict[str, Any]:
        """What a config's `twilio` section needs; once started."""
        return {
            "account_sid": self.twilio.account_sid,
            "auth_token": self.twilio.auth_token,
            "api_url": self.twilio.url,
        }

    @property
    def channels_section(self) -> dict[str, dict[str, Any]]:
        """What a config's `channels` section needs; once started."""
        return {
            "push": self.apns.options,
            "sms": {"from": FROM},
            "phone": {"from": FROM, "language": "en-GB"},
            "email": self.smtp.options,
            "pager": {"kind": "http_post", "url": self.http_post.url, "secret": self.http_post.secret},
        }

    def start(self) -> None:
        with ExitStack() as starting:
            for each in (self.twilio, self.apns, self.smtp, self.http_post):
                starting.enter_context(each)
            self._running = starting.pop_all()

    def stop(self) -> None:
        self._running.close()
