"""What history lines mean, line by line as a real Znuny 6.5 wrote them."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from connector.core.case import Seen
from connector.core.ticket import Change, Kind, Person, Phase, Role
from connector.helpdesks.znuny.acts import lines_of
from connector.helpdesks.znuny.history import Scene, Told, told_by

from .composed import said

UTC_ZONE = ZoneInfo("UTC")
START = datetime(2026, 11, 22, 1, 40, tzinfo=UTC)
PEOPLE = {
    "3": Person("3", "anna", "Anna Agent"),
    "4": Person("4", "ben", "Ben Beispiel"),
    "6": Person("6", "bot", "Bot"),
}
BORN = (0, 1, "NewTicket", "%%2026112210000013%%Service Desk%%3 normal%%new%%7")
BY_PORTAL = (BORN, (0, 1, "WebRequestCustomer", "%%", 10))
BY_ANNA = (
    (0, 3, *BORN[2:]),
    (0, 3, "NewTicket", "%%GenericInterface Create", 10),
    (0, 3, "OwnerUpdate", "%%anna%%3"),
)
OPENS_A_FORM = (
    (60, 3, "Lock", "%%lock"),
    (60, 3, "Misc", "Reset of unlock time."),
    (60, 3, "OwnerUpdate", "%%anna%%3"),
)


def article(number: int, by: int = 3, **columns: Any) -> dict[str, Any]:
    known = {"ArticleID": number, "CreateBy": by, "SenderType": "agent", "CommunicationChannelID": 3,
             "IsVisibleForCustomer": 0, "Subject": "Note", "Body": "looking\ninto it"}  # fmt: skip
    return {**known, **columns}


FIRST = article(10, 1, SenderType="customer", IsVisibleForCustomer=1)


def tell(
    *lines: tuple[Any, ...],
    articles: tuple[dict[str, Any], ...] = (FIRST,),
    zone: str = "UTC",
    awaited: frozenset[str] = frozenset(),
) -> Told:
    """The story of (second, by, type, name, article) lines of ticket 7; we are agent 2, robots are bot and agent 8."""
    raw = [
        {
            "CreateTime": f"{START + timedelta(seconds=line[0]):%Y-%m-%d %H:%M:%S}",
            "CreateBy": line[1],
            "HistoryType": line[2],
            "Name": line[3],
            "ArticleID": line[4] if len(line) > 4 else 0,
            "OwnerID": "1",
        }
        for line in lines
    ]
    people = {**PEOPLE, "2": Person("2", "escalation", "Escalation Plugin")}
    robots, states = frozenset({"bot", "8"}), {"frozen": "pending reminder"}
    scene = Scene("7", ZoneInfo(zone), "2", "carla", people, robots, states, awaited)
    return told_by(lines_of(raw, scene.zone), {str(one["ArticleID"]): one for one in articles}, scene)


def after(told: Told, lines: tuple[tuple[Any, ...], ...]) -> list[str]:
    """What was said after the creation's own lines."""
    count = len(tell(*lines).changes)
    return [said(change) for change in told.changes[count:]]


def test_the_lock_button_is_one_lock_and_the_owner_goes_along() -> None:
    told = tell(*BY_PORTAL, *OPENS_A_FORM)
    assert after(told, BY_PORTAL) == ["anna (person): lock", "anna (person): owner nobody -> anna, with the lock"]
    assert told.changes[-1].owner == PEOPLE["3"]


def test_a_form_opened_and_left_again_is_a_lock_and_an_unlock_with_the_owner_back() -> None:
    left = ((80, 3, "Unlock", "%%unlock"), (80, 3, "OwnerUpdate", "%%root@localhost%%1"))
    told = tell(*BY_PORTAL, *OPENS_A_FORM, *left)
    assert after(told, BY_PORTAL)[2:] == ["anna (person): unlock", "anna (person): owner anna -> nobody, with the lock"]
    assert told.changes[-1].owner is None


def test_opened_and_left_within_one_second_twice_is_still_told_apart() -> None:
    left = ((60, 3, "Unlock", "%%unlock"), (60, 3, "OwnerUpdate", "%%root@localhost%%1"))
    told = tell(*BY_PORTAL, *OPENS_A_FORM, *left, *OPENS_A_FORM, *left)
    assert [change.with_lock for change in told.changes if change.kind is Kind.OWNER] == [True] * 4
    assert len({change.id for change in told.changes}) == len(told.changes)


