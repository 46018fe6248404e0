"""An administrator's calls, each list asked for once."""

from collections.abc import Mapping
from typing import Any

from connector.helpdesks.zammad.client import Client


class Admin:
    """A list that was read is kept until something of its kind is written: it serves many rows.

    For one run by one administrator: what others change meanwhile isn't seen.
    """

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
        kind = _kind(path)
        self._read = {asked: answer for asked, answer in self._read.items() if not kind.startswith(_kind(asked[0]))}
        return self._client.write(method, path, body)


def _kind(path: str) -> str:
    """`/users/5` and `/users/search` are about users; some commands' names begin with what they are about."""
    return path.split("/")[1]
