"""Who can be reached by a way that stands for them in the config, and who needn't."""

from pathlib import Path

EXAMPLE = (Path(__file__).parents[2] / "config/examples/push.yml").read_text()
UNLISTED = EXAMPLE.replace(', push: ["${DANA_DEVICE_TOKEN}"]', "")


def test_a_push_needs_a_device_in_the_config(load_text):
    assert UNLISTED != EXAMPLE
    loaded = load_text(UNLISTED)
    assert [problem.sentence for problem in loaded.errors if "nobody can be reached" in problem.sentence]


def test_where_an_app_can_register_devices_by_the_api_it_does_not(load_text):
    tokens = 'service:\n  api_tokens: {app: "${ESCALATOR_KEY}"}\n'
    assert load_text(UNLISTED.replace("service:\n", tokens)).problems == ()


def test_web_push_needs_nothing_in_the_config(load_text):
    text = (Path(__file__).parents[2] / "config/examples/webpush.yml").read_text()
    assert load_text(text.replace("[webpush, email]", "webpush").replace(", else: email", "")).problems == ()