def test_an_owner_whom_only_the_creation_set_is_nobody_again_after_a_form_was_left() -> None:
    opened = ((60, 4, "Lock", "%%lock"), (60, 4, "OwnerUpdate", "%%ben%%4"))
    left = ((80, 4, "Unlock", "%%unlock"), (81, 4, "OwnerUpdate", "%%anna%%3"))
    told = tell(*BY_ANNA, *opened, *left)
    assert (told.owner_id, told.owner_given) == ("3", False)
    assert said(told.changes[-1]) == "ben (person): owner ben -> nobody, with the lock"


def test_a_form_that_locks_and_then_gives_the_ticket_to_ben_says_both() -> None:
    told = tell(*BY_PORTAL, *OPENS_A_FORM, (61, 3, "OwnerUpdate", "%%ben%%4"))
    assert after(told, BY_PORTAL) == [
        "anna (person): lock",
        "anna (person): owner nobody -> anna, with the lock",
        "anna (person): owner anna -> ben",
    ]


def test_a_lock_that_only_goes_along_with_giving_the_ticket_to_ben_is_not_annas() -> None:
    told = tell(*BY_PORTAL, (60, 3, "Lock", "%%lock"), (60, 3, "Misc", "Reset"), (60, 3, "OwnerUpdate", "%%ben%%4"))
    assert after(told, BY_PORTAL) == ["anna (person): owner nobody -> ben"]


def test_a_move_with_a_new_owner_locks_unlocks_and_locks_again() -> None:
    told = tell(
        *BY_PORTAL,
        (60, 4, "Lock", "%%lock"),
        (60, 4, "Move", "%%Second Level%%6%%Service Desk%%5"),
        (60, 1, "Unlock", "%%unlock"),
        (60, 4, "Lock", "%%lock"),
        (60, 4, "OwnerUpdate", "%%anna%%3"),
    )
    assert after(told, BY_PORTAL) == [
        "ben (person): lock",
        "ben (person): group Service Desk -> Second Level",
        "- (system): unlock",
        "ben (person): owner nobody -> anna",
    ]


def test_what_the_creator_set_is_marked_and_such_an_owner_is_nobody_while_it_is_unlocked() -> None:
    told = tell(*BY_ANNA)
    assert [change.at_creation for change in told.changes] == [True, True]
    assert told.changes[-1].owner is None
    assert (told.owner_id, told.owner_given) == ("3", False)


def test_an_owner_who_was_locked_in_at_creation_is_one() -> None:
    told = tell(*BY_ANNA, (1, 3, "Lock", "%%lock"))
    assert [change.owner for change in told.changes if change.kind is Kind.OWNER] == [PEOPLE["3"]]


@pytest.mark.parametrize(("login", "one"), [("root@localhost", 1), ("escalation", 2), ("bot", 6), ("unseen", 8)])
def test_the_system_we_and_robots_are_nobody(login: str, one: int) -> None:
    told = tell(*BY_PORTAL, (60, 3, "OwnerUpdate", f"%%{login}%%{one}"))
    assert told.changes[-1].owner is None
    assert told.changes[-1].after == ""


ONE_LINE: list[tuple[tuple[Any, ...], str]] = [
    ((60, 4, "OwnerUpdate", "%%ben%%4"), "ben (person): owner nobody -> ben"),
    ((60, 4, "Unlock", "%%unlock"), "ben (person): unlock"),
    ((60, 3, "Move", "%%Second Level%%6%%Service Desk%%5"), "anna (person): group Service Desk -> Second Level"),
    (
        (60, 3, "PriorityUpdate", "%%3 normal%%3%%5 very high%%5"),
        "anna (person): priority 3 normal -> 5 very high, raised",
    ),
    ((60, 3, "PriorityUpdate", "%%Z%%10%%A%%9"), "anna (person): priority Z -> A"),
    ((60, 3, "TitleUpdate", "%%old%%new"), "anna (person): title old -> new"),
    ((60, 3, "CustomerUpdate", "%%CustomerID=UMBRELLA;CustomerUser=dora;"), "anna (person): organization  -> UMBRELLA"),
    ((60, 3, "StateUpdate", "%%new%%open%%"), "anna (person): state new -> open"),
    (
        (60, 1, "StateUpdate", "%%pending auto close+%%closed successful%%"),
        "- (system): state pending auto close+ -> closed successful",
    ),
    ((60, 3, "Merged", "%%20261%%7%%20262%%9"), "anna (person): merged into 9"),
    (
        (60, 3, "TicketDynamicFieldUpdate", "%%FieldName%%EscalationAcknowledged%%Value%%1%%OldValue%%0"),
        "anna (person): acknowledged",
    ),
    (
        (60, 3, "TicketDynamicFieldUpdate", "%%FieldName%%Impact%%Value%%high%%OldValue%%"),
        "anna (person): field  -> high",
    ),
    ((60, 2, "OwnerUpdate", "%%ben%%4"), "escalation (us): owner nobody -> ben"),
    ((60, 6, "Lock", "%%lock"), "bot (robot): lock"),
    ((60, 8, "Lock", "%%lock"), "- (robot): lock"),
    ((60, 99, "Lock", "%%lock"), "- (person): lock"),
]


