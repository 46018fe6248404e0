"""First lines of notes: where commands stand."""

import pytest

from connector.helpdesks.zammad.text import first_line


def test_a_plain_notes_first_line_is_what_stands_before_the_line_break():
    assert first_line("/ack on it\nsee you", "text/plain") == "/ack on it"


@pytest.mark.parametrize(
    "body",
    [
        "/ack on it",
        "/ack on it<br>see you",
        "/ack on it<br/>see you",
        "<div>/ack on it</div><div>see you</div>",
        "/ack on it<div>see you</div>",
        "<p>/ack on it</p><p>see you</p>",
        "<div><br></div><div>/ack <b>on</b>\n it</div>",
        "/ack&nbsp;on&#32;it<ul><li>see you</li></ul>",
        "<style>p {}</style><span style='color: red'>/ack</span> on it<hr>",
    ],
)
def test_in_html_it_ends_where_a_line_ends_on_the_screen(body):
    assert first_line(body, "text/html") == "/ack on it"


def test_entities_are_read_as_the_characters_they_stand_for():
    assert first_line("a &lt;b&gt; &amp; &quot;c&quot; &uuml;", "text/html") == 'a <b> & "c" ü'


def test_in_plain_text_they_are_left_as_typed():
    assert first_line("a &lt;b&gt; <br> c", "text/plain") == "a &lt;b&gt; <br> c"


@pytest.mark.parametrize("body", ["", "\n \n", "<div><br></div>", "<img src='x'>"])
def test_an_empty_note_has_no_first_line(body):
    assert first_line(body, "text/html") == ""


def test_at_most_200_characters_are_taken():
    assert len(first_line("x" * 5000, "text/plain")) == 200


def test_html_that_never_ends_is_read_as_far_as_it_goes():
    assert first_line("<div>/stop <b>now", "text/html") == "/stop now"
