"""A night with real processes whose every secret, number and text is a canary, looked for wherever it must not be.

The night goes badly on purpose: the helpdesk echoes its token, providers echo numbers, callers bring forged proof, and
jobs and records that nobody understands stand in Redis.
"""

import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import requests
from redis import Redis

from connector import queues
from connector.redis_server import connect, redis_url
from tests.stories.plans import BOB, DANA, LEE, NINA, PAUL, RITA, SAM, VERA
from tests.stories.world import World, escalator, eventually

from .test_webhooks import sign

HOOK, KEY, API, BEAT = "canary-webhook-secret", "canary-key-of-links-0123456789", "canary-api-token", "canary-heartbeat"
TITLE, BODY, NOTE = "canarytitle of an outage", "canarybody of the customer", "canarynote of an agent"


class Night(World):
    """The stories' world; secrets come from the environment, as they do where it is in earnest."""

    def start(self) -> None:
        self.desk.start()
        self.providers.start()
        self.desk.set_up_webhook(f"{self.url}/webhooks/zammad", HOOK)
        (self.directory / "escalation.yml").write_text(json.dumps(self.config()))
        self.start_up()

    @property
    def secrets(self) -> dict[str, str]:
        return {
            "DESK_TOKEN": self.desk.api_user.token,
            "HOOK": HOOK,
            "KEY": KEY,
            "API": API,
            "BEAT": f"{self.providers.http_post.base}/{BEAT}",
            "TWILIO": self.providers.twilio.auth_token,
            "PAGER": self.providers.http_post.secret,
        }

    @property
    def environ(self) -> dict[str, str]:
        return {**super().environ, **self.secrets, "COLUMNS": "250"}

    def config(self) -> dict[str, Any]:
        config = super().config()
        config["helpdesk"] |= {"token": "${DESK_TOKEN}", "webhook_secret": "${HOOK}"}
        config["service"] |= {"secret_keys": ["${KEY}"], "api_tokens": {"monitoring": "${API}"}}
        config["service"] |= {"heartbeat_url": "${BEAT}", "use_helpdesk_mobiles": True}
        config["twilio"]["auth_token"] = "${TWILIO}"
        config["channels"]["pager"]["secret"] = "${PAGER}"
        return config

    # --- where canaries are looked for -------------------------------------------------------------------------------

    @property
    def log(self) -> str:
        """What all processes have written."""
        return (self.directory / "up.log").read_text()

    def run(self, *words: str) -> str:
        """All that a command says."""
        done = subprocess.run(escalator(*words), env=self.environ, capture_output=True, text=True, timeout=60)
        return done.stdout + done.stderr

    def redis(self) -> Redis:
        return connect(redis_url(Path(self.environ["ESCALATOR_DATA"]), {}))

    def kept(self) -> str:
        """Every key and value in Redis, and every file of the data directory, where what was deleted still stands."""
        client = self.redis()
        held = [f"{key!r} {everything_of(client, key)!r}" for key in client.scan_iter("*")]
        client.close()
        files = [file.read_bytes() for file in self.data.rglob("*") if file.is_file() and file != self.running_config]
        return "\n".join(held) + b"\n".join(files).decode("latin-1")

    def errors(self) -> str:
        """What strangers are answered, wherever they knock."""
        webhook, body = f"{self.url}/webhooks/zammad", f'{{"ticket": {{"id": "{TITLE}"}}}}'.encode()
        form = {"From": DANA, "Body": BODY, "CallSid": "CA1", "Digits": "1"}
        answers = [
            requests.post(webhook, data=body, headers={"X-Hub-Signature": f"sha1={HOOK}"}, timeout=10),
            requests.post(webhook, data=body, headers={"X-Hub-Signature": sign(body, HOOK)}, timeout=10),
            requests.post(webhook, data=TITLE, headers={"X-Hub-Signature": sign(TITLE.encode(), HOOK)}, timeout=10),
            requests.get(f"{self.url}/ack/{KEY}.AAAAAAAAAAAAAAAA", timeout=10),
            requests.post(f"{self.url}/callbacks/twilio/sms", data=form, timeout=10),
            requests.get(f"{self.url}/api/v1/escalations", headers={"Authorization": f"Bearer {API}x"}, timeout=10),
            self.api("/E-1A/acknowledge", by=TITLE, more=BODY),
            requests.get(f"{self.url}/{TITLE}", timeout=10),
        ]
        assert {answer.status_code // 100 for answer in answers} == {4}
        return "\n".join(f"{answer.headers} {answer.text}" for answer in answers)

    @property
    def data(self) -> Path:
        return self.directory / "data"

    @property
    def running_config(self) -> Path:
        """The config that was found good: its contacts have numbers, its secrets are names of the environment's."""
        [file] = self.data.glob("running-*.yml")
        return file

    def counted(self) -> str:
        pages = [requests.get(f"{self.url}/{name}", timeout=10).text for name in ("metrics", "readyz", "healthz")]
        return "\n".join(pages)


def everything_of(client: Any, key: bytes) -> Any:
    read = {
        b"string": lambda: client.get(key),
        b"hash": lambda: client.hgetall(key),
        b"list": lambda: client.lrange(key, 0, -1),
        b"set": lambda: client.smembers(key),
        b"zset": lambda: client.zrange(key, 0, -1, withscores=True),
        b"stream": lambda: client.xrange(key),
    }
    kind = client.type(key)
    return read[kind]() if kind in read else None  # one that has expired meanwhile has no kind


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Night]:
    """The night is over: everything below looks at what it has left behind."""
    night = Night(tmp_path_factory.mktemp("night"))
    try:
        night.start()
        play(night)
        yield night
    finally:
        night.stop()


