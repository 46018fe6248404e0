"""`escalator rebuild` asks before it restores, and nobody waits for the answer."""

from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from connector.beginning import begin, record
from connector.cli.common import Places
from connector.cli.rebuild import CHANGED, NOTHING, rebuild

from .test_bad_data import noted
from .test_one_ticket import running
from .worlds import Losing, stands


class Terminal:
    """Somebody at the question; `meanwhile` is what happens until they say yes."""

    def __init__(self, world: Losing, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.world, self.data = world, data
        self.meanwhile = lambda: None
        record(data, world.since)
        monkeypatch.setattr(Places, "services", lambda _: world.services)
        monkeypatch.setattr("connector.cli.rebuild.reader", lambda _: world.engine.reader)
        monkeypatch.setattr(click, "confirm", self._asked)

    def rebuilds(self) -> Result:
        result = CliRunner().invoke(rebuild, ["--data", str(self.data)])
        assert result.exit_code == 0, result.output
        return result

    def up_begins(self) -> None:
        assert begin(self.world.services, self.data, self.world.clock.now(), lambda _: None)

    def _asked(self, *_: object, **__: object) -> bool:
        self.meanwhile()
        return True


@pytest.fixture
def terminal(world: Losing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    return Terminal(world, tmp_path, monkeypatch)


def test_it_restores_what_it_has_shown(terminal: Terminal) -> None:
    before = noted(terminal.world)
    said = terminal.rebuilds()
    assert stands(terminal.world.escalation()) == before
    assert CHANGED not in said.output
    assert "Done: Escalator goes on." in said.output


def test_while_it_asks_up_begins_by_itself_and_then_nothing_is_left_to_do(terminal: Terminal) -> None:
    before = noted(terminal.world)
    terminal.meanwhile = terminal.up_begins
    said = terminal.rebuilds()
    assert stands(terminal.world.escalation()) == before
    assert said.stderr.splitlines()[-1] == CHANGED
    assert said.stdout.splitlines()[-1] == NOTHING


def test_what_has_changed_while_it_asked_is_said_and_counts(terminal: Terminal) -> None:
    running(terminal.world, "43")
    noted(terminal.world)
    terminal.meanwhile = lambda: terminal.world.helpdesk.takes("43")
    said = terminal.rebuilds()
    assert said.stderr.splitlines()[-1] == CHANGED
    assert "acknowledged" in said.stdout
    assert terminal.world.escalation("43").acknowledged is not None
    assert terminal.world.escalation("42").state.climbing
