"""Articles as text: what people typed, without the HTML around it."""

import re
from html.parser import HTMLParser

_BLOCKS = re.compile(r"address|blockquote|br|dd|div|dl|dt|h[1-6]|hr|li|ol|p|pre|table|td|th|tr|ul")  # end a line
_UNSEEN = frozenset({"head", "script", "style", "title"})
_SPACE = re.compile(r"[\s\u00a0\u200b\ufeff]+")
LONGEST_LINE = 200


class _Lines(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.lines: list[str] = []
        self._line = ""
        self._unseen = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        self._unseen += tag in _UNSEEN
        self._end_line(tag)

    def handle_endtag(self, tag: str) -> None:
        self._unseen = max(0, self._unseen - (tag in _UNSEEN))
        self._end_line(tag)

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self._line += data

    def _end_line(self, tag: str) -> None:
        if _BLOCKS.fullmatch(tag):
            self.lines.append(self._line)
            self._line = ""

    def close(self) -> None:
        super().close()
        self.lines.append(self._line)


def lines(body: str, content_type: str) -> list[str]:
    """The lines with something in them, spaces folded. `content_type` is the article's, text/html or text/plain."""
    if content_type.startswith("text/html"):
        parser = _Lines()
        parser.feed(body)
        parser.close()
        found = parser.lines
    else:
        found = body.splitlines()
    folded = (_SPACE.sub(" ", line).strip() for line in found)
    return [line for line in folded if line]


def first_line(body: str, content_type: str) -> str:
    """The first line of an article as plain text, at most 200 characters."""
    found = lines(body, content_type)
    return found[0][:LONGEST_LINE] if found else ""
