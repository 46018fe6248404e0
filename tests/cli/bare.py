"""A helpdesk in which nothing of Escalator is set up, for `escalator connect` and `disconnect`."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from click.testing import Result

from connector.sandbox.providers import Providers
from connector.sandbox.zammad import SandboxZammad

from .conftest import Bench, config_of


class Bare(Bench):
    """The config names a file for the token that isn't there."""

    @property
    def admin(self) -> dict[str, str]:
        return {"ESCALATOR_ADMIN_TOKEN": self.zammad.admin.token}

    def connect(self, *words: str, **environ: str) -> Result:
        return self.run("connect", "--login", "escalator-2", *words, **{**self.admin, **environ})

    def disconnect(self, *words: str) -> Result:
        return self.run("disconnect", "--login", "escalator-2", *words, **self.admin)

    def tables(self) -> dict[str, Any]:
        """All that an administrator can see of what was set up."""
        rows = {kind: list(table.values()) for kind, table in self.zammad.desk.tables.items()}
        own, users = list(self.zammad.desk.attributes.values()), list(self.zammad.desk.users.values())
        return json.loads(json.dumps([rows, own, users], default=str))  # type: ignore[no-any-return]

    @property
    def token(self) -> Path:
        return self.folder / "secrets" / "zammad-token"


def bare_bench(folder: Path) -> Iterator[Bare]:
    with SandboxZammad() as zammad, Providers() as providers:
        bench = Bare(folder, zammad, providers, 1)
        bench.config = config_of(zammad, providers, 1)
        del bench.config["helpdesk"]["token"]
        bench.config["helpdesk"]["token_file"] = "secrets/zammad-token"
        bench.write()
        yield bench
