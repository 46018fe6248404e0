"""Words: English text that knows what it was made of, so that it can be said in another language later."""

from connector.core.words import Words

GERMAN = {
    "stopped by {who}": "gestoppt durch {who}",
    "the helpdesk": "das Helpdesk",
    "accepted": "angenommen",
    "{channel} to {name}: {outcome}": "{channel} an {name}: {outcome}",
}


def test_words_are_their_english_sentence() -> None:
    words = Words("stopped by {who}", who="Dana")
    assert words == "stopped by Dana"
    assert f"It was {words}." == "It was stopped by Dana."


def test_a_catalogue_says_them_in_another_language() -> None:
    assert Words("stopped by {who}", who="Dana").translated(GERMAN) == "gestoppt durch Dana"


def test_values_are_never_translated_unless_they_are_words_themselves() -> None:
    assert Words("stopped by {who}", who=Words("the helpdesk")).translated(GERMAN) == "gestoppt durch das Helpdesk"
    assert Words("stopped by {who}", who="the helpdesk").translated(GERMAN) == "gestoppt durch the helpdesk"


def test_text_without_gaps_is_its_own_sentence() -> None:
    assert Words("accepted").translated(GERMAN) == "angenommen"
    assert Words("550 no such user {here}").translated(GERMAN) == "550 no such user {here}"


def test_what_the_catalogue_lacks_stays_english() -> None:
    assert Words("nobody came").translated(GERMAN) == "nobody came"
    assert Words("by {who}", who=Words("the helpdesk")).translated({}) == "by the helpdesk"


def test_a_sentence_with_other_gaps_is_said_in_english() -> None:
    assert Words("stopped by {who}", who="Dana").translated({"stopped by {who}": "gestoppt von {wem}"}) == (
        "stopped by Dana"
    )


def test_a_value_is_text_whatever_it_looks_like() -> None:
    title = "{who} {0} %s <b>"
    assert Words("stopped by {who}", who=title).translated(GERMAN) == f"gestoppt durch {title}"


def test_a_gap_can_be_filled_anew() -> None:
    told = Words("{channel} to {name}: {outcome}", channel="phone", name="Dana", outcome=Words("accepted"))
    assert told.using(channel="call", nothing="x") == "call to Dana: accepted"
    assert told.using(channel="Anruf").translated(GERMAN) == "Anruf an Dana: angenommen"


def test_words_of_words_are_the_same_words() -> None:
    words = Words("stopped by {who}", who="Dana")
    assert Words(words) is words
