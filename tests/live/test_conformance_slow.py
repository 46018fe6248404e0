"""All 25 checks, with the real waits between the tries of a refused delivery: about three minutes."""

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from connector.sandbox.zammad import SandboxZammad

SCRIPT = Path(__file__).parents[1] / "contract" / "zammad_conformance.py"


@pytest.mark.timeout(400)
def test_every_check_is_passed_with_the_retries_of_a_real_zammad(tmp_path: Path) -> None:
    world = tmp_path / "WORLD.json"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        listen = f"127.0.0.1:{probe.getsockname()[1]}"
    with SandboxZammad(delivery_delay=0.1) as sandbox:
        world.write_text(json.dumps(sandbox.world(listen)))
        command = [sys.executable, str(SCRIPT), str(world), "--slow"]
        run = subprocess.run(command, capture_output=True, text=True, timeout=380, check=False)
    *checks, total = run.stdout.splitlines()
    assert [line for line in checks if not line.startswith("ok ")] == []
    assert (run.returncode, total, len(checks), run.stderr) == (0, "25 passed, 0 failed", 25, "")
