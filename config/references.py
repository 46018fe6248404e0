"""Names that must exist: contacts in `notify`, channels in `by` and `else`, plans in rules and priorities."""

from connector.core.plan import OWNER, UNASSIGNED

from . import later
from .build import NO_PLAN
from .problems import Path, did_you_mean, nearest, shown
from .view import Telling, View


def check(view: View) -> None:
    for telling in view.tellings():
        _people(view, telling)
        _ways(view, telling)
    for path, word in view.words(("service", "redirect_to")):
        _contact(view, path, word, frozenset())
    for plan, entry in view.entries("plans"):
        for path, word in view.words(("plans", plan, "unassigned")):
            _contact(view, path, word, frozenset())
        _shape(view, plan, entry)
    _plans(view)


def _people(view: View, telling: Telling) -> None:
    words = frozenset({OWNER, UNASSIGNED}) if telling.plan is not None else frozenset()
    for path, word in view.words((*telling.path, "notify")):
        _contact(view, path, word, words)


def _contact(view: View, path: Path, word: str, words: frozenset[str]) -> None:
    contacts = view.names("contacts")
    if word in words or word in contacts or "contacts" in view.misspelt:
        return
    if word in (OWNER, UNASSIGNED):
        view.report.error(path, f"`{word}` can't stand here.", "Name contacts.")
    elif word in later.NOTIFY:
        view.report.error(path, later.sentence(f"`notify: {word}`"), later.mend(word))
    elif word in view.names("levels"):
        view.report.error(
            path, f"`{shown(word)}` is a level, and levels are not in this version.", later.mend("levels")
        )
    else:
        mend = did_you_mean(word, {*contacts, *words})
        view.report.error(path, f"There is no contact {view.quoted(path, word)}.", mend)


def _ways(view: View, telling: Telling) -> None:
    used: set[str] = set()
    for key in ("by", "else"):
        for path, word in view.words((*telling.path, key)):
            if word not in view.names("channels"):
                if "channels" in view.misspelt:
                    continue
                kind = word in later.CHANNEL_KINDS
                said = (
                    later.sentence(f"The channel kind `{word}`")
                    if kind
                    else f"There is no channel {view.quoted(path, word)}."
                )
                mend = later.mend(word) if kind else did_you_mean(word, view.names("channels"))
                view.report.error(path, said, mend)
            elif word in used:
                sentence = f"{view.quoted(path, word)} was named before on {telling.title}, and isn't used twice."
                view.report.warning(path, sentence, "Take it out.")
            used.add(word)


def _shape(view: View, plan: str, entry: dict[str, object]) -> None:
    """What a plan lacks although each of its keys is right."""
    name = shown(plan)
    owners = [t for t in view.tellings() if t.plan == plan and OWNER in view.texts((*t.path, "notify"))]
    stand_in = [t for t in view.tellings() if t.plan == plan and UNASSIGNED in view.texts((*t.path, "notify"))]
    if (owners or stand_in) and not entry.get("unassigned"):
        word = OWNER if owners else UNASSIGNED
        at = next(path for path, one in view.words((*(owners or stand_in)[0].path, "notify")) if one == word)
        sentence = (
            f"Plan `{name}` notifies `{word}` and has no `unassigned`: while nobody owns the ticket, nobody is told."
        )
        view.report.error(at, sentence, f"Add `unassigned: [CONTACT]` under `plans.{name}`.")
    if entry.get("when_exhausted") is None:
        sentence = f"Plan `{name}` has no `when_exhausted`: when nobody comes, nobody is told so."
        mend = f"Add `when_exhausted: {{notify: CONTACT, by: CHANNEL}}` under `plans.{name}`."
        view.report.warning(("plans", plan), sentence, mend, key=True)
    for telling in list(view.steps(plan))[1:]:
        if telling.path[-1] != 0 and view.at((*telling.path, "after")) in (None, "0s", "0m", "0h", "0d"):
            sentence = (
                f"{telling.title[0].upper()}{telling.title[1:]} has no `after`: it fires together with the step before."
            )
            view.report.warning(telling.path, sentence, "Add `after: 5m`, or put both ways into one `by`.")


def _plans(view: View) -> None:
    plans, used = view.names("plans"), set()
    if "plans" in view.misspelt:
        return
    rules = view.data.get("rules")
    places: list[Path] = [("rules", index, "plan") for index in range(len(rules) if isinstance(rules, list) else 0)]
    places += [("priorities", priority) for priority in view.names("priorities")]
    for place in places:
        for path, word in view.words(place)[:1]:
            used.add(word)
            if word not in plans and word != NO_PLAN:
                used.add(nearest(word, plans) or word)  # the likely typo is told once
                said = f"There is no plan {view.quoted(path, word)}."
                mend = (
                    did_you_mean(word, plans)
                    if nearest(word, plans)
                    else f"{did_you_mean(word, plans)} `none` means no plan."
                )
                view.report.error(path, said, mend)
    for plan in plans:
        if plan not in used and not view.misspelt & {"rules", "priorities"}:
            sentence = f"No rule and no priority leads to plan `{shown(plan)}`."
            view.report.warning(
                ("plans", plan), sentence, "Name it under `rules` or `priorities`, or take it out.", key=True
            )
    if not plans:
        sentence = "There is no plan, so no ticket ever escalates."
        view.report.warning(
            ("plans",), sentence, "Add one under `plans` as in `config/escalation.example.yml`.", key=True
        )
