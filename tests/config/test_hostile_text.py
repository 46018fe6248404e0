"""Whatever stands in the file, the answer is sentences, never a traceback."""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config import load
from config.problems import Problem
from config.reference import reference

EXAMPLE = (Path(__file__).parents[2] / "config/escalation.example.yml").read_text()
WORDS = sorted(set(EXAMPLE.replace("{", " ").replace("}", " ").replace(",", " ").split()))

MARKS = ["\n", "\n  ", "\n    ", "- ", ": ", "{", "}", "[", "]", ", ", '"', "'", "&a ", "*a ", "!!str ", "<<: ", "? "]
ODD = [
    "---\n",
    "%YAML 1.1\n",
    "${",
    "$$",
    "~",
    "0x1",
    "1e999",
    ".nan",
    "9" * 30,
    "\t",
    "#",
    "@",
    "`",
    "\x85",
    "|\n",
    "é",
]
yaml_pieces = st.sampled_from([*WORDS, *MARKS, *ODD])
TAGGED = ['"\\ud800"', '"\\0"', "!!binary aGk=", "!!set {a}", "!!map", "2026-13-45", "*nowhere", "{? [a] : b}", "{}"]
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(
        ['"\\ud800"', '"\\0"', "!!binary aGk=", "!!set {a}", "!!map", "2026-13-45", "*nowhere", "{? [a] : b}", "{}"]
    ),
)


@pytest.fixture(scope="module")
def answers(tmp_path_factory, kinds, environ):
    path = tmp_path_factory.mktemp("hostile") / "escalation.yml"

    def answering(text: str) -> tuple[Problem, ...]:
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        loaded = load(path, *kinds, environ=environ)
        assert (loaded.settings is None) == bool(loaded.errors)
        for problem in loaded.problems:
            str(problem).encode()  # can be printed anywhere
            assert "\n" not in str(problem)
            assert problem.line <= text.count("\n") + text.count("\x85") + text.count("\r") + 2
        return loaded.problems

    return answering


few = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@few
@given(pieces=st.lists(yaml_pieces, max_size=60))
def test_text_that_looks_like_yaml_is_answered(pieces, answers):
    answers("".join(pieces))


@few
@given(text=st.text(max_size=200))
def test_any_text_is_answered(text, answers):
    assert answers(text)


@few
@given(data=st.data())
def test_an_example_with_lines_changed_dropped_or_doubled_is_answered(data, answers):
    lines = EXAMPLE.split("\n")
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(lines) - 1))
        what = data.draw(st.sampled_from(["drop", "double", "replace", "indent", "cut"]))
        line = lines[at]
        lines[at : at + 1] = {
            "drop": [],
            "double": [line, line],
            "replace": [data.draw(st.sampled_from(lines))],
            "indent": [" " * data.draw(st.integers(1, 6)) + line],
            "cut": [line[: data.draw(st.integers(0, len(line)))]],
        }[what]
        lines = lines or [""]
    answers("\n".join(lines))


@few
@given(data=st.data())
def test_an_example_with_any_value_replaced_is_answered(data, answers):
    lines = EXAMPLE.split("\n")
    at = data.draw(st.sampled_from([n for n, line in enumerate(lines) if ": " in line and not line.startswith("#")]))
    value = data.draw(scalars)
    lines[at] = f"{lines[at].split(': ')[0]}: {value}"
    answers("\n".join(lines))


KEYS = {part for entry in reference() for part in entry.path.replace("[]", "").split(".")} | {"token", "url", "kind"}
NAMES = sorted(KEYS | {"token_file", "secret_keys_file", "dana", "urgent", "sms"})
TEXTS = ["owner", "unassigned", "dana", "email", "sms", "urgent", "none", "3 high", "10m", "+49170", "${NONE}", ""]
leaves = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.sampled_from(TEXTS))
shapes = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(NAMES), inner, max_size=5),
    ),
    max_leaves=25,
)
SECTIONS = ["helpdesk", "service", "twilio", "channels", "contacts", "plans", "rules", "priorities"]


@few
@given(config=st.dictionaries(st.sampled_from([*SECTIONS, "levels", "contcts"]), shapes, max_size=8))
def test_the_right_keys_in_the_wrong_shapes_are_answered(config, answers):
    answers(json.dumps(config))


@few
@given(data=st.data())
def test_any_part_of_a_good_config_in_any_shape_is_answered(data, answers):
    config = json.loads(json.dumps(GOOD))
    for _ in range(data.draw(st.integers(1, 3))):
        here = config
        while True:
            key = data.draw(st.sampled_from(sorted(here) if isinstance(here, dict) else range(len(here))))
            deeper = isinstance(here[key], dict | list) and here[key] and data.draw(st.booleans())
            if not deeper:
                here[key] = data.draw(shapes)
                break
            here = here[key]
    answers(json.dumps(config))


GOOD = {
    "helpdesk": {"kind": "zammad", "url": "https://desk.example.com", "token": "t", "webhook_secret": ["a", "b"]},
    "service": {"secret_keys": ["k" * 40], "operator": {"notify": "dana", "by": ["email"]}, "api_tokens": {"a": "b"}},
    "twilio": {"account_sid": "AC1", "auth_token": "t"},
    "channels": {"email": {"host": "h", "from": "f"}, "sms": {"from": "+15005550006"}, "p": {"kind": "push"}},
    "contacts": {"dana": {"name": "Dana", "login": "d", "email": "d@example.com", "mobile": "+491701234567"}},
    "plans": {
        "urgent": {
            "respond_within": "10m",
            "unassigned": ["dana"],
            "steps": [{"notify": ["owner", "dana"], "by": ["email"], "else": ["sms"], "after": "1m"}],
            "when_exhausted": {"notify": "dana", "by": "email", "every": "1h"},
            "acknowledged_by": ["take", "note"],
        }
    },
    "rules": [{"when": {"field": {"Impact": [1]}, "priority": ["3 high"], "vip": True}, "plan": "urgent"}],
    "priorities": {"3 high": "urgent"},
}


def test_the_config_that_is_mangled_above_is_almost_right(answers):
    errors = [problem.path for problem in answers(json.dumps(GOOD)) if problem.is_error]
    assert sorted(errors) == [f"channels.p.{key}" for key in ("key_file", "key_id", "team_id", "topic")]