@pytest.mark.parametrize(("line", "words"), ONE_LINE)
def test_what_one_line_means(line: tuple[Any, ...], words: str) -> None:
    assert after(tell(*BY_PORTAL, line), BY_PORTAL) == [words]


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("Merged", "%%20262%%9%%20261%%7"),
        ("TicketDynamicFieldUpdate", "%%FieldName%%EscalationAcknowledged%%Value%%0%%OldValue%%1"),
        ("TicketDynamicFieldUpdate", "%%FieldName%%EscalationStatus%%Value%%running%%OldValue%%"),
        ("TicketDynamicFieldUpdate", "not as expected"),
        ("SetPendingTime", "%%00-00-00 00:00"),
        ("SetPendingTime", "%%2026-11-22 09:00"),
        ("SendAgentNotification", "%%Ticket note%%ben%%Email"),
        ("Misc", "Reset of unlock time."),
        ("EscalationResponseTimeStart", "%%triggered"),
        ("SomethingNew", "%%1%%2"),
    ],
)
def test_other_lines_mean_nothing(kind: str, name: str) -> None:
    assert after(tell(*BY_PORTAL, (60, 3, kind, name)), BY_PORTAL) == []


def test_somebody_known_by_number_alone_still_has_a_name() -> None:
    by = tell(*BY_PORTAL, (60, 99, "Lock", "%%lock")).changes[-1].by
    assert (by.role, by.id, by.login, by.name) == (Role.PERSON, "99", "", "agent 99")


def test_an_agent_on_their_own_ticket_is_its_customer() -> None:
    lines = lines_of(
        [{"CreateTime": "2026-11-22 01:40:00", "CreateBy": 3, "HistoryType": "Lock", "Name": "%%lock"}], UTC_ZONE
    )
    told = told_by(lines, {}, Scene("7", UTC_ZONE, "2", customer="Anna", people=PEOPLE))
    assert told.changes[0].by.role is Role.CUSTOMER


class TestPending:
    PENDING = (60, 3, "StateUpdate", "%%open%%pending reminder%%")
    UNTIL = (60, 3, "SetPendingTime", "%%2026-11-22 04:40")

    @pytest.mark.parametrize("lines", [(PENDING, UNTIL), (UNTIL, PENDING)])
    def test_the_forms_write_its_time_after_the_state_and_the_web_service_before(self, lines: Any) -> None:
        change = tell(*BY_PORTAL, *lines).changes[-1]
        assert (change.phase_before, change.phase) == (Phase.OPEN, Phase.PENDING)
        assert change.until == datetime(2026, 11, 22, 4, 40, tzinfo=UTC)

    def test_its_time_is_in_znunys_zone(self) -> None:
        change = tell(*BY_PORTAL, self.PENDING, self.UNTIL, zone="Europe/Berlin").changes[-1]
        assert change.until == datetime(2026, 11, 22, 3, 40, tzinfo=UTC)

    def test_a_new_time_alone_is_told_as_pending_anew(self) -> None:
        later = (600, 3, "SetPendingTime", "%%2026-11-23 08:00")
        told = tell(*BY_PORTAL, self.PENDING, self.UNTIL, later)
        assert [said(change) for change in told.changes[-2:]] == [
            "anna (person): state open -> pending reminder, until 04:40",
            "anna (person): state pending reminder -> pending reminder, until 08:00",
        ]

    def test_a_state_that_was_read_before_its_time_was_written_is_told_again_with_it(self) -> None:
        """Until when it is put off would be lost for good: whoever set it pending would never be reminded."""
        seen = Seen().after(tell(*BY_PORTAL, self.PENDING).changes)
        told = tell(*BY_PORTAL, self.PENDING, self.UNTIL)
        assert [said(change) for change in seen.news(told.changes)] == [
            "anna (person): state open -> pending reminder, until 04:40"
        ]
        assert seen.after(told.changes).news(told.changes) == ()

    @pytest.mark.parametrize(
        ("state", "phase"),
        [
            ("pending auto close-", Phase.PENDING_CLOSE),
            ("closed with workaround", Phase.CLOSED),
            ("pending third party", Phase.PENDING),
            ("frozen", Phase.PENDING),
            ("in progress", Phase.OPEN),
        ],
    )
    def test_states_of_the_admins_own_are_known_by_their_type_or_judged_by_their_name(
        self, state: str, phase: Phase
    ) -> None:
        assert tell(*BY_PORTAL, (60, 3, "StateUpdate", f"%%open%%{state}%%")).changes[-1].phase is phase


