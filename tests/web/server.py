"""gunicorn as `escalator up` runs it, on a free port, in front of a world's config."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import requests

from connector.cli.up import gunicorn_options
from connector.supervisor import LISTEN

ROOT = Path(__file__).parents[2]


class Server:
    """`address` is where it listens. `app` is the module and name of what it serves."""

    def __init__(self, folder: Path, environ: dict[str, str], app: str = "wsgi:app") -> None:
        self._log = folder / "gunicorn.log"
        listener = socket.create_server(("127.0.0.1", 0))
        self.address: tuple[str, int] = listener.getsockname()
        options = [option.replace(LISTEN, f"fd://{listener.fileno()}") for option in gunicorn_options()]
        with self._log.open("wb") as output:
            self.popen = subprocess.Popen(
                [sys.executable, "-m", "gunicorn", *options, app],
                cwd=ROOT,
                env={**os.environ, **environ},
                pass_fds=[listener.fileno()],
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        listener.close()

    @property
    def url(self) -> str:
        return "http://{}:{}".format(*self.address)

    @property
    def log(self) -> str:
        return self._log.read_text()

    def ready(self) -> "Server":
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and self.popen.poll() is None:
            try:
                requests.get(f"{self.url}/healthz", timeout=5)
                return self
            except requests.RequestException:
                time.sleep(0.05)
        raise AssertionError(self.log)

    def close(self) -> None:
        self.popen.terminate()
        self.popen.wait(timeout=20)
