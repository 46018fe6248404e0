"""Redis found by its Sentinels: the master is used, another one after a failover; who refuses writes is away."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis as redis_py
from redis.sentinel import Sentinel, SentinelConnectionPool

from connector import queues
from connector.cli.redis_look import look_at_redis, problems
from connector.clockwork.redis_health import refusal
from connector.errors import ConfigError
from connector.redis_server import connect
from connector.sandbox.providers._tls import make_certificates, server_context

from ..redis.processes import timers, until, worker
from ..stories.world import eventually, free_port
from . import sentinels
from .machines import Wire, dial
from .sentinels import PASSWORD, SERVICE, Cluster, quietly

TLS = "rediss+sentinel://:secret@10.0.0.1:26379,10.0.0.2:26379/pager"


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Cluster]:
    """One to break."""
    with sentinels.running(tmp_path) as cluster:
        yield cluster


def test_the_master_that_the_sentinels_name_is_used(cluster: Cluster) -> None:
    with connect(cluster.url) as client:
        client.set("ticket", "42")
        assert client.info("replication")["role"] == "master"
        assert cluster.node(cluster.master()).get("ticket") == b"42"


def test_a_sentinel_that_is_gone_is_passed_over(cluster: Cluster) -> None:
    with connect(cluster.url.replace("127.0.0.1:", "127.0.0.1:9,127.0.0.1:", 1)) as client:
        assert client.ping()


def test_after_a_failover_the_same_client_talks_to_the_new_master(own: Cluster) -> None:
    with connect(own.url) as client:
        client.set("ticket", "42")
        new, _ = own.fail_over()
        eventually(lambda: quietly(lambda: client.set("ticket", "43")), 30, "a master for the client")
        assert own.node(new).get("ticket") == b"43"


@pytest.mark.timeout(180)
def test_workers_and_timers_go_on_with_the_new_master_by_themselves(own: Cluster) -> None:
    with connect(own.url) as client, worker(queues.WORK, url=own.url), timers(url=own.url):
        _run(client, "before")
        own.fail_over()
        eventually(lambda: quietly(client.ping), 30, "a master for the client")
        _run(client, "after")


def _run(client: redis_py.Redis, job: str) -> None:
    with client.pipeline() as pipe:
        pipe.multi()
        queues.arm(pipe, queues.WORK, "note", [job], f"job-{job}", 0.0)
        pipe.execute()
    until(lambda: client.lrange(job, 0, -1), within=60)


def test_a_master_that_was_demoted_is_away(cluster: Cluster) -> None:
    replica = cluster.node(cluster.replicas()[0])
    for write in (
        lambda: replica.set("ticket", "42"),
        lambda: replica.eval("return redis.call('SET', KEYS[1], '42')", 1, "ticket"),
        lambda: replica.pipeline().set("ticket", "42").execute(),
    ):
        with pytest.raises(redis_py.ConnectionError, match="takes no writes now") as refused:
            write()
        assert refusal(refused.value) == "it is a replica"
    assert replica.get("ticket") in (None, b"42")  # what can be read still is


def test_a_master_with_too_few_replicas_is_away(cluster: Cluster) -> None:
    master = cluster.node(cluster.master())
    master.config_set("min-replicas-to-write", 3)
    try:
        with pytest.raises(redis_py.ConnectionError, match="takes no writes now") as refused:
            master.set("ticket", "42")
        assert refusal(refused.value) == "too few replicas are connected"
    finally:
        master.config_set("min-replicas-to-write", 0)


def test_any_other_error_stays_what_it_is(cluster: Cluster) -> None:
    with connect(cluster.url) as client, pytest.raises(redis_py.ResponseError, match="unknown command"):
        client.execute_command("NOSUCH")


# --- TLS ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def behind_tls(cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A Sentinel and the master that it names, each behind TLS, since not every build of Redis has that itself."""
    make_certificates(tmp_path)
    ports = {port: free_port() for port in (cluster.master(), next(iter(cluster.sentinels)))}
    wires = [Wire(tls, lambda port=port: dial(port), tls=server_context(tmp_path)) for port, tls in ports.items()]
    discover = Sentinel.discover_master

    def discovered(self: Sentinel, name: str) -> tuple[str, int]:
        host, port = discover(self, name)
        return host, ports[port]

    monkeypatch.setattr("redis.sentinel.Sentinel.discover_master", discovered)
    yield f"rediss+sentinel://:{PASSWORD}@127.0.0.1:{ports[next(iter(cluster.sentinels))]}/{SERVICE}"
    for wire in wires:
        wire.cut()


def test_sentinels_and_master_are_asked_over_tls(behind_tls: str, tmp_path: Path) -> None:
    with connect(f"{behind_tls}?ssl_ca_certs={tmp_path / 'ca.pem'}") as client:
        assert client.ping()


def test_nobody_is_asked_whose_certificate_is_not_trusted(behind_tls: str) -> None:
    with connect(behind_tls) as client, pytest.raises(redis_py.ConnectionError):
        client.ping()


