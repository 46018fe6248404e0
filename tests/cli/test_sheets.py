"""`plans --html` and `explain --html`: one page for sharing, which says what the text says."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import Any

from channels import BUILT_IN
from connector.cli.sheet import Part, Row, Sheet, lines_of, page_of
from connector.core.wording import Reader

from .conftest import Bench

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{ 7 * 7 }}\u202egnp.exe\x1b[2J\r\nNext line"
UNSEEN = {"style", "title", "head"}


class Page(HTMLParser):
    """What a reader of the page sees, in one line, and what its tags are and lead to."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self._open: list[str] = []
        self._seen: list[str] = []
        self.feed(html)
        self.text = " ".join(" ".join(self._seen).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag in UNSEEN:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in UNSEEN:
            self._open.remove(tag)

    def handle_data(self, data: str) -> None:
        if not self._open:
            self._seen.append(data)


def sentences(text: str) -> Iterator[str]:
    """Each line of the text form, however it was indented."""
    yield from (" ".join(line.split()) for line in text.splitlines() if line.strip())


def test_the_page_is_written_where_it_was_asked_for_and_a_dash_prints_it(alone: Bench) -> None:
    file = alone.folder / "plans.html"

    said = alone.run("plans", "--html", str(file))

    assert said.exit_code == 0, said.output
    assert said.stdout == f"Written to {file}.\n"
    written = file.read_text(encoding="utf-8")
    assert written.startswith("<!doctype html>")
    assert '<html lang="en">' in written
    assert alone.run("plans", "--html", "-").stdout.startswith("<!doctype html>")


def test_every_sentence_of_the_text_stands_in_the_page(alone: Bench) -> None:
    alone.config["contacts"]["lee"] = {"name": "Lee Adams"}
    alone.write()
    ticket = alone.zammad.create_ticket("Server outage", priority="3 high")

    for command in (["plans"], ["explain", f"id:{ticket['id']}"]):
        page = Page(alone.run(*command, "--html", "-").stdout)
        told = [*sentences(alone.run(*command).stdout)]
        assert len(told) > 5
        assert [one for one in told if one not in page.text] == []


def test_the_page_speaks_the_services_language_and_tells_the_same_steps(alone: Bench) -> None:
    alone.config["service"]["language"] = "de"
    alone.write()
    ticket = alone.zammad.create_ticket("Server outage", priority="3 high")

    html = alone.run("plans", "--html", "-").stdout
    page = Page(html)
    assert '<html lang="de">' in html
    for words in (
        "Eskalationspläne",
        "30 min Mail an den Besitzer, oder SMS, wenn das nicht ankommt",
        "35 min Anruf an den Besitzer",
        "45 min Durchgang 2 von 2 beginnt, wieder mit Schritt 1",
        "Solange niemand das Ticket besitzt, wird Dana Reyes statt des Besitzers benachrichtigt.",
        "Priorität „3 high“, Tag „no-escalation“",
    ):
        assert words in page.text
    why = Page(alone.run("explain", f"id:{ticket['id']}", "--html", "-").stdout).text
    assert "Es gilt Plan calm: Priorität „3 high“." in why
    assert "Schritt 1: Mail an Dana Reyes, oder SMS, wenn das nicht ankommt" in why
    assert "Plan calm applies" in alone.run("explain", f"id:{ticket['id']}").stdout


def test_a_rehearsal_is_said_to_be_one(alone: Bench) -> None:
    ticket = alone.zammad.create_ticket("Server outage", priority="3 high")
    for to, said in (
        ({}, "Rehearsal: nothing is sent to anybody, and nothing is written to the helpdesk."),
        ({"redirect_to": "dana"}, "Rehearsal: every message goes to Dana Reyes instead, and nothing is written"),
    ):
        alone.config["service"] |= {"mode": "rehearsal", **to}
        alone.write()
        for command in (["plans"], ["explain", f"id:{ticket['id']}"]):
            assert alone.run(*command).stdout.startswith(said)
            assert said in Page(alone.run(*command, "--html", "-").stdout).text


def test_the_page_loads_nothing_and_runs_nothing(alone: Bench) -> None:
    ticket = alone.zammad.create_ticket("Server outage", priority="3 high")
    for command in (["plans"], ["explain", f"id:{ticket['id']}"]):
        page = Page(alone.run(*command, "--html", "-").stdout)
        assert not {"script", "link", "img", "iframe", "object", "form", "base"} & set(page.tags)
        leads = [value for name, value in page.attributes if name in ("href", "src", "action", "style", "srcset")]
        assert {one for one in leads if not one.startswith(("#", f"{alone.zammad.url}/#ticket/"))} == set()
        assert ("content", "default-src 'none'; style-src 'unsafe-inline'") in page.attributes


def test_neither_text_nor_page_holds_a_secret_or_a_number(alone: Bench) -> None:
    alone.config["contacts"]["dana"]["push"] = ["d4e0" * 16]
    alone.write()
    ticket = alone.zammad.create_ticket("Server outage", priority="3 high")
    secret = {*_leaves(alone.config["helpdesk"]), *_leaves(alone.config["service"]["secret_keys"])}
    secret |= {*_leaves(alone.config["twilio"]), *_leaves(alone.config["channels"]), *_leaves(_addresses(alone))}
    unguessable = {str(one) for one in secret if len(str(one)) > 8} - {alone.config["helpdesk"]["url"], "127.0.0.1"}
    assert len(unguessable) > 8

    for command in (["plans"], ["explain", f"id:{ticket['id']}"]):
        for how in ([], ["--html", "-"], ["--json"]):
            said = alone.run(*command, *how).output
            assert {one for one in unguessable if one in said} == set()


def _addresses(bench: Bench) -> dict[str, Any]:
    return {name: one for name, one in bench.config["contacts"]["dana"].items() if name not in ("name", "login")}


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _leaves(one)
    else:
        yield value


def test_a_private_ticket_is_told_of_by_its_number_alone(alone: Bench) -> None:
    ticket = alone.zammad.create_ticket("Salary of Eve", priority="3 high")
    alone.config["service"]["privacy"] = [{"when": {"priority": "3 high"}, "show": "number"}]
    alone.write()

    for how in ([], ["--html", "-"], ["--json"]):
        said = alone.run("explain", f"id:{ticket['id']}", *how).output
        assert str(ticket["number"]) in said
        assert "Salary" not in said


def test_a_hostile_title_or_name_stays_text_on_one_line(alone: Bench) -> None:
    ticket = alone.zammad.create_ticket(HOSTILE, priority="3 high")
    alone.config["contacts"]["dana"]["name"] = "<b>Dana</b> \u202e& {{ 7 * 7 }}"
    alone.config["priorities"]["<i>"] = "calm"
    alone.write()

    for command in (["plans"], ["explain", f"id:{ticket['id']}"]):
        html = alone.run(*command, "--html", "-").stdout
        page = Page(html)
        assert not {"script", "img", "b", "i"} & set(page.tags)
        assert not [name for name, _ in page.attributes if name.startswith("on")]
        assert "<b>Dana</b> & {{ 7 * 7 }}" in page.text
        assert not re.search("[\u202e\x1b]", html)
    assert "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{ 7 * 7 }}gnp.exe [2J Next line" in page.text
    text = alone.run("explain", f"id:{ticket['id']}").stdout
    assert not re.search("[\u202e\x1b]", text)


def test_a_file_that_can_not_be_written_is_said_so(alone: Bench) -> None:
    said = alone.run("plans", "--html", str(alone.folder / "nowhere" / "plans.html"))

    assert said.exit_code == 1
    assert "can't be written: No such file or directory." in said.stderr


def test_an_admins_own_words_are_used_and_broken_ones_are_not(alone: Bench) -> None:
    own = alone.folder / "texts/en/plan/sentence.txt"
    own.parent.mkdir(parents=True)
    own.write_text('{% if kind == "plans" %}Our house rules{% else %}{{ nobody_knows_this }}{% endif %}')
    alone.config["service"]["texts"] = "texts"
    alone.write()

    html = alone.run("plans", "--html", "-").stdout

    assert "<h1>Our house rules</h1>" in html
    assert "Mail to the owner".lower() in html
    found = alone.run("check", "--offline")
    assert f"error: {own}:1:1: It can't be filled in: 'nobody_knows_this' is undefined" in found.stdout


def test_a_longer_wait_is_drawn_longer() -> None:
    waits = [0, 1, 5, 6, 15, 16, 30, 31, 120, 121, 2880]
    assert [Row("", "", waits=timedelta(minutes=one)).gap for one in waits] == [0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]


def test_remarks_stand_below_what_they_are_about() -> None:
    sheet = Sheet("Ticket 1", ("Why.",), (Part(before=("Then:",), rows=(Row("9:00", "SMS", remarks=("but no",)),)),))
    assert [*lines_of(sheet)] == ["Why.", "Then:", "  9:00  SMS", "    but no"]


def test_a_page_in_a_language_without_texts_is_english() -> None:
    html = page_of(Sheet("Plans"), BUILT_IN, "fr", Reader(UTC, {}), datetime(2026, 1, 31, 20, 0, tzinfo=UTC))
    assert '<html lang="en">' in html
    assert "As of 2026-01-31 20:00 UTC" in html
