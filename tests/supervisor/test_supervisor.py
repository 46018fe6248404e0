"""`escalator up` keeps its processes running, in order, and takes them with it. Every process here is real."""

import signal
import socket
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from .harness import Up, left_after

# Says when it starts and when it is told to end, into its output (which the supervisor passes on with its name).
STEADY = """
import signal, sys
def end(*_):
    print('ending', flush=True)
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
print('started', flush=True)
signal.pause()
"""
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('started', flush=True); signal.pause()"


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Callable[..., Up]]:
    opened: list[Up] = []

    def open_one(*processes: dict[str, Any], **more: object) -> Up:
        opened.append(Up(tmp_path, list(processes), **more))
        return opened[-1]

    yield open_one
    for each in opened:
        each.close()


def steady(name: str, **more: object) -> dict[str, Any]:
    return {"name": name, "command": ["python", "-c", STEADY], **more}


def test_processes_run_until_sigterm_and_are_given_time_to_end(up: Callable[..., Up], tmp_path: Path) -> None:
    running = up(steady("redis"), steady("timers"), steady("web"))
    running.until("Ready.")
    running.until("started", times=3)

    running.popen.terminate()

    assert running.popen.wait(timeout=10) == 0
    assert {line for line in running.lines if "started" in line} == {
        "redis  | started",
        "timers | started",
        "web    | started",
    }
    assert running.count("ending") == 3


def test_the_next_process_starts_only_when_the_one_before_is_ready(up: Callable[..., Up], tmp_path: Path) -> None:
    mark = tmp_path / "ready"
    slow = """
import pathlib, signal, sys, time
time.sleep(0.4)
print('loaded', flush=True)
pathlib.Path(sys.argv[1]).touch()
signal.pause()
"""

    running = up({"name": "redis", "command": ["python", "-c", slow, str(mark)], "ready": str(mark)}, steady("web"))
    running.until("web   | started")

    assert running.lines.index("redis | loaded") < running.lines.index("web   | started")


def test_what_others_needed_is_stopped_only_after_they_are_gone(up: Callable[..., Up], tmp_path: Path) -> None:
    mark = tmp_path / "ready"
    mark.touch()
    running = up(steady("redis", ready=str(mark)), steady("web"))
    running.until("started", times=2)

    running.popen.send_signal(signal.SIGINT)
    running.popen.wait(timeout=10)

    assert running.lines[-2:] == ["web   | ending", "redis | ending"]


def test_a_ready_question_that_fails_is_said_once_and_asked_again(up: Callable[..., Up], tmp_path: Path) -> None:
    mark = tmp_path / "ready"
    mark.write_text("broken")
    running = up(steady("redis", ready=str(mark)), steady("web"))
    running.until("redis can't be asked whether it is ready: ConnectionError at up.py:")

    mark.write_text("")

    running.until("web   | started")
    assert running.count("can't be asked") == 1
    assert running.count("secret") == 0


def test_a_killed_process_runs_again_within_a_second(up: Callable[..., Up]) -> None:
    running = up(steady("worker"))
    running.until("worker | started")

    running.children()[0].kill()

    assert running.until("worker | started", times=2) < 1.0
    assert running.count("worker ended (SIGKILL); starting it again") == 1


def test_one_that_keeps_dying_is_started_again_and_again_with_pauses(up: Callable[..., Up]) -> None:
    running = up({"name": "worker", "command": ["python", "-c", "raise SystemExit(3)"]}, steady("web"))

    running.until("worker ended (code 3); starting it again in 0.5 s")
    running.until("worker ended (code 3); starting it again in 1.0 s")

    assert running.popen.poll() is None
    assert running.count("web ended") == 0


def test_a_program_that_is_not_there_is_named_in_one_sentence(up: Callable[..., Up]) -> None:
    running = up({"name": "redis", "command": ["/nowhere/redis-server"]})

    running.until("redis | /nowhere/redis-server can't be started: No such file or directory")


def test_one_that_does_not_end_is_killed_after_its_patience(up: Callable[..., Up]) -> None:
    running = up({"name": "worker", "command": ["python", "-c", STUBBORN], "patience": 0.5})
    running.until("started")
    below = running.children()

    running.popen.terminate()

    assert running.popen.wait(timeout=5) == 0
    assert left_after(below, within=0) == []


def test_nothing_is_left_when_the_supervisor_itself_is_killed(up: Callable[..., Up]) -> None:
    running = up(steady("redis"), steady("worker"), steady("timers"))
    running.until("started", times=3)
    below = running.children()
    assert len(below) == 3

    running.popen.kill()

    assert left_after(below, within=1.0) == []