# --- which URL ------------------------------------------------------------------------------------------------------


def test_a_url_tells_service_database_and_who_signs_in_where() -> None:
    url = (
        "rediss+sentinel://pager:se%2Fcret@a.example.com,[::1]:5000/desk/2?sentinel_password=other&ssl_ca_certs=/ca.pem"
    )
    with connect(url) as client:
        pool = client.connection_pool
        assert isinstance(pool, SentinelConnectionPool)
        assert pool.service_name == "desk"
        options = pool.connection_kwargs
        assert (options["username"], options["password"], options["db"]) == ("pager", "se/cret", 2)
        assert options["ssl_ca_certs"] == "/ca.pem"
        asked = [sentinel.connection_pool.connection_kwargs for sentinel in pool.sentinel_manager.sentinels]
        assert [(each["host"], each["port"]) for each in asked] == [("a.example.com", 26379), ("::1", 5000)]
        assert {(each["password"], each["ssl_ca_certs"]) for each in asked} == {("other", "/ca.pem")}


@pytest.mark.parametrize("url", [TLS, f"{TLS}/3", "redis+sentinel://localhost/pager", "redis+sentinel://[::1]:1/pager"])
def test_safe_urls_are_taken(url: str) -> None:
    connect(url).close()


@pytest.mark.parametrize(
    ("url", "says"),
    [
        (TLS.replace("rediss", "redis"), r"10\.0\.0\.1 without verified TLS: write rediss\+sentinel://"),
        (TLS.replace(":secret@10.0.0.1", "localhost"), r"10\.0\.0\.2 without a password"),
        (f"{TLS}?ssl_cert_reqs=none", "without verified TLS"),
        ("redis+sentinel://:secret@localhost:26379", "can't be understood"),
        ("redis+sentinel://:secret@localhost:26379/pager/first", "can't be understood"),
        ("redis+sentinel://:secret@/pager", "can't be understood"),
        ("redis+sentinel://:secret@localhost:port/pager", "can't be understood"),
        ("http+sentinel://:secret@localhost/pager", "can't be understood"),
    ],
)
def test_a_url_that_is_not_safe_is_refused_in_a_sentence_without_the_password(url: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says) as refused:
        connect(url)
    assert "secret" not in str(refused.value)


def test_a_master_off_this_host_is_refused_where_the_url_has_no_tls(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("redis.sentinel.Sentinel.discover_master", lambda self, name: ("192.0.2.1", 6379))
    with connect(cluster.url) as client, pytest.raises(redis_py.ConnectionError, match="needs TLS and a password"):
        client.ping()


# --- what `check` says of it -----------------------------------------------------------------------------------------


def test_check_warns_of_a_master_that_would_go_on_without_its_replicas(cluster: Cluster) -> None:
    [problem], looked = look_at_redis(cluster.url)
    assert "lost its replicas goes on alone" in problem.sentence
    assert not problem.is_error
    assert (looked.result, looked.sentence.partition(", ")[2]) == ("ok", "append-only file, 2 replicas.")


def test_check_finds_nothing_wrong_with_a_master_that_wants_a_replica(cluster: Cluster) -> None:
    master = cluster.node(cluster.master())
    master.config_set("min-replicas-to-write", 1)
    try:
        assert look_at_redis(cluster.url)[0] == []
    finally:
        master.config_set("min-replicas-to-write", 0)


@pytest.mark.parametrize(
    ("info", "says"),
    [
        ({"redis_version": "6.0.16"}, "older than 6.2"),
        ({"role": "slave"}, "leads to a replica"),
        ({"maxmemory_policy": "allkeys-lru"}, "throws away running escalations"),
        ({"aof_enabled": 0}, "forgets everything when it stops"),
        ({"connected_slaves": 0}, "nothing could take over"),
    ],
)
def test_check_says_what_is_wrong_with_a_redis(info: dict[str, object], says: str) -> None:
    good = {"redis_version": "7.0.15", "role": "master", "aof_enabled": 1, "connected_slaves": 1}
    assert list(problems(good, found_by_sentinels=True)) == []
    [found] = problems({**good, **info}, found_by_sentinels=True)
    assert says in found.sentence
    assert found.mend


@pytest.mark.parametrize(
    ("url", "says"),
    [("redis://127.0.0.1:9", "doesn't answer"), (f"redis+sentinel://127.0.0.1:9/{SERVICE}", "doesn't answer")],
)
def test_check_says_that_no_redis_answers(url: str, says: str) -> None:
    [problem], looked = look_at_redis(url)
    assert problem.is_error
    assert says in looked.sentence


def test_check_says_that_the_password_is_refused_and_never_the_password(cluster: Cluster) -> None:
    [problem], looked = look_at_redis(f"redis://:not-{PASSWORD}@127.0.0.1:{cluster.master()}")
    assert "refuses the password" in looked.sentence
    assert PASSWORD not in f"{problem} {looked}"