@pytest.fixture(scope="module")
def links(night: Night) -> list[str]:
    """The tokens of all personal links that were sent."""
    mails = "".join(str(mail.message) for mail in night.providers.smtp.mails).replace("=\n", "")
    texts = "".join(text.body for text in night.providers.twilio.messages)
    return re.findall(r"/ack/([\w.~-]{20,})", mails + texts)


def play(night: Night) -> None:
    desk, twilio = night.desk, night.providers.twilio
    token = desk.api_user.token
    twilio.on_call(DANA).press("1")
    ladder = night.ticket("ladder", TITLE, body=BODY)
    everyway = night.ticket("everyway", TITLE, body=BODY)
    night.note(ladder, "acknowledged by Dana Reyes")
    night.running(everyway)
    desk.internal_note(everyway, by=desk.alice, body=NOTE)
    twilio.answer_with(21211)  # its words hold the number
    twilio.answer_with(20003)  # and these the account
    night.providers.smtp.refuse("recipient", f"550 5.1.1 {TITLE} of <dana@example.com> {DANA}")
    failing = [night.ticket(plan, TITLE, body=BODY) for plan in ("wrongnumber", "texted", "twice")]
    for ticket in failing:
        night.note(ticket, "step 1 of")
    for status in (401, 403, 422, 500):
        desk.faults.refuse(status, "/api/v1/tickets", times=3, words=f"{token} can't {TITLE} {BODY} {DANA}")
        desk.faults.refuse(status, "/api/v1/ticket_articles", times=1, words=f"{token} can't {TITLE} {BODY} {DANA}")
    refused = night.ticket("calm", TITLE, body=BODY)
    eventually(lambda: "Zammad" in night.log, what="a line about the helpdesk")
    desk.faults.heal()
    client = night.redis()
    with client.pipeline() as pipe:
        pipe.multi()
        queues.enqueue(pipe, queues.WORK, f"os.system.{TITLE}", ["anything"], "smuggled")
        queues.enqueue(pipe, queues.WORK, "wake", [TITLE, "and", "more"], "too-many-arguments")
        pipe.execute()
    client.close()
    eventually(lambda: "smuggled" in night.log, what="a line about the smuggled job")
    night.errors()
    night.note(refused, "step 1 of")
    night.providers.smtp.wait_for(lambda: night.mails(refused))
    assert requests.post(night.link(refused), timeout=10).status_code == 200
    night.note(refused, "acknowledged")