APPLICATION = """
def app(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [b'served']
"""


def web(folder: Path) -> dict[str, Any]:
    (folder / "tiny.py").write_text(APPLICATION)
    command = ["-m", "gunicorn", "--chdir", str(folder), "--workers", "2", "--threads", "2", "--bind", "{listen}"]
    return {"name": "web", "command": ["python", *command, "--no-control-socket", "tiny:app"]}


def served(running: Up) -> str:
    address = next(line.removeprefix("Ready: ") for line in running.lines if line.startswith("Ready: "))
    with urllib.request.urlopen(address, timeout=5) as answer:
        return answer.read().decode()


def test_no_gunicorn_worker_is_left_when_the_supervisor_is_killed(up: Callable[..., Up], tmp_path: Path) -> None:
    running = up(web(tmp_path), listen=["127.0.0.1", 0])
    running.until("Booting worker", times=2)
    assert served(running) == "served"
    below = running.children()
    assert len(below) == 3

    running.popen.kill()

    assert left_after(below, within=5.0) == []


def test_a_killed_gunicorn_takes_its_workers_along_and_serves_again_on_the_same_port(
    up: Callable[..., Up], tmp_path: Path
) -> None:
    running = up(web(tmp_path), listen=["127.0.0.1", 0])
    running.until("Booting worker", times=2)
    master = psutil.Process(running.popen.pid).children()[0]
    workers = master.children()

    master.kill()

    assert left_after(workers, within=1.0) == []
    assert served(running) == "served"  # the socket is the supervisor's: the request waits, nobody refuses it
    assert running.count("in use") == 0


def test_a_port_in_use_is_said_in_one_sentence(up: Callable[..., Up], tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        running = up(steady("web"), listen=["127.0.0.1", port])

        assert running.popen.wait(timeout=10) == 1
    assert running.lines == [f"Port {port} on 127.0.0.1 is in use: choose another with --port."]


def test_a_second_up_on_the_same_data_is_refused(up: Callable[..., Up], tmp_path: Path) -> None:
    running = up(steady("web"))
    running.until("Ready.")

    second = running.start()

    assert second.wait(timeout=30) == 1
    running.until(f"Another `escalator up` runs with --data {running.data} (process {running.popen.pid}).")


def test_the_next_up_waits_for_the_children_of_one_that_was_killed(up: Callable[..., Up], tmp_path: Path) -> None:
    slow_end = STEADY.replace("print('ending'", "import time; time.sleep(1); print('ending'")
    running = up({"name": "redis", "command": ["python", "-c", slow_end]})
    running.until("redis | started")
    old = running.children()[0]

    running.popen.kill()
    running.popen.wait()
    running.popen = running.start()

    running.until("redis | started", times=2)
    assert running.count("waiting for its processes to end") == 1
    assert left_after([old], within=0) == []


def test_sighup_with_a_good_config_restarts_one_by_one_but_not_redis(up: Callable[..., Up]) -> None:
    running = up(steady("redis", restart_on_reload=False), steady("timers"), steady("web"))
    running.until("started", times=3)

    running.popen.send_signal(signal.SIGHUP)
    running.until("Reloaded.")

    running.until("web    | started", times=2)
    after = [line for line in running.lines if "|" in line][3:]
    assert [line for line in after if "ending" in line] == ["timers | ending", "web    | ending"]
    assert not any(line.startswith("redis") for line in after)
    assert running.count("starting it again") == 0


def test_sighup_with_a_bad_config_keeps_everything_as_it_was(up: Callable[..., Up]) -> None:
    running = up(steady("timers"), steady("web"))
    running.until("started", times=2)
    before = {process.pid for process in running.children()}
    running.configure(good=False)

    running.popen.send_signal(signal.SIGHUP)

    running.until("Reload refused: everything goes on with the config as it was.")
    assert running.count("config.yml line 3: no such priority") == 1
    assert {process.pid for process in running.children()} == before


def test_one_that_dies_while_the_new_config_is_read_is_no_reason_to_end(up: Callable[..., Up]) -> None:
    """Building every channel takes a second, and in this time nobody looks after the processes."""
    running = up(steady("redis", restart_on_reload=False), steady("timers", env={"NAME": "timers"}), steady("web"))
    running.until("started", times=3)
    timers = next(process for process in running.children() if "timers" in process.environ().get("NAME", ""))
    running.configure(dies_meanwhile=timers.pid)

    running.popen.send_signal(signal.SIGHUP)
    running.until("Reloaded.")

    running.until("timers | started", times=2)
    running.until("web    | started", times=2)
    assert running.popen.poll() is None
    assert running.count("Traceback") == 0
