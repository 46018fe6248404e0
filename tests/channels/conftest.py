"""Every channel's own code against a stand-in of its provider, over the real protocol."""

from collections.abc import Iterator

import pytest

from channels import Shared, TwilioSettings
from connector.sandbox.providers.twilio import Twilio


@pytest.fixture
def twilio() -> Iterator[Twilio]:
    with Twilio() as running:
        yield running


@pytest.fixture
def shared(twilio: Twilio) -> Shared:
    return Shared(twilio=TwilioSettings(twilio.account_sid, (twilio.auth_token,), twilio.url))
