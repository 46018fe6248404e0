"""Whether those who are named can be reached by the ways that are named.

A way that doesn't fit one person is a warning; where nobody is left at all, the step would fire into the void.
"""

from connector.core.plan import OWNER, UNASSIGNED

from .problems import shown
from .view import Telling, View

#: Fields that a helpdesk knows of every agent, so that an owner needs no contact for them.
KNOWN_TO_HELPDESKS = frozenset({"", "email"})


def check(view: View) -> None:
    for telling in view.tellings():
        notify = view.texts((*telling.path, "notify"))
        named = view.texts((*telling.path, "by")) + view.texts((*telling.path, "else"))
        ways = [way for way in dict.fromkeys(named) if way in view.kinds and view.kinds[way] in view.needs]
        if len(ways) == len(set(named)) and ways:
            _telling(view, telling, notify, ways)


def _telling(view: View, telling: Telling, notify: list[str], ways: list[str]) -> None:
    contacts = dict(view.entries("contacts"))
    stand_ins = view.texts(("plans", telling.plan, "unassigned")) if telling.plan is not None else []
    waits_for_owner = OWNER in notify or UNASSIGNED in notify
    people = list(
        dict.fromkeys([one for one in notify if one not in (OWNER, UNASSIGNED)] + stand_ins * waits_for_owner)
    )
    if not people or any(one not in contacts for one in people):
        return  # told already: unknown names, or no `unassigned`
    gaps = [(one, way) for one in people for way in ways if not _fits(view, contacts[one], way)]
    if len(gaps) == len(people) * len(ways):
        when = ", while nobody owns the ticket," if OWNER in notify else ""
        sentence = f"On {telling.title}{when} nobody can be reached at all."
        fields = sorted({view.needs[view.kinds[way]] for way in ways})
        missing = " or ".join(f"`{field}`" for field in fields)
        view.report.error((*telling.path, "by"), sentence, f"Add {missing} to `contacts.{shown(people[0])}`.")
    else:
        for one, way in gaps:
            field = view.needs[view.kinds[way]]
            sentence = f"On {telling.title} `{shown(one)}` can't be reached by `{shown(way)}`, for want of `{field}`."
            mend = f"Add `{field}` to `contacts.{shown(one)}`, or name another way."
            view.report.warning((*telling.path, "by"), sentence, mend)
    if OWNER in notify:
        _owner(view, telling, ways, contacts)


def _owner(view: View, telling: Telling, ways: list[str], contacts: dict[str, dict[str, object]]) -> None:
    """The owner can be any agent; a way that reaches none of those with a login reaches no owner at all."""
    known = KNOWN_TO_HELPDESKS | ({"mobile"} if view.at(("service", "use_helpdesk_mobiles")) is True else frozenset())
    for way in ways:
        field = view.needs[view.kinds[way]]
        if (
            field not in known
            and not _registered(view, field)
            and not any(one.get("login") and one.get(field) for one in contacts.values())
        ):
            sentence = f"On {telling.title} `{shown(way)}` reaches no owner: no contact has both `login` and `{field}`."
            view.report.warning(
                (*telling.path, "by"), sentence, f"Add `login` and `{field}` to the contacts who own tickets."
            )


def _fits(view: View, contact: dict[str, object], way: str) -> bool:
    field = view.needs[view.kinds[way]]
    return not field or bool(contact.get(field)) or _registered(view, field)


def _registered(view: View, field: str) -> bool:
    """An own app may register the devices of anybody by the API: then nothing has to stand here."""
    return field == "push" and bool(view.at(("service", "api_tokens")))
