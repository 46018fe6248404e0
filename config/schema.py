"""Every key of the config but the helpdesks' and channels' own options, with meaning and default.

The `meaning` of a field is what the reference prints; `secret` allows the same key with `_file` behind it.
"""

from datetime import timedelta
from typing import Any

from marshmallow import RAISE, Schema, fields

from connector.core.plan import DEFAULT_WAYS, Way

from .fields import (
    Beat,
    Choice,
    Duration,
    Email,
    Flag,
    Language,
    Loose,
    Moment,
    Named,
    OneOrMany,
    Phone,
    Text,
    Url,
    Whole,
    Zone,
    complain,
)
from .settings import LIMITS, LIVE, REHEARSAL

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
SECOND = timedelta(seconds=1)


def _about(meaning: str, *, secret: bool = False, example: str = "…") -> dict[str, Any]:
    return {"meaning": meaning, "secret": secret, "example": example}


class Section(Schema):
    """Keys that aren't listed are problems, never ignored."""

    class Meta:
        unknown = RAISE


def _at_least_one(steps: list[Any]) -> None:
    if not steps:
        raise complain("`{name}` is an empty list.", "Write at least one step: `- {notify: CONTACT, by: CHANNEL}`.")


class OperatorSchema(Section):
    notify = OneOrMany(Text(), required=True, metadata=_about("contacts told when Escalator itself is in trouble"))
    by = OneOrMany(Text(), required=True, metadata=_about("channels used for that", example="email"))


class LimitsSchema(Section):
    sms = Whole(least=0, most=10_000, load_default=LIMITS["sms"], metadata=_about("texts"))
    phone = Whole(least=0, most=10_000, load_default=LIMITS["phone"], metadata=_about("calls"))
    push = Whole(least=0, most=10_000, load_default=LIMITS["push"], metadata=_about("pushes"))
    webpush = Whole(least=0, most=10_000, load_default=LIMITS["webpush"], metadata=_about("Web Pushes"))
    email = Whole(least=0, most=10_000, load_default=LIMITS["email"], metadata=_about("mails"))


class WhenSchema(Section):
    priority = OneOrMany(Text(), load_default=(), metadata=_about("the priority's name in the helpdesk"))
    group = OneOrMany(Text(), load_default=(), metadata=_about("the group's (queue's) full name"))
    tag = OneOrMany(Text(), load_default=(), metadata=_about("a tag of the ticket"))
    title = OneOrMany(Text(), load_default=(), metadata=_about("words or phrases of the title, any case"))
    organization = OneOrMany(Text(), load_default=(), metadata=_about("the customer's organisation"))
    vip = Flag(load_default=None, metadata=_about("whether the customer is marked as VIP"))
    field = Named(
        OneOrMany(Loose()), load_default=dict, metadata=_about("custom attributes or dynamic fields, `{Name: value}`")
    )


class PrivacySchema(Section):
    when = fields.Nested(WhenSchema, required=True, metadata=_about("as in `rules`"))
    show = Choice("number", load_default="number", metadata=_about("`number`: neither title nor organisation"))


class ServiceSchema(Section):
    mode = Choice(
        LIVE,
        REHEARSAL,
        load_default=LIVE,
        metadata=_about("`live` sends and writes; `rehearsal` computes and shows all of it, and does neither"),
    )
    redirect_to = Text(
        load_default="",
        metadata=_about(
            "contact who gets every message of a rehearsal, marked as one, instead of whom it is meant for"
        ),
    )
    public_url = Url(
        load_default="",
        metadata=_about("where phones and providers reach Escalator; without it links and callbacks are off"),
    )
    secret_keys = OneOrMany(
        Text(),
        required=True,
        metadata=_about(
            "sign links and notes: the first signs, all verify; back them up",
            secret=True,
            example='["${ESCALATOR_KEY}"]',
        ),
    )
    timezone = Zone(load_default="UTC", metadata=_about("time zone of notes and texts"))
    language = Language(
        load_default="en", metadata=_about("language of notes and, unless a contact has another, texts")
    )
    texts = Text(
        load_default="",
        metadata=_about("folder beside the config with texts of your own, see docs/texts.md") | {"folder": True},
    )
    phone_region = Text(load_default="", metadata=_about("country (`DE`) of phone numbers without a country code"))
    use_helpdesk_mobiles = Flag(
        load_default=False, metadata=_about("whether agents' `mobile` in the helpdesk may be rung without a contact")
    )
    api_tokens = Named(Text(), load_default=dict, metadata=_about("bearer tokens of other systems, by name"))
    operator = fields.Nested(
        OperatorSchema, load_default=None, metadata=_about("who is told when Escalator itself is in trouble")
    )
    heartbeat_url = Beat(
        load_default="",
        metadata=_about(
            "asked with GET each minute while all is well, so that somebody outside notices when it isn't", secret=True
        ),
    )
    heartbeat_allow_private = Flag(
        load_default=False, metadata=_about("the name in `heartbeat_url` may lead to a private address")
    )
    sweep_every = Duration(
        least=SECOND, load_default=MINUTE, metadata=_about("how often the helpdesk is asked for what was missed")
    )
    keep = Duration(
        least=DAY,
        load_default=400 * DAY,
        metadata=_about("after this ended escalations are forgotten here, not on the ticket"),
    )
    since = Moment(
        load_default=None,
        metadata=_about("tickets from before start nothing by themselves; else the first `up` records it"),
    )
    links_valid = Duration(least=MINUTE, load_default=24 * HOUR, metadata=_about("how long an acknowledge link works"))
    bundle_within = Duration(
        load_default=5 * SECOND,
        metadata=_about("what follows a message to somebody so soon goes into one with what else comes; `0s`: never"),
    )
    privacy = fields.List(
        fields.Nested(PrivacySchema),
        load_default=list,
        metadata=_about("tickets of which texts outside the helpdesk tell less; the first that fits"),
    )
    limits = fields.Nested(
        LimitsSchema, load_default=dict, metadata=_about("messages an hour to one person by one way; `0`: any number")
    )


