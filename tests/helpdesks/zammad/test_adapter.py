"""Every call that the adapter makes, against captured answers."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import responses
from responses import matchers

from connector.errors import HelpdeskAway, HelpdeskRefused, PermissionLost, TicketGone
from connector.helpdesks.zammad import build
from connector.ports import FoundProof, Helpdesk, Live, Note

from .composed import URL, answer, captured, composed
from .served import API, OPTIONS, Served, serve

NOTE = Note(("Escalation E-1A, step 1 of 4 (plan <major>)", "20:15 SMS to Dana: delivered"), proof="v1.abc-_=")


@pytest.fixture
def mock() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def desk(mock) -> Served:
    return serve(mock, composed("captured/created_by_customer"))


@pytest.fixture
def alone() -> Helpdesk:
    """The adapter without a ticket around it."""
    return build(OPTIONS)


def calls(mock) -> list[str]:
    return [f"{call.request.method} {call.request.url.removeprefix(API).split('?')[0]}" for call in mock.calls]


# --- reading ---------------------------------------------------------------------------------------------------------


def test_a_read_takes_four_calls_once_people_and_states_are_known(desk, mock):
    desk.helpdesk.read("2")
    assert set(calls(mock)[4:]) == {"GET /users/me", "GET /users/search", "GET /ticket_states"}
    mock.calls.reset()
    desk.helpdesk.read("2")
    assert calls(mock) == ["GET /tickets/2", "GET /ticket_history/2", "GET /ticket_articles/by_ticket/2", "GET /tags"]


def test_tags_belong_to_what_rules_can_ask(desk):
    desk.tags.append("no-escalation")
    assert desk.helpdesk.read("2").ticket.facts.tags == {"no-escalation"}


def test_a_new_agent_is_looked_up_when_they_turn_up(desk, mock):
    desk.helpdesk.read("2")
    newcomer = {"id": 44, "login": "new@example.com", "firstname": "New", "lastname": "Agent", "active": True}
    desk.ticket["owner_id"] = 44
    desk.it.people.append(newcomer)
    try:
        owner = desk.helpdesk.read("2").ticket.owner
        assert owner is not None
        assert owner.login == "new@example.com"
        mock.calls.reset()
        desk.helpdesk.read("2")
        assert "GET /users/search" not in calls(mock)
    finally:
        desk.it.people.remove(newcomer)


def test_customers_are_not_looked_up_on_every_read(desk, mock):
    desk.helpdesk.read("2")
    desk.helpdesk.read("2")
    assert calls(mock).count("GET /users/search") == 1


def test_a_robots_ticket_is_nobodys(mock):
    desk = serve(mock, composed("captured/agent_takes"), robots=["Alice@example.com"])
    assert desk.helpdesk.read("2").ticket.owner is None


def test_a_deleted_ticket_is_gone(alone, mock):
    mock.add("GET", f"{API}/tickets/999999", json=answer("gone"), status=404)
    with pytest.raises(TicketGone):
        alone.read("999999")


def test_a_ticket_that_we_may_not_read_is_not_gone(alone, mock):
    mock.add("GET", f"{API}/tickets/2", json=answer("no_perm"), status=403)
    with pytest.raises(PermissionLost):
        alone.read("2")


@pytest.mark.parametrize("odd", [[], {}, "ok", {"id": 2}, {"history": {}}, {"history": [{}]}, {"history": [None]}])
def test_an_answer_in_another_form_is_worth_another_try(desk, mock, odd):
    mock.replace("GET", f"{API}/ticket_history/2", json=odd)
    with pytest.raises(HelpdeskAway, match="understood"):
        desk.helpdesk.read("2")


# --- finding ---------------------------------------------------------------------------------------------------------


def test_a_ticket_is_found_by_its_number(alone, mock):
    mock.add("POST", f"{API}/tickets/search", json=answer("search_by_number"))
    assert alone.find("58072") == "73"
    sent = json.loads(mock.calls[0].request.body)
    assert sent["condition"] == captured("search_by_number")["request"]["body"]["condition"]


def test_no_ticket_with_this_number_is_said_so(alone, mock):
    mock.add("POST", f"{API}/tickets/search", json=answer("search_number"))
    with pytest.raises(TicketGone, match="58012"):
        alone.find("58012")


def test_changed_tickets_come_oldest_change_first_and_say_whether_they_are_closed(alone, mock):
    mock.add("POST", f"{API}/tickets/search", json=answer("search_updated_after"))
    mock.add("GET", f"{API}/ticket_states", json=answer("ticket_states_expand"))
    rows = list(alone.find_changed(datetime(2026, 11, 21, 23, 40, 1, tzinfo=UTC)))
    assert [(row.ticket_id, row.closed) for row in rows] == [("282", True), ("311", True)]
    assert rows[0].updated_at == datetime(2026, 11, 22, 0, 21, 29, 605000, UTC)
    sent = json.loads(mock.calls[0].request.body)
    assert sent["condition"] == captured("search_updated_after")["request"]["body"]["condition"]
    assert (sent["sort_by"], sent["order_by"], sent["expand"]) == ("updated_at", "asc", True)


# --- notes -----------------------------------------------------------------------------------------------------------


def test_a_note_is_internal_by_the_system_and_carries_its_proof_unseen(desk):
    assert desk.helpdesk.add_note("2", NOTE) == "3"
    assert desk.notes == [
        {
            "ticket_id": 2,
            "subject": "Escalation",
            "type": "note",
            "sender": "System",
            "internal": True,
            "content_type": "text/html",
            "body": "<b>Escalation E-1A, step 1 of 4 (plan &lt;major&gt;)</b><br>20:15 SMS to Dana: delivered",
            "preferences": {"escalator": {"proof": "v1.abc-_="}},
        }
    ]


def test_the_code_in_the_headline_leads_to_the_timeline(desk):
    link = "https://escalator.example.com/e/E-1A-2?a=1&b=2"
    desk.helpdesk.add_note("2", Note(("Escalation E-1A-2: nobody came",), link=link))
    assert desk.notes[0]["body"] == (
        '<b>Escalation <a href="https://escalator.example.com/e/E-1A-2?a=1&amp;b=2">E-1A-2</a>: nobody came</b>'
    )
    assert "preferences" not in desk.notes[0]


def test_a_note_is_found_again_by_its_proof(desk):
    article = desk.helpdesk.add_note("2", NOTE)
    assert desk.helpdesk.find_note("2", "v1.abc-_=") == article
    assert desk.helpdesk.find_note("2", "v1.another") is None
    assert list(desk.helpdesk.proofs("2")) == [FoundProof("v1.abc-_=")]


def test_a_proof_counts_only_in_our_own_articles_whoever_published_them(desk):
    desk.helpdesk.add_note("2", NOTE)
    desk.articles[-1] |= {"internal": False, "updated_by_id": 4}
    forged = {**desk.articles[-1], "id": 50, "created_by_id": 8, "preferences": {"escalator": {"proof": "forged"}}}
    desk.articles.append(forged)
    desk.articles.append({**forged, "id": 51, "preferences": {}, "body": "x<br><small>escalator:forged too</small>"})
    assert list(desk.helpdesk.proofs("2")) == [
        FoundProof("v1.abc-_="),
        FoundProof("forged", ours=False),
        FoundProof("forged too", ours=False),
    ]
    assert desk.helpdesk.find_note("2", "forged") is None


def test_proofs_come_oldest_first(desk):
    for proof in ("one", "two", "three"):
        desk.helpdesk.add_note("2", Note(("x",), proof=proof))
    desk.articles.reverse()
    assert [found.proof for found in desk.helpdesk.proofs("2")] == ["one", "two", "three"]


def test_a_zammad_that_forgets_preferences_gets_the_proof_as_a_small_last_line_from_the_next_note_on(desk, mock):
    forgotten = answer("note_system")
    mock.replace("POST", f"{API}/ticket_articles", json=forgotten, status=201)
    assert desk.helpdesk.add_note("2", NOTE) == "30"
    assert desk.helpdesk.add_note("2", NOTE) == "30"
    first, second = (json.loads(call.request.body)["body"] for call in mock.calls if call.request.method == "POST")
    assert "escalator:" not in first
    assert second == first + "<br><small>escalator:v1.abc-_=</small>"
    desk.articles.append({**forgotten, "content_type": "text/html", "body": second})
    assert desk.helpdesk.find_note("2", "v1.abc-_=") == "30"


def test_a_note_on_a_deleted_ticket_is_told_as_such(alone, mock):
    mock.add("POST", f"{API}/ticket_articles", json=answer("gone_note"), status=404)
    with pytest.raises(TicketGone):
        alone.add_note("999999", NOTE)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_after_a_server_error_the_note_may_stand_there(alone, mock, status):
    mock.add("POST", f"{API}/ticket_articles", json={"error": "boom"}, status=status)
    with pytest.raises(HelpdeskAway) as caught:
        alone.add_note("2", NOTE)
    assert caught.value.maybe_done


# --- live state ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "tag"),
    [
        ("running", "escalation-running"),
        ("acknowledged", "escalation-acknowledged"),
        ("snoozed", "escalation-snoozed"),
        ("exhausted", "escalation-nobody-came"),
    ],
)
def test_the_live_state_is_one_of_four_tags_and_others_tags_stay(desk, status, tag):
    desk.tags += ["vip-shop", "escalation-running", "escalation-brand-new"]
    desk.helpdesk.show("2", Live(status=status))
    assert sorted(desk.tags) == sorted(["vip-shop", "escalation-brand-new", tag])


def test_showing_it_twice_changes_nothing(desk, mock):
    desk.helpdesk.show("2", Live(status="running"))
    mock.calls.reset()
    desk.helpdesk.show("2", Live(status="running"))
    assert calls(mock) == ["GET /tags"]


def test_the_new_tag_comes_before_the_old_one_goes(desk, mock):
    desk.tags.append("escalation-running")
    desk.helpdesk.show("2", Live(status="acknowledged"))
    assert calls(mock)[1:3] == ["POST /tags/add", "DELETE /tags/remove"]
    sent = [json.loads(call.request.body) for call in mock.calls if call.request.body]
    assert sent[0] == {**captured("tag_add")["request"]["body"], "o_id": 2, "item": "escalation-acknowledged"}
    assert sent[1] == {**captured("tag_remove")["request"]["body"], "o_id": 2}


def test_no_status_takes_all_four_away(desk):
    desk.tags += ["escalation-running", "escalation-nobody-came"]
    desk.helpdesk.show("2", Live())
    assert desk.tags == []


def test_a_tag_that_may_not_be_made_is_named(alone, mock):
    mock.add("GET", f"{API}/tags", json=answer("tags_list"))
    mock.add("POST", f"{API}/tags/add", json=answer("no_perm"), status=403)
    with pytest.raises(PermissionLost, match="escalation-running"):
        alone.show("13", Live(status="running"))


# --- owner -----------------------------------------------------------------------------------------------------------


def test_a_ticket_without_an_owner_is_assigned_by_login(desk):
    assert desk.helpdesk.assign("2", "Bob@example.com")
    assert desk.ticket["owner_id"] == 5


def test_an_owner_is_never_taken_away(mock):
    desk = serve(mock, composed("captured/agent_takes"))
    assert not desk.helpdesk.assign("2", "bob@example.com")
    assert not any(call.startswith("PUT") for call in calls(mock))


def test_who_owns_it_already_owns_it(mock):
    desk = serve(mock, composed("captured/agent_takes"))
    assert desk.helpdesk.assign("2", "alice@example.com")
    assert not any(call.startswith("PUT") for call in calls(mock))


@pytest.mark.parametrize("login", ["cathy@example.org", "nobody@example.com", "escalator@example.com", ""])
def test_somebody_who_is_no_agent_is_never_sent(desk, mock, login):
    assert not desk.helpdesk.assign("2", login)
    assert not any(call.startswith("PUT") for call in calls(mock))


def test_an_owner_that_zammad_drops_in_silence_is_noticed(desk, mock):
    mock.add("PUT", f"{API}/tickets/13", json=answer("owner_rcc_agent_dropped"))
    mock.add("GET", f"{API}/tickets/13", json=answer("ticket_get"))
    assert not desk.helpdesk.assign("13", "bob@example.com")


def test_an_assignment_that_zammad_refuses_is_refused(desk, mock):
    mock.replace("GET", f"{API}/tickets/2", json={**desk.ticket, "owner_id": 1})
    mock.add("GET", f"{API}/tickets/13", json=answer("ticket_get"))
    mock.add("PUT", f"{API}/tickets/13", json=answer("bad_state"), status=422)
    with pytest.raises(HelpdeskRefused):
        desk.helpdesk.assign("13", "bob@example.com")


# --- who and what there is -------------------------------------------------------------------------------------------


def test_people_are_the_agents_but_ourselves(desk):
    found = desk.helpdesk.people()
    assert [(one.login, one.mobile) for one in found] == [
        ("admin@example.com", ""),
        ("alice@example.com", "+49 170 1234567"),
        ("bob@example.com", "0170 7654321"),
    ]


def test_names_are_what_a_config_can_be_checked_against(desk):
    names = desk.helpdesk.names()
    assert names.priorities == {"1 low", "2 normal", "3 high"}
    assert names.groups == {"Users", "Network", "2nd Level"}
    assert names.logins == {"admin@example.com", "alice@example.com", "bob@example.com", "escalator@example.com"}


def about(mock, rights: dict[str, list[str]], *, is_admin: bool) -> str:
    mock.add("GET", f"{API}/users/me", json={**answer("users_me_expand"), "groups": rights})
    mock.add("GET", f"{API}/ticket_states", json=answer("ticket_states_expand"))
    mock.add("GET", f"{API}/users/search", json=answer("users_search_groups"))
    mock.add("GET", f"{API}/webhooks", json=[] if is_admin else answer("no_perm"), status=200 if is_admin else 403)
    return build(OPTIONS).about()


def test_the_right_rights_are_a_plain_sentence(mock):
    rights = {"Network": ["read", "create", "change"], "2nd Level": ["change", "create", "overview", "read"]}
    assert about(mock, rights, is_admin=False) == "Zammad knows us as escalator@example.com, with access to 2 groups."


def test_missing_rights_are_named(mock):
    told = about(mock, {"Network": ["read"], "Users": ["read", "create", "change"]}, is_admin=False)
    assert "rights are missing in Network (create, change)" in told


def test_having_no_group_at_all_is_told(mock):
    assert "it needs read, create and change in every group that escalates" in about(mock, {}, is_admin=False)


def test_too_many_rights_are_named(mock):
    told = about(mock, {"Network": ["full"]}, is_admin=True)
    assert "admin rights" in told
    assert "full access in Network" in told


def test_states_are_known_to_hints_after_about(mock):
    mock.add("GET", f"{API}/users/me", json=answer("users_me_expand"))
    mock.add("GET", f"{API}/ticket_states", json=answer("ticket_states_expand"))
    mock.add("GET", f"{API}/users/search", json=answer("users_search_groups"))
    mock.add("GET", f"{API}/webhooks", json=answer("no_perm"), status=403)
    helpdesk = build(OPTIONS)
    assert not helpdesk.parse(composed("captured/closed").body).closed
    helpdesk.about()
    assert helpdesk.parse(composed("captured/closed").body).closed


def test_a_bad_token_is_told(alone, mock):
    mock.add("GET", f"{API}/users/me", json=answer("bad_token"), status=401)
    with pytest.raises(PermissionLost, match="token"):
        alone.about()


def test_agents_are_read_page_by_page(mock, alone):
    everybody = [{**answer("users_search_groups")[0], "id": n, "login": f"a{n}@example.com"} for n in range(10, 260)]
    mock.add("GET", f"{API}/users/me", json=answer("users_me"))
    for page in (1, 2, 3):
        asked = matchers.query_param_matcher({"page": str(page), "permissions[]": "ticket.agent"}, strict_match=False)
        mock.add("GET", f"{API}/users/search", json=everybody[(page - 1) * 100 : page * 100], match=[asked])
    assert len(alone.people()) == 250


def test_the_address_may_end_in_a_slash():
    with responses.RequestsMock() as mock:
        mock.add("POST", f"{API}/tickets/search", json=answer("search_by_number"))
        assert build({**OPTIONS, "url": f"{URL}/"}).find("58072") == "73"
