"""`python -m tests.docs.reference`: writes the config reference into README.md, from the schemas themselves."""

from pathlib import Path

import channels
from config.reference import markdown, reference
from connector import helpdesks

README = Path(__file__).parents[2] / "README.md"
BEGIN, END = "<!-- reference -->\n", "<!-- /reference -->"


def table() -> str:
    """Every key, folded away where a browser shows it."""
    entries = reference(
        {kind: module.Options for kind, module in channels.discover().items()},
        {kind: module.Options for kind, module in helpdesks.discover().items()},
    )
    return f"<details><summary>{len(entries)} keys</summary>\n\n{markdown(entries)}\n</details>\n"


def with_reference(text: str) -> str:
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + BEGIN + table() + END + after


if __name__ == "__main__":
    README.write_text(with_reference(README.read_text()))
