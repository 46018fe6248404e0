"""Setting a helpdesk up: what Escalator needs there, how it stands, and what would change.

A helpdesk's own module says what its pieces are and makes them; `escalator connect` shows and asks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from .errors import EscalatorError


class Standing(StrEnum):
    MISSING = "missing"
    DIFFERENT = "different"
    RIGHT = "right"


@dataclass(frozen=True, slots=True)
class Piece:
    """One thing that Escalator needs in the helpdesk. `changes` say in words what would become different."""

    name: str
    standing: Standing
    changes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a set-up is for. `token`: what the config holds, "" for none yet."""

    url: str
    public_url: str
    webhook_secret: str
    login: str
    token: str = ""  # or password
    ca_file: str | None = None
    webservice: str = ""  # Znuny: its name
    webhook_header: str = ""  # Znuny: what carries the secret
    fields: bool = False  # Zammad: attributes of the ticket, too


class ByHand(EscalatorError):
    """The helpdesk can't be set up from here: a script, and the commands that run it there (`{file}`: its path)."""

    def __init__(self, script: str, commands: Sequence[str]) -> None:
        super().__init__("The helpdesk can't be set up from this host.")
        self.script, self.commands = script, tuple(commands)


class SetUp(Protocol):
    """One helpdesk, spoken to with an administrator's rights. Every call may raise HelpdeskError."""

    def look(self) -> Sequence[Piece]:
        """Every piece as it stands, in the order in which they are made; changes nothing."""

    def make(self, name: str) -> None:
        """Makes a piece that is missing, or mends one that differs; doing it twice changes nothing."""

    def remove(self, name: str) -> bool:
        """Takes a piece away; False when it wasn't there."""

    def removable(self, *, purge: bool) -> Sequence[str]:
        """What is there of ours, in the order in which it can be removed. `purge`: Escalator's own user as well."""

    def cautions(self, names: Sequence[str]) -> Sequence[str]:
        """What whoever agrees to making (or removing) these pieces should know before."""

    def left_behind(self) -> Sequence[str]:
        """What a removal leaves in the helpdesk, in words."""

    def new_token(self) -> str:
        """The token that `make` has made, "" for none: it can't be asked for again."""

    def findings(self) -> Sequence[str]:
        """What is right as a piece and yet deserves a word: rights that are missing or too many, harmful settings."""
