"""What makes a stranger's words harmless, and what fits into an SMS."""

import pytest

from channels import _texts


def test_an_everyday_title_stays_as_it_is() -> None:
    title = "Server outage: v1.2 of the mail gateway doesn't start (Büro Köln)"
    assert _texts.defuse(_texts.clean(title)) == title


@pytest.mark.parametrize(
    ("title", "harmless"),
    [
        ("one\r\ntwo\u2028three\x00", "one two three"),
        ("\u202eexe.gpj\u200b", "exe.gpj"),
        ("lone \ud800 surrogate", "lone surrogate"),
    ],
)
def test_control_and_format_characters_go(title: str, harmless: str) -> None:
    assert _texts.clean(title) == harmless


@pytest.mark.parametrize(
    ("title", "harmless"),
    [
        ("http://evil.example.com/x", "http: //evil. example. com/x"),
        ("see www.evil.com", "see www. evil. com"),
        ("HTTPS://EVIL.COM", "HTTPS: //EVIL. COM"),
        ("tel:+15005550000", "tel: +15005550000"),
        ("javascript:alert(1)", "javascript: alert(1)"),
        ("応答しません。至急", "応答しません。至急"),
    ],
)
def test_nothing_is_left_to_tap_on(title: str, harmless: str) -> None:
    assert _texts.defuse(title) == harmless


@pytest.mark.parametrize(
    ("text", "size"),
    [("a" * 160, 160), ("Grüße", 5), ("€", 2), ("[x]", 5), ("ł", None), ("🔥", None)],
)
def test_septets_are_counted_as_the_network_does(text: str, size: int | None) -> None:
    assert _texts.septets(text) == size


@pytest.mark.parametrize(
    ("text", "fits"),
    [("a" * 160, True), ("a" * 161, False), ("€" * 80, True), ("€" * 81, False), ("ш" * 70, True), ("🔥" * 36, False)],
)
def test_one_segment_is_160_septets_or_70_units(text: str, fits: bool) -> None:
    assert _texts.one_segment(text) == fits


@pytest.mark.parametrize(
    ("text", "written", "readable"),
    [
        ("„Łódź“ – café…", '"Lodz" - café...', True),
        ("🔥 Fire 🔥", "Fire", True),
        ("Сервер", "", False),
        ("", "", True),
    ],
)
def test_near_letters_stand_in_for_those_that_the_network_lacks(text: str, written: str, readable: bool) -> None:
    assert _texts.to_gsm(text) == (written, readable)