class TestArticles:
    def change(self, line: tuple[Any, ...], **columns: Any) -> Change:
        return tell(*BY_PORTAL, line, articles=(FIRST, article(20, line[1], **columns))).changes[-1]

    def test_an_internal_note_shows_its_first_line(self) -> None:
        change = self.change((60, 4, "AddNote", "%%Note", 20), Body="\n  /ack 2h \nmore")
        assert change.article is not None
        assert (change.article.id, change.article.public, change.article.first_line) == ("20", False, "/ack 2h")
        assert change.by.login == "ben"

    def test_a_command_may_stand_in_the_subject_that_the_form_asks_for(self) -> None:
        change = self.change((60, 4, "AddNote", "%%Note", 20), Subject="/snooze 30m", Body="lunch")
        assert change.article is not None
        assert change.article.first_line == "/snooze 30m"

    @pytest.mark.parametrize(
        ("kind", "channel", "public", "reply"),
        [
            ("SendAnswer", 1, 1, True),
            ("PhoneCallAgent", 2, 1, True),
            ("AddNote", 3, 1, False),
            ("Forward", 1, 0, False),
        ],
    )
    def test_a_reply_is_something_sent_to_the_customer(self, kind: str, channel: int, public: int, reply: bool) -> None:
        line = (60, 4, kind, "%%", 20)
        change = self.change(line, CommunicationChannelID=channel, IsVisibleForCustomer=public)
        assert change.article is not None
        assert (change.article.public, change.article.reply) == (bool(public), reply)
        assert change.article.first_line == ("" if public else "looking")

    def test_a_customers_call_written_down_by_an_agent_is_no_reply(self) -> None:
        change = self.change(
            (60, 4, "PhoneCallCustomer", "%%", 20),
            CommunicationChannelID=2,
            IsVisibleForCustomer=1,
            SenderType="customer",
        )
        assert said(change) == "ben (person): public article"

    def test_a_mail_proves_nobody(self) -> None:
        line = (60, 1, "FollowUp", "%%", 20)
        by_customer = self.change(line, CommunicationChannelID=1, IsVisibleForCustomer=1, SenderType="customer")
        assert said(by_customer) == "carla (customer): public article, by mail"
        by_agent = self.change(line, CommunicationChannelID=1, IsVisibleForCustomer=1, SenderType="agent")
        assert said(by_agent) == "- (system): reply, by mail"

    @pytest.mark.parametrize(
        ("subject", "automatic"),
        [
            ("Automatic reply: Database is down", True),
            ("[Ticket#2026112210000013] Out of Office: back on Monday", True),
            ("Abwesenheitsnotiz: Urlaub", True),
            ("Re: Automatic reply does not work", False),
            ("Out of office printer broken", False),
        ],
    )
    def test_an_absence_notice_is_automatic(self, subject: str, automatic: bool) -> None:
        line = (60, 1, "FollowUp", "%%", 20)
        change = self.change(line, CommunicationChannelID=1, SenderType="customer", Subject=subject)
        assert change.article is not None
        assert change.article.automatic is automatic

    def test_znunys_own_answers_are_automatic(self) -> None:
        change = self.change((60, 1, "SendAutoReply", "%%carla", 20), CommunicationChannelID=1, IsVisibleForCustomer=1)
        assert change.article is not None
        assert change.article.automatic
        assert change.by.role is Role.SYSTEM

    def test_an_article_is_told_once_however_many_lines_carry_its_number(self) -> None:
        lines = ((60, 3, "SendAnswer", "%%carla", 20), (60, 3, "StateUpdate", "%%new%%open%%", 20))
        told = tell(*BY_PORTAL, *lines, articles=(FIRST, article(20)))
        assert [change.kind for change in told.changes[-2:]] == [Kind.ARTICLE, Kind.STATE]

    @pytest.mark.parametrize("by", [1, 3])
    def test_a_mail_that_reopens_does_so_only_once_it_is_shown(self, by: int) -> None:
        """Whether it is an automatic reply, which doesn't count, nobody can tell before."""
        follow_up = ((60, by, "StateUpdate", "%%closed successful%%open%%"), (61, by, "FollowUp", "%%", 20))
        early = tell(*BY_PORTAL, *follow_up, awaited=frozenset({"20"}))
        absent = article(20, 1, CommunicationChannelID=1, SenderType="customer", Subject="Out of office: on holiday")
        news = Seen().after(early.changes).news(tell(*BY_PORTAL, *follow_up, articles=(FIRST, absent)).changes)
        assert [change.kind for change in news] == [Kind.STATE, Kind.ARTICLE] if by == 1 else [Kind.ARTICLE]

    def test_the_state_that_changes_with_a_customers_article_was_changed_by_the_customer(self) -> None:
        follow_up = ((60, 1, "StateUpdate", "%%closed successful%%open%%"), (61, 1, "FollowUp", "%%", 20))
        told = tell(*BY_PORTAL, *follow_up, articles=(FIRST, article(20, 1, SenderType="customer")))
        assert [change.by.role for change in told.changes[-2:]] == [Role.CUSTOMER, Role.CUSTOMER]

    def test_an_article_that_a_merge_brought_here_acknowledges_nothing(self) -> None:
        merge = ((90, 3, "Merged", "%%20262%%9%%20261%%7"),)
        reply = (60, 4, "SendAnswer", "%%carla", 20)
        times = {"CreateTime": "2026-11-22 01:41:00", "ChangeTime": "2026-11-22 01:41:30"}
        moved = article(20, 4, CommunicationChannelID=1, IsVisibleForCustomer=1, ChangeBy=3, **times)
        told = tell(*BY_PORTAL, reply, *merge, articles=(FIRST, moved))
        assert said(told.changes[-1]) == "ben (person): reply, at creation"
        edited = {**moved, "ChangeBy": 4}
        assert said(tell(*BY_PORTAL, reply, *merge, articles=(FIRST, edited)).changes[-1]) == "ben (person): reply"

    def test_a_state_that_was_set_with_an_article_of_another_ticket_closes_nothing_here(self) -> None:
        """A merge moves every line that names an article; Znuny's reply form names its article with the state, too."""
        answered = ((60, 4, "SendAnswer", "%%carla", 20), (60, 4, "StateUpdate", "%%open%%closed successful%%", 20))
        merge = (90, 3, "Merged", "%%20262%%9%%20261%%7")
        times = {"CreateTime": "2026-11-22 01:41:00", "ChangeTime": "2026-11-22 01:41:30"}
        moved = article(20, 4, CommunicationChannelID=1, IsVisibleForCustomer=1, ChangeBy=3, **times)
        changes = tell(*BY_PORTAL, *answered, merge, articles=(FIRST, moved)).changes
        assert [change.kind for change in changes] == [Kind.ARTICLE, Kind.ARTICLE]
        own = {**moved, "ChangeTime": times["CreateTime"]}
        assert tell(*BY_PORTAL, *answered, merge, articles=(FIRST, own)).changes[-1].phase is Phase.CLOSED

    def test_a_merged_article_older_than_the_ticket_does_not_hide_its_creation(self) -> None:
        old = (-60, 1, "WebRequestCustomer", "%%", 5)
        told = tell(old, *BY_ANNA, articles=(FIRST, article(5, 1, SenderType="customer")))
        assert (told.owner_id, told.owner_given) == ("3", False)

    def test_the_note_that_a_merge_leaves_behind_is_not_the_tickets_creation(self) -> None:
        told = tell(BY_ANNA[0], BY_ANNA[2], (5, 3, "AddNote", "%%Note", 23), articles=(article(23),))
        assert not told.changes[-1].at_creation


def test_ids_stay_when_other_lines_move_in_and_tell_repeats_apart() -> None:
    lock = (60, 3, "Lock", "%%lock")
    alone = tell(*BY_PORTAL, lock, lock).changes[-2:]
    moved = tell((-5, 1, "AddNote", "%%", 5), *BY_PORTAL, (30, 4, "AddNote", "%%", 6), lock, lock).changes[-2:]
    assert [change.id for change in alone] == [change.id for change in moved]
    assert alone[1].id == f"{alone[0].id}#2"


def test_a_line_without_a_readable_time_is_left_out() -> None:
    assert lines_of([{"HistoryType": "Lock", "CreateTime": None}, {}], UTC_ZONE) == ()
