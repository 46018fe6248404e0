"""A Redis with replicas, and the Sentinels that choose another master when it dies: real processes on this machine."""

import itertools
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import redis

from connector.redis_server import connect, find_server

from ..stories.world import eventually, free_port

SERVICE = "escalator"
PASSWORD = "a-password-of-the-tests"
PATIENCE = 90.0  # seconds; what goes well takes some few


@dataclass
class Cluster:
    """`servers` by port, the first one the first master; `sentinels` by port."""

    directory: Path
    down_after: int = 3000  # milliseconds without an answer after which a Sentinel believes the master dead
    min_replicas: int = 0
    servers: dict[int, subprocess.Popen[bytes]] = field(default_factory=dict)
    sentinels: dict[int, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """As REDIS_URL has it."""
        hosts = ",".join(f"127.0.0.1:{port}" for port in self.sentinels)
        return f"redis+sentinel://:{PASSWORD}@{hosts}/{SERVICE}"

    def start(self, replicas: int = 2, sentinels: int = 3) -> None:
        master = self.serve()
        for _ in range(replicas):
            self.serve(replica_of=master)
        for _ in range(sentinels):
            self._watch(master)
        self.settled(replicas, sentinels)

    def settled(self, replicas: int, sentinels: int) -> None:
        """Waits until all know each other: before that no Sentinel could act."""
        eventually(lambda: _field(self.node(self.master()), "connected_slaves") == replicas, PATIENCE, "replicas")
        for port in self.sentinels:
            asked = redis.Redis(port=port, decode_responses=True)
            eventually(lambda asked=asked: _knows(asked, replicas, sentinels), PATIENCE, "sentinels that know all")
            asked.close()

    def serve(self, replica_of: int = 0) -> int:
        """One more Redis; its port."""
        port = free_port()
        place = self.directory / f"redis-{port}"
        place.mkdir()
        options = {
            "port": str(port),
            "bind": "127.0.0.1",
            "dir": str(place),
            "requirepass": PASSWORD,
            "masterauth": PASSWORD,
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",
            "maxmemory-policy": "noeviction",
            "repl-diskless-sync": "yes",
            "repl-diskless-sync-delay": "0",
            "min-replicas-to-write": str(self.min_replicas),
            "loglevel": "warning",
        }
        if replica_of:
            options["replicaof"] = f"127.0.0.1 {replica_of}"
        config = place / "redis.conf"
        config.write_text("".join(f"{name} {value or chr(34) * 2}\n" for name, value in options.items()))
        self.servers[port] = self._start(config)
        eventually(lambda: _answers(self.node(port)), PATIENCE, f"Redis on port {port}")
        return port

    def _watch(self, master: int) -> None:
        port = free_port()
        place = self.directory / f"sentinel-{port}"
        place.mkdir()
        config = place / "sentinel.conf"
        lines = (
            f"port {port}",
            "bind 127.0.0.1",
            f"dir {place}",
            f"sentinel monitor {SERVICE} 127.0.0.1 {master} 2",
            f"sentinel auth-pass {SERVICE} {PASSWORD}",
            f"sentinel down-after-milliseconds {SERVICE} {self.down_after}",
            f"sentinel failover-timeout {SERVICE} 5000",
            f"sentinel parallel-syncs {SERVICE} 2",
        )
        config.write_text("\n".join(lines) + "\n")
        self.sentinels[port] = self._start(config, "--sentinel")

    def _start(self, config: Path, *more: str) -> subprocess.Popen[bytes]:
        log = (config.parent / "log").open("ab")
        with log:
            return subprocess.Popen(
                [find_server().path, config, *more], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def node(self, port: int) -> redis.Redis:
        """A client of this one server, whatever it is now."""
        return connect(f"redis://:{PASSWORD}@127.0.0.1:{port}")

    def master(self) -> int:
        """The port of the one that the first Sentinel that answers believes in."""
        for port in self.sentinels:
            with redis.Redis(port=port, decode_responses=True) as asked:
                try:
                    return int(asked.sentinel_get_master_addr_by_name(SERVICE)[1])
                except redis.RedisError:
                    continue
        raise AssertionError("no Sentinel answers")

    def fail_over(self) -> tuple[int, float]:
        """Kills the master. Returns the port of the new one, and the seconds until it took writes."""
        dead, began = self.master(), time.monotonic()
        self.kill(dead)
        new = eventually(lambda: self._successor(dead), PATIENCE, "a new master")
        return new, time.monotonic() - began

    def _successor(self, dead: int) -> int:
        for port in self.servers:
            if port != dead and self.servers[port].poll() is None and _role(self.node(port)) == "master":
                return port
        return 0

    def cut_off(self) -> None:
        """Replicas lose their master, which goes on without them."""
        for port in self.replicas():
            self.node(port).config_set("masterauth", "wrong")
            self.node(port).client_kill_filter(_type="master")
        eventually(lambda: _field(self.node(self.master()), "connected_slaves") == 0, PATIENCE, "no replica")

    def join(self) -> None:
        """They may follow again."""
        for port in self.replicas():
            self.node(port).config_set("masterauth", PASSWORD)

    def replicas(self) -> list[int]:
        """The ports of all that live, but for the master's."""
        master = self.master()
        return [port for port, server in self.servers.items() if server.poll() is None and port != master]

    def kill(self, port: int) -> None:
        self.servers[port].kill()
        self.servers[port].wait()

    def revive(self, port: int) -> None:
        """Starts a killed one again, with the file that it left; the Sentinels make it a replica."""
        self.servers[port] = self._start(self.directory / f"redis-{port}" / "redis.conf")

    def stop(self) -> None:
        for process in itertools.chain(self.sentinels.values(), self.servers.values()):
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
                process.wait()


@contextmanager
def running(directory: Path, **options: int) -> Iterator[Cluster]:
    """A master, two replicas and three Sentinels for as long as the block lasts."""
    cluster = Cluster(directory, **options)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


def quietly(ask: Callable[[], object]) -> object:
    """The answer, or None while nobody gives one."""
    try:
        return ask()
    except redis.RedisError:
        return None


def _answers(node: redis.Redis) -> bool:
    return bool(quietly(node.ping))


def _field(node: redis.Redis, name: str) -> object:
    told = quietly(lambda: node.info("replication"))
    return told.get(name) if isinstance(told, dict) else None


def _role(node: redis.Redis) -> object:
    return _field(node, "role")


def _knows(sentinel: "redis.Redis[str]", replicas: int, sentinels: int) -> bool:
    told = quietly(lambda: sentinel.sentinel_master(SERVICE))
    if not isinstance(told, dict):
        return False
    return told.get("num-slaves") == replicas and told.get("num-other-sentinels") == sentinels - 1
