"""What Escalator needs in Znuny, made and compared by Znuny's own Perl modules on Znuny's host.

Znuny's web service can't make a web service, an agent or a field. On the helpdesk's own host its Perl does; elsewhere a
file is written that does the same there. Either way the script and what is wanted go through a pipe or a file that only
its owner can read: secrets stand in no command line.
"""

import json
import os
import pwd
import secrets
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from connector.errors import ConfigError, HelpdeskAway, HelpdeskRefused
from connector.setting_up import ByHand, Piece, Standing, Wanted

HERE = Path(__file__).parent
SHIPPED = HERE.parents[3] / "config" / "znuny"
HOMES = ("/opt/znuny", "/opt/otrs", "/usr/share/otrs")
USERS = ("znuny", "otrs")
PERL = ("perl", "-I.", "-IKernel/cpan-lib", "-ICustom")
WITHIN = 120.0  # seconds
CANT_BE_TAKEN_AWAY = (
    "notes and history on tickets",
    "the dynamic fields, switched off, with what stands in them (Admin > Dynamic Fields deletes them)",
    "the agent, whom Znuny can only switch off (--purge)",
)


@dataclass(frozen=True)
class ZnunySetUp:
    """See connector.setting_up.SetUp. `home` and `user` are Znuny's on this host."""

    home: Path
    user: str
    wanted: Mapping[str, Any]
    made: list[str] = field(default_factory=list)

    def look(self) -> Sequence[Piece]:
        return [Piece(one["name"], Standing(one["standing"]), tuple(one["changes"])) for one in self._pieces()]

    def make(self, name: str) -> None:
        self._run("make", name)
        if name.startswith("password") and not self.wanted["password"]:
            self.made[:] = [str(self.wanted["new_password"])]

    def remove(self, name: str) -> bool:
        return bool(self._run("remove", name)["removed"])

    def removable(self, *, purge: bool) -> Sequence[str]:
        there = [one for one in reversed(self._pieces()) if "password" not in one["name"] and _active(one)]
        return [one["name"] for one in there if purge or not one["purge"]]

    def cautions(self, names: Sequence[str]) -> Sequence[str]:  # noqa: ARG002 - Znuny brings nothing along
        return []

    def left_behind(self) -> Sequence[str]:
        return CANT_BE_TAKEN_AWAY

    def new_token(self) -> str:
        return self.made[0] if self.made else ""

    def findings(self) -> Sequence[str]:
        return []

    def _pieces(self) -> list[dict[str, Any]]:
        return list(self._run("look")["pieces"])

    def _run(self, *words: str) -> dict[str, Any]:
        ours = pwd.getpwuid(os.geteuid()).pw_name == self.user
        command = [*([] if ours else ["runuser", "-u", self.user, "--"]), *PERL, "-", *words]
        try:
            done = subprocess.run(
                command, input=script(self.wanted), cwd=self.home, capture_output=True, text=True, timeout=WITHIN
            )
        except (OSError, subprocess.TimeoutExpired) as problem:
            raise HelpdeskAway("Znuny's Perl can't be run.", details=type(problem).__name__) from None
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["no word"])[-1]
            raise HelpdeskRefused("Znuny's Perl ended with an error.", details=last[:200])
        return dict(json.loads(done.stdout.strip().splitlines()[-1]))


def _active(piece: Mapping[str, Any]) -> bool:
    return piece["standing"] != Standing.MISSING and "switched off -> valid" not in piece["changes"]


def script(wanted: Mapping[str, Any]) -> str:
    """The whole script, with what is wanted behind it."""
    return f"{(HERE / 'pieces.pl').read_text('utf-8')}\n__DATA__\n{json.dumps(wanted)}\n"


def wishes(wanted: Wanted) -> dict[str, Any]:
    """What is wanted, as the script reads it."""
    address = urlsplit(wanted.public_url.rstrip("/"))
    return {
        "login": wanted.login,
        "password": wanted.token,
        "new_password": f"{secrets.token_urlsafe(24)}-aA1",
        "webservice": wanted.webservice,
        "webservice_yml": (SHIPPED / "webservice.yml").read_text("utf-8"),
        "host": f"{address.scheme}://{address.netloc}",
        "path": f"{address.path}/webhooks/znuny",
        "header": wanted.webhook_header,
        "secret": wanted.webhook_secret,
        "pages": (SHIPPED / "ZZZEscalator.pm").read_text("utf-8"),
    }


def build(wanted: Wanted, _administrator: Callable[[], object]) -> ZnunySetUp:
    """The set-up of the Znuny on this host. Raises ByHand where there is none: a file does it there."""
    home = next((Path(home) for home in HOMES if (Path(home) / "bin" / "otrs.Console.pl").exists()), None)
    user = next((user for user in USERS if _exists(user)), None)
    wishes_ = wishes(wanted)
    if home is None or user is None:
        if not wanted.token:
            raise ConfigError("Choose a password for Escalator's agent and put it into the config first.")
        raise ByHand(script(wishes_), COMMANDS)
    if os.geteuid() != 0 and pwd.getpwuid(os.geteuid()).pw_name != user:
        raise ConfigError(
            f"Znuny is on this host; run this as root or as {user}, so that Znuny's own Perl can be used."
        )
    if shutil.which("perl") is None:
        raise ConfigError("Znuny is on this host, but perl isn't on the PATH.")
    return ZnunySetUp(home, user, wishes_)


COMMANDS = (
    "scp {file} root@HELPDESK:/tmp/escalator.pl",
    f"ssh root@HELPDESK 'cd /opt/znuny && runuser -u znuny -- {' '.join(PERL)} - make < /tmp/escalator.pl'",
    "ssh root@HELPDESK rm /tmp/escalator.pl",
)


def _exists(user: str) -> bool:
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True
