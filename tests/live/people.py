"""Agents and customers at the real Znuny's own web pages: what they do here, they do as people do it.

Nothing here speaks the web service: an agent logs in, opens a form, which already locks the ticket where Znuny wants
that, fills it in and submits it, with the form's own hidden fields and challenge token.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime
from html.parser import HTMLParser

import requests
from requests.adapters import HTTPAdapter
from urllib3 import Retry

TIMEOUT = 60  # seconds; the first page after a start compiles its templates


def browser() -> requests.Session:
    """Asks once more for a page that breaks: Znuny 6.5 now and then stumbles over its own cache under load."""
    session = requests.Session()
    session.mount("http://", HTTPAdapter(max_retries=Retry(3, allowed_methods={"GET"}, status_forcelist={500})))
    return session


class _Forms(HTMLParser):
    """Every form of a page with the values that a browser would send, untouched."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[dict[str, str]] = []
        self._select: str | None = None
        self._textarea: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append({})
        if not self.forms:
            return
        form, name = self.forms[-1], given.get("name", "")
        if tag == "input" and name and given.get("type") not in ("submit", "button", "file"):
            if given.get("type") not in ("checkbox", "radio") or "checked" in given:
                form[name] = given.get("value", "on")
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select and "selected" in given:
            form[self._select] = given.get("value", "")
        elif tag == "textarea" and name:
            self._textarea, form[name] = name, ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self._select = None
        if tag == "textarea":
            self._textarea = None

    def handle_data(self, data: str) -> None:
        if self._textarea and self.forms:
            self.forms[-1][self._textarea] += data


@dataclass
class Page:
    """One page as the server sent it."""

    html: str

    def form(self, action: str) -> dict[str, str]:
        """The values of the form that leads to this action. Raises LookupError with what the page says instead."""
        parser = _Forms()
        parser.feed(self.html)
        for form in parser.forms:
            if form.get("Action") == action and form.get("Subaction"):
                form.pop("FormDraftAction", None)  # a button's: sent only by saving a draft
                return form
        words = " ".join(re.sub(r"(?s)<(script|style).*?</\1>|<[^>]+>", " ", self.html).split())
        raise LookupError(f"no form {action} on the page: {words[-600:]}")

    def link(self, pattern: str) -> str:
        """The query of the first link whose query matches."""
        for href in re.findall(r'href="[^"?]*\?([^"]+)"', self.html):
            query = href.replace("&amp;", "&").replace("&#59;", ";")
            if re.search(pattern, query):
                return str(query)
        raise LookupError(f"no link like {pattern}")


@dataclass
class Visitor:
    """Somebody with a browser at one of Znuny's two front doors (index.pl, customer.pl)."""

    door: str
    login: str
    password: str
    browser: requests.Session = field(default_factory=browser)

    def __post_init__(self) -> None:
        page = self.post(
            Action="Login", RequestedURL="", Lang="en", TimeZoneOffset="0", User=self.login, Password=self.password
        )
        if "Action=Logout" not in page.html:
            raise AssertionError(f"{self.login} could not log in")
        self._way_out = page.link("Action=Logout")

    def close(self) -> None:
        """Logs out: Znuny lets nobody have more than 20 sessions, and keeps them for hours."""
        self.get(self._way_out)
        self.browser.close()

    def get(self, query: str) -> Page:
        answer = self.browser.get(f"{self.door}?{query}", timeout=TIMEOUT)
        answer.raise_for_status()
        return Page(answer.text)

    def post(self, **fields: str) -> Page:
        answer = self.browser.post(self.door, data=fields, timeout=TIMEOUT)
        answer.raise_for_status()
        return Page(answer.text)


def _recipient(field: str) -> dict[str, str]:
    """What the page's script sends once Carla has been chosen from the address book."""
    return {
        f"CustomerTicketCounter{field}": "1",
        "CustomerTicketText_1": '"Carla Customer" <carla@example.com>',
        "CustomerKey_1": "carla",
        "CustomerSelected": "1",
        "SelectedCustomerUser": "carla",
        "CustomerID": "ACME",
    }


