"""What notes say in other languages: gettext catalogues, by Babel.

The format: https://www.gnu.org/software/gettext/manual/html_node/PO-Files.html
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from string import Formatter

from babel.messages.pofile import PoFileError, read_po

from ._templates import Unusable


@dataclass(frozen=True, slots=True)
class Sentence:
    """One entry: a sentence in English, in the language of the catalogue, and the line where that stands."""

    english: str
    said: str
    line: int

    @property
    def fits(self) -> bool:
        """Whether both have the same gaps, so that all that is filled in is said."""
        try:
            return gaps(self.english) == gaps(self.said)
        except ValueError:  # a brace that is never closed
            return False


def read(file: Path) -> list[Sentence]:
    """What the file translates; without what is empty or marked fuzzy. Raises Unusable and OSError."""
    try:
        return list(_sentences(file.read_text(encoding="utf-8")))
    except UnicodeDecodeError:
        raise Unusable("It is no UTF-8 text.") from None
    except PoFileError as error:
        raise Unusable(f"It is no gettext catalogue: {error}", error.lineno) from None


def _sentences(text: str) -> Iterator[Sentence]:
    for message in read_po(text.splitlines(keepends=True), charset="utf-8", abort_invalid=True):
        said = message.string
        if isinstance(message.id, str) and message.id and isinstance(said, str) and said and not message.fuzzy:
            yield Sentence(message.id, said, message.lineno or 0)


def gaps(sentence: str) -> frozenset[str]:
    """The names in braces. Raises ValueError where a brace is never closed."""
    return frozenset(name for _, name, _, _ in Formatter().parse(sentence) if name is not None)
