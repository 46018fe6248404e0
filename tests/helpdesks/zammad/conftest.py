"""The sandbox Zammad, and the adapter that speaks to it over real HTTP."""

from collections.abc import Iterator

import pytest

from connector.helpdesks.zammad import build
from connector.ports import Helpdesk
from connector.sandbox.zammad import SandboxZammad


@pytest.fixture(scope="module")
def zammad() -> Iterator[SandboxZammad]:
    with SandboxZammad() as running:
        yield running


@pytest.fixture
def helpdesk(zammad: SandboxZammad) -> Helpdesk:
    return build({"url": zammad.url, "token": zammad.escalator.token, "webhook_secret": "EXAMPLE", "timeout": 10})
