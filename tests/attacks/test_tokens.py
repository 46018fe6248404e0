"""Tokens of links and callbacks: only the very text that was given out is one."""

import pytest

from connector.engine.proofs import Signatures

OURS = Signatures(["a-key-that-is-only-for-tests-1234"])
TOKEN = OURS.token("acknowledge", "e-1a-1-1-4435772f9b66")


def test_the_token_that_was_given_out_is_good() -> None:
    assert OURS.read_token("acknowledge", TOKEN) == "e-1a-1-1-4435772f9b66"


@pytest.mark.parametrize("more", ["=", "==", "\x00", "\n", "%", "!AAAA", " ", "é"])
def test_with_anything_behind_it_it_is_forged(more: str) -> None:
    assert OURS.read_token("acknowledge", TOKEN + more) is None


@pytest.mark.parametrize("purpose", ["callback", "note", "pair", ""])
def test_it_is_worth_nothing_for_another_purpose(purpose: str) -> None:
    assert OURS.read_token(purpose, TOKEN) is None


@pytest.mark.parametrize("text", ["", ".", "..", "\ud800.AAAAAAAAAAAAAAAA", "é.AAAAAAAAAAAAAAAA", "a" * 100_000])
def test_what_is_no_token_is_none(text: str) -> None:
    assert OURS.read_token("acknowledge", text) is None
