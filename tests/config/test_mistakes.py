"""Every file of `config/mistakes` says at its top what Escalator answers to it, word for word.

`# expect: LINE:COLUMN: sentence mend` is an error, `# expect-warning:` a warning; FOLDER stands for the file's own.
"""

from pathlib import Path

import pytest

MISTAKES = sorted((Path(__file__).parents[2] / "config/mistakes").glob("*.yml"))


def expected(path: Path) -> list[str]:
    return [line for line in path.read_text().splitlines() if line.startswith("# expect")]


def said(problem, path: Path) -> str:
    text = str(problem).removeprefix(f"{path}:").strip().replace(str(path.parent), "FOLDER")
    return f"# expect{'' if problem.is_error else '-warning'}: {text}"


@pytest.mark.parametrize("path", MISTAKES, ids=lambda path: path.stem)
def test_this_mistake_is_explained_word_for_word(path, load_file):
    loaded = load_file(path)
    assert [said(problem, path) for problem in loaded.problems] == expected(path)


@pytest.mark.parametrize("path", MISTAKES, ids=lambda path: path.stem)
def test_settings_are_there_exactly_when_nothing_is_an_error(path, load_file):
    loaded = load_file(path)
    assert (loaded.settings is None) == bool(loaded.errors)
    if loaded.settings:
        assert loaded.settings.warnings == loaded.warnings != ()


def test_there_are_many_mistakes_and_each_expects_something():
    assert len(MISTAKES) >= 60
    assert [path.name for path in MISTAKES if not expected(path)] == []
