"""What tests of both helpdesks need."""

import pytest


class Clock:
    """A monotonic clock that stands still until a test sets its seconds."""

    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()
