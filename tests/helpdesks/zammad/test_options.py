"""What an admin writes under `helpdesk`, and how the adapter is found by its kind."""

from typing import Any

import pytest
from marshmallow import ValidationError

from connector.helpdesks import discover
from connector.helpdesks.zammad import Options, Zammad, build

LEAST: dict[str, Any] = {"url": "https://desk.example.com", "token": "T", "webhook_secret": "S"}


def test_an_address_a_token_and_a_secret_are_enough():
    helpdesk = build(LEAST)
    assert isinstance(helpdesk, Zammad)
    assert helpdesk.kind == "zammad"


def test_it_is_found_by_its_kind():
    module = discover()["zammad"]
    assert (module.KIND, module.Options, module.build) == ("zammad", Options, build)


def test_loaded_options_can_be_loaded_again():
    loaded = Options().load({**LEAST, "robots": ["monitoring"]})
    assert loaded["webhook_secret"] == ["S"]
    assert isinstance(build(loaded), Zammad)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("url", "desk.example.com"),
        ("url", "ftp://desk.example.com"),
        ("url", "https://"),
        ("url", "https://me:password@desk.example.com"),
        ("url", "https://desk.example.com/#ticket/zoom/2"),
        ("url", "https://desk.example.com:port"),
        ("token", ""),
        ("webhook_secret", ""),
        ("webhook_secret", []),
        ("webhook_secret", ["S", ""]),
        ("robots", "monitoring"),
        ("timeout", 0),
        ("user", "escalator"),
    ],
)
def test_what_cannot_work_is_refused_by_its_name(field, value):
    with pytest.raises(ValidationError) as caught:
        build({**LEAST, field: value})
    assert list(caught.value.normalized_messages()) == [field]


@pytest.mark.parametrize("field", LEAST)
def test_each_of_the_three_is_needed(field):
    with pytest.raises(ValidationError, match=field):
        build({name: value for name, value in LEAST.items() if name != field})