def numbers() -> list[str]:
    """As they are dialled and without their plus; and as people write them."""
    dialled = [one.removeprefix("+") for one in (DANA, LEE, BOB, SAM, NINA, PAUL, RITA, VERA)]
    return [*dialled, *("0" + one[2:] for one in dialled)]


def found(canaries: Mapping[str, str], where: str) -> list[str]:
    return [name for name, canary in canaries.items() if canary in where]


def secret(night: Night) -> dict[str, str]:
    kept = {name: value.rpartition("/")[2] for name, value in night.secrets.items()}
    pem = Path(night.providers.apns.key_file).read_text().splitlines()[1]
    return {**kept, "APNS_KEY": pem, **{f"APNS_TOKEN {n}": one for n, one in enumerate(night.providers.apns.tokens)}}


def personal(night: Night) -> dict[str, str]:
    """What belongs to a person: their numbers, devices and links."""
    devices = {f"device {one[:4]}": one for one in ("ab" * 32, "cd" * 32, "ef" * 32)}
    return {one: one for one in numbers()} | devices


def told(night: Night) -> dict[str, str]:
    """What customers and agents have written."""
    return {one: one for one in (TITLE, BODY, NOTE)}


def test_the_night_went_badly_enough_to_show_something(night: Night, links: list[str]) -> None:
    assert len(links) > 2
    assert night.providers.twilio.calls
    assert night.providers.http_post.received
    assert "Twilio" in night.log + night.kept()
    assert night.log.count("\n") > 10


def test_no_secret_number_or_text_is_in_a_log(night: Night, links: list[str]) -> None:
    tokens = {f"link {number}": token for number, token in enumerate(links)}
    assert found({**secret(night), **personal(night), **told(night), **tokens}, night.log) == []


def test_no_process_left_a_traceback(night: Night) -> None:
    assert "Traceback" not in night.log


def test_no_secret_is_in_redis_or_in_the_data_directory(night: Night, links: list[str]) -> None:
    tokens = {f"link {number}": token for number, token in enumerate(links)}
    assert found({**secret(night), **tokens}, night.kept()) == []


def test_the_config_beside_the_data_is_the_owners_alone_and_holds_no_secret(night: Night) -> None:
    assert night.running_config.stat().st_mode & 0o777 == 0o600
    assert night.data.stat().st_mode & 0o777 == 0o700
    assert found(secret(night), night.running_config.read_text()) == []


def test_no_number_or_device_is_kept_but_of_the_owner_as_the_helpdesk_told_it(night: Night) -> None:
    """Contacts are looked up when a step fires. A ticket's record holds its owner as read: name, mail and mobile."""
    assert found(personal(night), night.kept()) == []


def test_a_title_is_kept_and_what_people_wrote_is_not(night: Night) -> None:
    """The title is matched by rules and stands in every message; bodies are looked at and forgotten."""
    assert set(found(told(night), night.kept())) <= {TITLE}


def test_nothing_of_it_is_answered_to_strangers(night: Night, links: list[str]) -> None:
    assert found({**secret(night), **personal(night), **told(night)}, night.errors()) == []


def test_metrics_and_health_hold_counts_only(night: Night) -> None:
    counted = night.counted()
    assert "escalator_webhooks_refused_total" in counted
    people = {name: name for name in ("Dana", "dana@example.com", "50001", "E-")}
    assert found({**secret(night), **personal(night), **told(night), **people}, counted) == []


@pytest.mark.parametrize("words", [["status"], ["status", "--json", "--all"], ["check"], ["plans"], ["nonsense"]])
def test_no_command_prints_a_secret_or_a_number(night: Night, words: list[str]) -> None:
    said = night.run(*words)
    assert said
    assert found({**secret(night), **personal(night)}, said) == []


def test_the_story_of_an_escalation_holds_no_secret_or_number(night: Night) -> None:
    codes = [one["code"] for one in json.loads(night.run("status", "--json", "--all"))["escalations"]]
    assert len(codes) >= 6
    for code in codes:
        for words in (["show", code], ["show", code, "--json"]):
            assert found({**secret(night), **personal(night), BODY: BODY, NOTE: NOTE}, night.run(*words)) == []
