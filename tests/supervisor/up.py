"""A small `up` for the tests: `python up.py DATA CONFIG`; CONFIG is JSON: processes, listen, and whether it is good."""

import json
import sys
from pathlib import Path

from connector.supervisor import Process, Supervisor

config = Path(sys.argv[2])


def say(line: str) -> None:
    print(line, flush=True)


def good() -> bool:
    said = json.loads(config.read_text())
    if not said.get("good", True):
        say("config.yml line 3: no such priority")
    return said.get("good", True)


def ready(path: str | None):
    return None if path is None else Path(path).exists


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
