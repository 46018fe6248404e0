"""The embedded Redis, and which Redis may be used."""

from pathlib import Path

from connector import redis_server as servers


def test_a_real_redis_answers_and_keeps_what_was_written(tmp_path: Path) -> None:
    with servers.running(tmp_path) as embedded:
        servers.connect(embedded.url).set("ticket", "42")

    with servers.running(tmp_path) as embedded:
        assert servers.connect(embedded.url).get("ticket") == b"42"
