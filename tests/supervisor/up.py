"""A small `up` for the tests: `python up.py DATA CONFIG`; CONFIG is JSON: processes, listen, and whether it is good.

`dies_meanwhile`: id of a process that ends while the config is read.
"""

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from connector.supervisor import Process, Supervisor

config = Path(sys.argv[2])


def say(line: str) -> None:
    print(line, flush=True)


def good() -> bool:
    said = json.loads(config.read_text())
    if pid := said.get("dies_meanwhile"):
        os.kill(pid, signal.SIGKILL)
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    if not said.get("good", True):
        say("config.yml line 3: no such priority")
    return said.get("good", True)


def ready(path: str | None) -> Callable[[], bool] | None:
    """Ready once this file is there; a file that says "broken" makes the question itself fail."""

    def there() -> bool:
        file = Path(path or "")
        if file.is_file() and file.read_text() == "broken":
            raise ConnectionError("redis://:secret@localhost")
        return file.exists()

    return None if path is None else there


settings = json.loads(config.read_text())
sys.exit(
    Supervisor(
        [
            Process(
                each["name"],
                [sys.executable if part == "python" else part for part in each["command"]],
                each.get("env", {}),
                ready=ready(each.get("ready")),
                restart_on_reload=each.get("restart_on_reload", True),
                patience=each.get("patience", 5.0),
            )
            for each in settings["processes"]
        ],
        Path(sys.argv[1]),
        good,
        say,
        listen=tuple(settings["listen"]) if "listen" in settings else None,
    ).run()
)
