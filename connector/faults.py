"""An exception in one line that may stand in a log."""

import traceback
from pathlib import Path

from .errors import EscalatorError


def describe(error: BaseException) -> str:
    """What went wrong and where, without any value: `KeyError at store.py:120 in load`.

    Our own errors are quoted (see errors.py); the text of others may hold a number, a URL or a message.
    """
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno} in {frames[-1].name}" if frames else ""
    said = f": {error}" if isinstance(error, EscalatorError) else ""
    return f"{type(error).__name__}{place}{said}"
