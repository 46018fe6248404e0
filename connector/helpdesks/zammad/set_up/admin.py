"""An administrator's calls, each list asked for once."""

from collections.abc import Mapping
from typing import Any

from connector.helpdesks.zammad.client import Client


class Admin:
    """What was read is kept until something is written: one list serves many rows. For one run by one administrator."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._read: dict[tuple[str, tuple[tuple[str, Any], ...]], Any] = {}

    def get(self, path: str, params: Mapping[str, Any] | None = None) -> Any:
        """See Client.get."""
        asked = (path, tuple(sorted((params or {}).items())))
        if asked not in self._read:
            self._read[asked] = self._client.get(path, params)
        return self._read[asked]

    def write(self, method: str, path: str, body: Mapping[str, Any]) -> Any:
        """See Client.write."""
        self._read.clear()
        return self._client.write(method, path, body)
