"""A world for `escalator doctor`, and the faults that can be put into it. Each answers how it is mended."""

import json
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import psutil
from click.testing import Result

from connector.sandbox.zammad.server import _Quiet

from .conftest import Bench

TITLE = "Escalator's probe: please leave it alone, it closes by itself"
SOON = "3"  # seconds, where nothing comes however long one waits
ENOUGH = "60"


@dataclass
class Clinic(Bench):
    """`other`: what the environment of `doctor` says otherwise than that of `up`."""

    other: dict[str, str] = field(default_factory=dict)

    def doctor(self, *words: str, within: str = ENOUGH, admin: bool = False) -> Result:
        token = {"ESCALATOR_ADMIN_TOKEN": self.zammad.admin.token} if admin else {}
        return self.run("doctor", "--within", within, *words, **self.other, **token)

    @property
    def probes(self) -> list[dict[str, Any]]:
        """Every probe ever made, the newest last."""
        with self.zammad.desk.lock:
            made = [id for id, row in self.zammad.desk.tickets.items() if row["title"] == TITLE]
        return [self.zammad.ticket(id) for id in made]


def webhook(clinic: Clinic, **columns: Any) -> Callable[[], None]:
    """Changes the webhook; what is given back mends it."""
    return _change(clinic, "webhooks", columns)


def triggers(clinic: Clinic, **columns: Any) -> Callable[[], None]:
    return _change(clinic, "triggers", columns)


def _change(clinic: Clinic, kind: str, columns: dict[str, Any]) -> Callable[[], None]:
    zammad, before = clinic.zammad, {id: dict(row) for id, row in clinic.zammad.desk.tables[kind].items()}
    admin = zammad.caller(zammad.admin)
    for id in before:
        zammad.setup.save(admin, kind, id, columns)

    def mend() -> None:
        for id, row in before.items():
            zammad.setup.save(admin, kind, id, row)

    return mend


def config(clinic: Clinic, **sections: Any) -> Callable[[], None]:
    """Other sections for `doctor` alone: `up` keeps running on the good config."""
    path = clinic.folder / "other.yml"
    path.write_text(json.dumps({**clinic.config, **sections}))
    clinic.other["ESCALATOR_CONFIG"] = str(path)
    return clinic.other.clear


def options(clinic: Clinic, section: str, **keys: Any) -> Callable[[], None]:
    """The same for some keys of one section."""
    return config(clinic, **{section: {**clinic.config[section], **keys}})


def refuse(clinic: Clinic, status: int, path: str, **more: Any) -> Callable[[], None]:
    clinic.zammad.faults.refuse(status, path, **more)
    return clinic.zammad.faults.heal


def permit(clinic: Clinic, *rights: str) -> Callable[[], None]:
    def mend() -> None:
        for group in ("Network", "2nd Level"):
            clinic.zammad.permit(group)

    for group in ("Network", "2nd Level"):
        clinic.zammad.permit(group, rights)
    return mend


def only_one_attribute(clinic: Clinic) -> Callable[[], None]:
    """Somebody has deleted the other one."""
    own, admin = clinic.zammad.setup.attributes, clinic.zammad.caller(clinic.zammad.admin)
    step = {"object": "Ticket", "name": "escalator_step", "display": "Escalation step", "data_type": "input"}
    row = own.create(admin, {**step, "active": True, "data_option": {"type": "text", "maxlength": 120}})
    own.migrate()

    def mend() -> None:
        own.delete(row["id"])
        own.migrate()

    return mend


def clock_ahead(clinic: Clinic) -> Callable[[], None]:
    """The helpdesk's answers are dated ten minutes ahead."""
    honest = _Quiet.date_time_string
    _Quiet.date_time_string = lambda self, at=None: honest(self, (at or time.time()) + 600)  # type: ignore[method-assign]

    def mend() -> None:
        _Quiet.date_time_string = honest  # type: ignore[method-assign]

    return mend


def answered(clinic: Clinic, status: int) -> Callable[[], None]:
    """Something in between answers the helpdesk's posts with this status; 0: nothing answers."""
    deliveries = clinic.zammad.deliveries
    post, deliveries._post = deliveries._post, lambda *_: status  # type: ignore[method-assign]

    def mend() -> None:
        deliveries._post = post  # type: ignore[method-assign]

    return mend


def part_stopped(clinic: Clinic, words: str) -> Callable[[], None]:
    """A process of `up` hangs."""
    assert clinic.up is not None
    children = psutil.Process(clinic.up.pid).children(recursive=True)
    [hung, *_] = [child for child in children if words in " ".join(child.cmdline())]
    hung.send_signal(signal.SIGSTOP)
    return lambda: hung.send_signal(signal.SIGCONT)


def away(clinic: Clinic) -> Callable[[], None]:
    clinic.zammad.go_away()
    return clinic.zammad.come_back


def without_data(clinic: Clinic) -> Callable[[], None]:
    clinic.other["ESCALATOR_DATA"] = str(clinic.folder / "elsewhere")
    return clinic.other.clear


@dataclass(frozen=True)
class Fault:
    """How it is put in (and mended by what that answers), the link that is named, and words said with it."""

    put_in: Callable[[Clinic], Callable[[], None]]
    link: str
    words: str
    admin: bool = False  # whether an administrator may look
    within: str = ENOUGH


def silent(put_in: Callable[[Clinic], Callable[[], None]], words: str, *, admin: bool = True) -> Fault:
    """A webhook that never comes, however long one waits."""
    return Fault(put_in, "webhook", words, admin, SOON)
