"""The config's names against those that the helpdesk has."""

from collections.abc import Iterator
from pathlib import Path as FilePath

from config import document
from config.problems import Path, Problem, Report, did_you_mean
from config.settings import Settings

from ..ports import Names


def find_places(config: FilePath) -> Report:
    """An empty report that knows where in the file everything stands."""
    report = Report(str(config))
    document.parse(config.read_text(encoding="utf-8-sig"), report)
    report.problems.clear()
    return report


def compare(settings: Settings, names: Names, where: Report) -> tuple[list[Problem], list[str]]:
    """Names that don't exist, and which kinds of names the helpdesk doesn't tell."""
    report = Report(where.file, where.keys, where.values)
    _missing(report, _priorities(settings), names.priorities, "priority that the helpdesk has")
    _missing(report, _groups(settings), names.groups, "group that Escalator has access to")
    if names.logins is not None:
        folded = {login.casefold() for login in names.logins}
        for path, login in _logins(settings):
            if login.casefold() not in folded:
                sentence = f"No active agent has the login `{login}`: who acknowledges can't become the owner."
                report.warning(path, sentence, did_you_mean(login, names.logins))
    for path, login in _logins(settings):
        if names.ours and login.casefold() == names.ours.casefold():
            sentence = f"`{login}` is Escalator's own user, whose work is never an acknowledgement."
            report.warning(path, sentence, "Give Escalator a user of its own.")
    told = (("priorities", names.priorities), ("groups", names.groups), ("logins", names.logins))
    return report.problems, [what for what, one in told if one is None]


def _missing(report: Report, used: Iterator[tuple[Path, str, bool]], there: frozenset[str] | None, what: str) -> None:
    if there is None:
        return
    for path, name, key in used:
        if name not in there:
            report.error(path, f"`{name}` is no {what}: this never matches.", did_you_mean(name, there), key=key)


def _priorities(settings: Settings) -> Iterator[tuple[Path, str, bool]]:
    for name in settings.policy.priorities:
        yield ("priorities", name), name, True
    for index, rule in enumerate(settings.policy.rules):
        for number, name in enumerate(rule.when.priority):
            yield ("rules", index, "when", "priority", number), name, False


def _groups(settings: Settings) -> Iterator[tuple[Path, str, bool]]:
    for index, rule in enumerate(settings.policy.rules):
        for number, name in enumerate(rule.when.group):
            yield ("rules", index, "when", "group", number), name, False


def _logins(settings: Settings) -> Iterator[tuple[Path, str]]:
    for key, contact in settings.contacts.items():
        if contact.login:
            yield ("contacts", key, "login"), contact.login
