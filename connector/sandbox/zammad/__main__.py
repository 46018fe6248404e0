"""Runs the sandbox helpdesk until SIGTERM or Ctrl-C.

`python -m connector.sandbox.zammad --port 3000 --world WORLD.json`
"""

import argparse
import json
import os
import signal
import sys
import threading
from pathlib import Path

from .server import SandboxZammad


def main() -> int:
    """Exit code 0 when it was asked to end, 1 when the port is taken."""
    parser = argparse.ArgumentParser(prog="python -m connector.sandbox.zammad", description="A Zammad in memory.")
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    parser.add_argument("--world", type=Path, help="file to write addresses, people and tokens to")
    parser.add_argument("--listen", default="127.0.0.1:9901", help="where the conformance checks take deliveries")
    parser.add_argument("--webhook", help="set up a webhook to this URL")
    parser.add_argument("--secret", default="", help="its signature token")
    parser.add_argument("--delivery-delay", type=float, default=0.3, help="seconds")
    asked = parser.parse_args()
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    sandbox = SandboxZammad(asked.port, asked.delivery_delay)
    try:
        sandbox.start()
    except OSError as error:
        sys.stderr.write(f"Port {asked.port} can't be used: {error.strerror}.\n")
        return 1
    try:
        if asked.webhook:
            sandbox.set_up_webhook(asked.webhook, asked.secret)
        if asked.world:
            _write_private(asked.world, json.dumps(sandbox.world(asked.listen), indent=1))
        sys.stdout.write(sandbox.url + "\n")
        sys.stdout.flush()
        ended.wait()
    finally:
        sandbox.stop()
    return 0


def _write_private(path: Path, text: str) -> None:
    """Tokens stand in it: for the owner's eyes."""
    part = path.with_name(path.name + ".part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    part.replace(path)


if __name__ == "__main__":
    sys.exit(main())