class TwilioSchema(Section):
    account_sid = Text(required=True, metadata=_about("the account, `AC…`", example='"${TWILIO_ACCOUNT_SID}"'))
    auth_token = OneOrMany(
        Text(),
        required=True,
        metadata=_about(
            "the account's token, or both while it is rotated", secret=True, example='"${TWILIO_AUTH_TOKEN}"'
        ),
    )
    api_url = Url(
        load_default="https://api.twilio.com",
        metadata=_about("another address of the API: regional edge, proxy, stand-in"),
    )


class ContactSchema(Section):
    name = Text(required=True, metadata=_about("as it stands in notes and texts", example="Dana Reyes"))
    login = Text(load_default="", metadata=_about("login in the helpdesk; makes them the owner when they acknowledge"))
    email = Email(load_default="", metadata=_about("address for channel kind `email`"))
    mobile = Phone(load_default="", metadata=_about("number for channel kinds `sms` and `phone`"))
    push = OneOrMany(Text(), empty=True, load_default=(), metadata=_about("device tokens for channel kind `push`"))
    timezone = Zone(load_default="", metadata=_about("time zone of texts to them; else the service's"))
    language = Language(load_default="", metadata=_about("language of texts to them; else the service's"))


class StepSchema(Section):
    notify = OneOrMany(Text(), required=True, metadata=_about("`owner`, `unassigned`, contacts", example="owner"))
    by = OneOrMany(Text(), required=True, metadata=_about("channels, all used at once", example="email"))
    otherwise = OneOrMany(
        Text(), data_key="else", load_default=(), metadata=_about("channels tried in order when none of `by` arrived")
    )
    after = Duration(
        load_default=timedelta(0),
        metadata=_about("time since the step before; for the first step, since the end of the window"),
    )


class WhenExhaustedSchema(Section):
    notify = OneOrMany(Text(), required=True, metadata=_about("who is told when nobody came", example="CONTACT"))
    by = OneOrMany(Text(), required=True, metadata=_about("channels used for that", example="email"))
    every = Duration(least=SECOND, load_default=HOUR, metadata=_about("how often they are told again"))


class PlanSchema(Section):
    respond_within = Duration(required=True, metadata=_about("the response window", example="15m"))
    steps = fields.List(
        fields.Nested(StepSchema),
        required=True,
        validate=_at_least_one,
        metadata=_about("who is told, by which ways, when"),
    )
    unassigned = OneOrMany(
        Text(), empty=True, load_default=(), metadata=_about("contacts who stand in while nobody owns the ticket")
    )
    rounds = Whole(least=1, most=20, load_default=1, metadata=_about("how often the steps are climbed in all"))
    again_after = Duration(
        load_default=None, metadata=_about("time from the last step to the next round; else the longest `after`")
    )
    give_up_after = Duration(
        load_default=15 * MINUTE, metadata=_about("time from the last step until the escalation is exhausted")
    )
    when_exhausted = fields.Nested(
        WhenExhaustedSchema, load_default=None, metadata=_about("who is told again and again when nobody came")
    )
    acknowledged_by = OneOrMany(
        Choice(*Way),
        load_default=tuple(sorted(DEFAULT_WAYS)),
        metadata=_about("which work of a person acknowledges"),
    )
    reopened = Choice(
        "restart",
        "ignore",
        load_default="restart",
        metadata=_about("what a reopened ticket does after `reopened_within`"),
    )
    reopened_within = Duration(
        load_default=15 * MINUTE, metadata=_about("reopened within this, the old escalation goes on")
    )
    lock_grace = Duration(
        load_default=15 * MINUTE, metadata=_about("unlocked within this without work, a lock was no acknowledgement")
    )
    acknowledged_for = Duration(
        least=SECOND,
        load_default=None,
        metadata=_about(
            "without work on the ticket for so long, who has it is asked; no answer in 15 min: from step 1"
        ),
    )
    longest_snooze = Duration(least=SECOND, load_default=8 * HOUR, metadata=_about("the most that `/snooze` puts off"))
    notes = Choice(
        "every-step",
        "milestones",
        load_default="every-step",
        metadata=_about("`milestones`: the steps between the first one and the end leave no note"),
    )
    all_clear = Flag(
        load_default=False, metadata=_about("whether those who were texted get a text when somebody has it")
    )


class RuleSchema(Section):
    when = fields.Nested(WhenSchema, required=True, metadata=_about("keys are AND, lists are OR"))
    plan = Text(required=True, metadata=_about("the plan, or `none`: tickets like this never escalate"))


#: The sections of the file: schema, and how many there are of it.
SECTIONS: dict[str, tuple[type[Schema] | None, str, str]] = {
    "helpdesk": (None, "one", "the helpdesk, its address and credentials"),
    "service": (ServiceSchema, "one", "Escalator itself"),
    "twilio": (TwilioSchema, "one", "the account for SMS and calls"),
    "channels": (None, "named", "ways to reach somebody; `kind` when the name isn't itself a kind"),
    "contacts": (ContactSchema, "named", "people"),
    "plans": (PlanSchema, "named", "escalation plans"),
    "rules": (RuleSchema, "listed", "which plan for which ticket; first match wins, exclusions first"),
    "priorities": (None, "words", "the plan (or `none`) by priority, when no rule matched"),
}
REQUIRED = ("helpdesk", "service")
