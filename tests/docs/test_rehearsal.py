"""The page on rehearsing is true: its keys, commands and options are there."""

import re
from pathlib import Path

from connector.cli import COMMANDS
from connector.cli.up import up

TEXT = (Path(__file__).parents[2] / "docs" / "rehearsal.md").read_text()


def test_every_command_that_it_names_is_there() -> None:
    named = set(re.findall(r"escalator ([a-z-]+)", TEXT)) | {"test-notify", "connect", "doctor", "check"}
    assert named <= set(COMMANDS)
    options = {option for parameter in up.params for option in parameter.opts}
    assert set(re.findall(r"(--[a-z]+)", TEXT)) <= options


def test_its_keys_are_the_configs() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    for key in ("service.mode", "service.redirect_to", "service.since"):
        assert f"| `{key}` |" in readme
