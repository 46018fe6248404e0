"""What is signed: links, callbacks, notes. The first key signs, all verify, and each purpose is its own."""

import pytest

from connector.engine.proofs import Signatures, digest

OLD, NEW = "an-old-key-that-is-only-for-tests", "a-new-key-that-is-only-for-tests"


def test_a_token_stands_for_the_id_that_it_was_made_for() -> None:
    ours = Signatures([NEW])
    assert ours.read_token("acknowledge", ours.token("acknowledge", "e-1a-1-1-abc")) == "e-1a-1-1-abc"


def test_after_a_new_key_old_tokens_and_notes_still_verify() -> None:
    before, after = Signatures([OLD]), Signatures([NEW, OLD])
    assert after.read_token("acknowledge", before.token("acknowledge", "an-id")) == "an-id"
    assert after.read_proof(before.proof({"c": "E-1A"})) == {"c": "E-1A"}


def test_the_first_key_signs() -> None:
    both = Signatures([NEW, OLD])
    assert Signatures([NEW]).read_token("callback", both.token("callback", "an-id")) == "an-id"
    assert Signatures([NEW]).read_proof(both.proof({"c": "E-1A"})) == {"c": "E-1A"}


def test_a_key_that_was_taken_away_verifies_nothing() -> None:
    assert Signatures([NEW]).read_token("acknowledge", Signatures([OLD]).token("acknowledge", "an-id")) is None
    assert Signatures([NEW]).read_proof(Signatures([OLD]).proof({"c": "E-1A"})) is None


def test_a_token_of_one_purpose_is_worthless_for_another() -> None:
    ours = Signatures([NEW])
    assert ours.read_token("callback", ours.token("acknowledge", "an-id")) is None
    assert ours.read_proof(ours.token("note", "an-id")) is None


@pytest.mark.parametrize("forged", ["", ".", "an-id", "an-id.", "an-id.AAAAAAAAAAAAAAAA", "\ud800.x", "é.AAAA"])
def test_a_forged_token_stands_for_nothing(forged: str) -> None:
    assert Signatures([NEW]).read_token("acknowledge", forged) is None


def test_any_change_of_a_token_or_note_is_seen() -> None:
    ours = Signatures([NEW])
    token, proof = ours.token("acknowledge", "an-id"), ours.proof({"c": "E-1A"})
    for place in range(len(token)):
        changed = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
        assert ours.read_token("acknowledge", changed) is None
    assert ours.read_proof(proof[:-4] + "AAAA") is None


def test_notes_name_the_one_before_them() -> None:
    assert digest("") == ""
    assert digest("one") != digest("two")
