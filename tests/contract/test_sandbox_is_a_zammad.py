"""The sandbox passes the checks that a real Zammad 6.0.0 passed; without that, a story told on it proves nothing."""

import json
import socket
import subprocess
import sys
from pathlib import Path

from connector.sandbox.zammad import SandboxZammad

SCRIPT = Path(__file__).with_name("zammad_conformance.py")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_every_quick_check_that_a_real_zammad_passes_is_passed(tmp_path):
    world = tmp_path / "WORLD.json"
    with SandboxZammad(delivery_delay=0.1) as sandbox:
        world.write_text(json.dumps(sandbox.world(listen=f"127.0.0.1:{free_port()}")))
        run = subprocess.run([sys.executable, SCRIPT, world], capture_output=True, text=True, timeout=100, check=False)
    *checks, total = run.stdout.splitlines()
    assert [line for line in checks if not line.startswith("ok ")] == []
    assert (run.returncode, total, len(checks), run.stderr) == (0, "24 passed, 0 failed", 24, "")
