"""Codes are short, can be read aloud, and are understood as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.core.code import code_of, parse_code, readings


def test_a_code_is_the_tickets_id_in_crockford_base32() -> None:
    assert code_of("42") == "E-1A"


def test_a_second_life_has_its_number() -> None:
    assert code_of("42", 2) == "E-1A-2"


@pytest.mark.parametrize("written", ["E-1A", "e-1a", "1a", " 1A ", "IA", "e-la"])
def test_people_write_it_in_many_ways(written: str) -> None:
    assert parse_code(written) == ("42", 1)


@pytest.mark.parametrize("written", ["", "ALL", "all", "1", "1A!", "hello you", "E-1A-", "U2"])
def test_what_is_no_code_is_none(written: str) -> None:
    assert parse_code(written) is None


def test_a_code_that_starts_with_e_keeps_its_e() -> None:
    assert parse_code(code_of("448")) == ("448", 1)


def test_an_e_without_a_dash_may_be_the_codes_own_or_only_a_prefix() -> None:
    assert readings("E1A") == [("14378", 1), ("42", 1)] == [parse_code("E-E1A"), parse_code("E-1A")]
    assert readings("e1a-2") == [("14378", 2), ("42", 2)]
    assert readings("E-E1A") == [("14378", 1)]
    assert readings("E") == [("14", 1)]


@given(st.integers(0, 10**15), st.integers(1, 999))
def test_every_code_leads_back_to_its_ticket(ticket: int, life: int) -> None:
    assert parse_code(code_of(str(ticket), life)) == (str(ticket), life)


def test_an_id_that_isnt_a_number_has_no_code() -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        code_of("abc")
