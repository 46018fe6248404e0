"""A data directory that can't be one is told in one sentence before anything starts."""

from pathlib import Path

import pytest

from connector.cli.up import make
from connector.errors import ConfigError


def test_it_is_made_for_us_alone(tmp_path: Path) -> None:
    make(tmp_path / "new" / "data")
    assert (tmp_path / "new" / "data").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("name", ["a-file", "a-file/below", "long" * 100])
def test_what_is_no_directory_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "a-file").write_text("")
    with pytest.raises(ConfigError, match="can't be used: name a directory that Escalator may write to"):
        make(tmp_path / name)