class Agent(Visitor):
    """An agent at index.pl."""

    def zoom(self, ticket_id: str) -> Page:
        return self.get(f"Action=AgentTicketZoom;TicketID={ticket_id}")

    def open(self, action: str, ticket_id: str) -> Page:
        """Opens a ticket's form; most of them lock the ticket by that alone."""
        return self.get(f"Action={action};TicketID={ticket_id}")

    def undo(self, page: Page) -> None:
        """ "Undo & close": leaves a form that locked on opening; Znuny unlocks and sets the owner back."""
        self.get(page.link(r"Subaction=Unlock"))

    def submit(self, page: Page, action: str, **fields: str) -> Page:
        answer = self.post(**{**page.form(action), **fields})
        if "ServerError" in answer.html and "UndoClosePopup" in answer.html:
            raise AssertionError(f"{action} was not accepted")
        return answer

    def fill(self, action: str, ticket_id: str, **fields: str) -> Page:
        return self.submit(self.open(action, ticket_id), action, **fields)

    def lock(self, ticket_id: str) -> None:
        """The ticket menu's "Lock": the clicking agent becomes the owner, too."""
        self.get(self.zoom(ticket_id).link(r"Action=AgentTicketLock;Subaction=Lock"))

    def unlock(self, ticket_id: str) -> None:
        self.get(self.zoom(ticket_id).link(r"Action=AgentTicketLock;Subaction=Unlock"))

    def note(self, ticket_id: str, body: str, subject: str = "Note", visible: bool = False) -> None:
        extra = {"IsVisibleForCustomer": "1"} if visible else {}
        body = body.replace("\n", "<br/>")  # the form's editor writes HTML
        self.fill("AgentTicketNote", ticket_id, Subject=subject, Body=body, **extra)

    def own(self, ticket_id: str, agent_id: str) -> None:
        """The owner form: gives the ticket to this agent."""
        self.fill("AgentTicketOwner", ticket_id, NewOwnerID=agent_id, Subject="Owner", Body="Yours")

    def priority(self, ticket_id: str, priority_id: str) -> None:
        self.fill("AgentTicketPriority", ticket_id, NewPriorityID=priority_id, Subject="Priority", Body="Urgent")

    def move(self, ticket_id: str, queue_id: str, agent_id: str = "") -> None:
        self.fill("AgentTicketMove", ticket_id, DestQueueID=queue_id, NewUserID=agent_id)

    def close_ticket(self, ticket_id: str, state_id: str = "2") -> None:
        self.fill("AgentTicketClose", ticket_id, NewStateID=state_id, Subject="Close", Body="Done")

    def pend(self, ticket_id: str, until: datetime) -> None:
        """Pending reminder until this moment, in the agent's own time zone (UTC)."""
        when = {name: str(getattr(until, name.lower())) for name in ("Year", "Month", "Day", "Hour", "Minute")}
        self.fill("AgentTicketPending", ticket_id, NewStateID="6", Subject="Pending", Body="Waiting", **when)

    def reply(self, ticket_id: str, article_id: str, body: str = "We are on it.", state_id: str = "4") -> None:
        """A mail to the customer, with the next state (4: open, which reopens); the form locks when it opens."""
        page = self.get(f"Action=AgentTicketCompose;TicketID={ticket_id};ArticleID={article_id};ResponseID=1")
        self.submit(page, "AgentTicketCompose", Body=body, StateID=state_id, **_recipient("ToCustomer"))

    def phone_ticket(self, title: str, owner_id: str = "", queue: str = "5||Service Desk") -> None:
        """Carla has called; `owner_id` is who shall have the ticket, which locks it."""
        page = self.get("Action=AgentTicketPhone")
        mine = {"Dest": queue, "Subject": title, "Body": "Carla says so.", "NewUserID": owner_id, "PriorityID": "3"}
        form = page.form("AgentTicketPhone")
        answer = self.post(**{**form, **mine, "NextStateID": "1", **_recipient("FromCustomer")})
        if "ServerError" in answer.html and f'value="{title}"' in answer.html:
            raise AssertionError("the phone ticket was not accepted")

    def acknowledge(self, ticket_id: str) -> None:
        """The ticket menu's "Acknowledge escalation": the checkbox is ticked already, one only submits."""
        page = self.get(self.zoom(ticket_id).link(r"Action=AgentTicketFreeText"))
        self.submit(page, "AgentTicketFreeText")

    def merge(self, ticket_id: str, into_number: str) -> None:
        self.fill("AgentTicketMerge", ticket_id, MainTicketNumber=into_number, InformSender="")


class Customer(Visitor):
    """A customer at customer.pl."""

    def create(self, subject: str, body: str, queue: str = "Service Desk", priority_id: str = "3") -> None:
        page = self.get("Action=CustomerTicketMessage")
        form = page.form("CustomerTicketMessage")
        found = re.search(rf'<option value="([^"]+\|\|{re.escape(queue)})"', page.html)
        if found is None:
            raise LookupError(f"no queue {queue}")
        self.post(**{**form, "Dest": found[1], "Subject": subject, "Body": body, "PriorityID": priority_id})

    def follow_up(self, number: str, body: str, state_id: str = "") -> None:
        form = self.get(f"Action=CustomerTicketZoom;TicketNumber={number}").form("CustomerTicketZoom")
        state = {"StateID": state_id} if state_id else {}
        self.post(**{**form, "Subject": "More", "Body": body, **state})
