"""The plans and people of the stories, as the config file has them. Windows and steps are told in seconds."""

from typing import Any

DANA, LEE, BOB = "+491701234567", "+491707654321", "+491701111111"
SAM, NINA, PAUL, RITA, VERA, CARL = (f"+49170200000{last}" for last in range(1, 7))
DANAS_PHONE, OLD_PHONE, PAULS_PHONE = "ab" * 32, "cd" * 32, "ef" * 32


def plan(respond_within: str, *steps: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Dana stands in while nobody owns the ticket; Lee is told when nobody came."""
    told = {"notify": "lee", "by": "email", "every": "1h"}
    usual = {"unassigned": ["dana"], "give_up_after": "60s", "when_exhausted": told, "reopened_within": "2s"}
    return {"respond_within": respond_within, "steps": list(steps), **usual, **more}


def step(notify: str | list[str], by: str | list[str], after: str = "0s", otherwise: str = "") -> dict[str, Any]:
    return {"notify": notify, "by": by, "after": after, **({"else": otherwise} if otherwise else {})}


PLANS: dict[str, dict[str, Any]] = {
    "ladder": plan(
        "2s",
        step("owner", "push", otherwise="sms"),
        step("owner", "sms", "2s"),
        step("owner", "phone", "2s"),
        give_up_after="3s",
    ),
    # time enough to act while the window runs, and while it is running
    "slow": plan("3s", step("owner", "sms"), step(["owner", "lee"], "sms", "6s")),
    # a mail at once, then a second one: who acts in between sees whether it still comes
    "twice": plan("1s", step("owner", "email"), step("owner", "email", "8s")),
    "outsider": plan("1s", step("lee", "email"), step("lee", "email", "8s"), unassigned=["lee"]),
    # a mail at once, then quiet for as long as any story lasts
    "calm": plan("1s", step("owner", "email"), step("owner", "email", "5m")),
    "attended": plan("1s", step("owner", "push"), step("owner", "email", "5m"), acknowledged_for="6s"),
    "patient": plan("5m", step("owner", "email")),
    "everyway": plan("1s", step("owner", ["push", "sms", "email", "pager"]), step("owner", "email", "5m")),
    "quick": plan(
        "1s",
        step("owner", "email"),
        give_up_after="1s",
        when_exhausted={"notify": "lee", "by": "email", "every": "3s"},
    ),
    "storm": plan("3s", step("owner", "email"), step("owner", "email", "2s"), step("owner", "email", "9s")),
    "gentle": plan("2s", step("owner", "email"), step("owner", "email", "8s")),
    "urgent": plan("1s", step("lee", "email"), step("lee", "email", "5m")),
    # each of these tells one person in one way, so that what happens on that way is theirs alone
    "texted": plan("1s", step("rita", "sms"), step("rita", "email", "5m")),
    "called": plan("1s", step("rita", "phone"), step("rita", "email", "5m")),
    "deadphone": plan("1s", step("nina", "push", otherwise="email"), step("nina", "email", "5m")),
    "undelivered": plan("1s", step("sam", "sms", otherwise="email"), step("sam", "email", "5m")),
    "wrongnumber": plan("1s", step("nina", "sms", otherwise="email"), step("nina", "email", "5m")),
    "busyline": plan("1s", step("paul", "sms"), step("paul", "email", "5m")),
    "refused": plan("1s", step("bob", "sms"), step("bob", "email", "5m")),
    "unanswered": plan("1s", step("paul", "phone", otherwise="email"), step("paul", "email", "5m")),
    "cutline": plan("1s", step("vera", "sms"), step("vera", "email", "5m")),
    "ringing": plan("1s", step("vera", "phone"), step("vera", "email", "5m")),
}

RULES: list[dict[str, Any]] = [
    {"when": {"tag": "no-escalation"}, "plan": "none"},
    {"when": {"title": ["changing"], "priority": ["2 normal"]}, "plan": "gentle"},
    {"when": {"title": ["changing"], "priority": ["3 high"]}, "plan": "urgent"},
    *({"when": {"title": [name], "priority": ["2 normal", "3 high"]}, "plan": name} for name in PLANS),
]


def contacts(danas_login: str, bobs_login: str) -> dict[str, dict[str, Any]]:
    """Dana is agent Alice of the helpdesk, Bob agent Bob; nobody else has a login there."""

    def person(name: str, mobile: str, **more: Any) -> dict[str, Any]:
        return {"name": name, "email": f"{name.split()[0].lower()}@example.com", "mobile": mobile, **more}

    return {
        "dana": person("Dana Reyes", DANA, login=danas_login, push=[DANAS_PHONE]),
        "bob": person("Bob Builder", BOB, login=bobs_login),
        "lee": person("Lee Adams", LEE),
        "sam": person("Sam Silent", SAM),
        "nina": person("Nina Nowhere", NINA, push=[OLD_PHONE]),
        "paul": person("Paul Busy", PAUL, push=[PAULS_PHONE]),
        "rita": person("Rita Ready", RITA),
        "vera": person("Vera Vague", VERA),
        "carl": person("Carl Contact", CARL, login="cathy@example.org"),  # a login that can't own tickets
    }
