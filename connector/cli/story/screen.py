"""How the story is told on a terminal: live, a line for each thing that happens, and the notes at the end."""

from collections.abc import Sequence

from rich.console import Console
from rich.panel import Panel
from rich.text import Text

from .seen import Note, Seen, Told
from .verdict import WORDS

_STYLES = {"push": "yellow", "sms": "dark_orange", "phone": "red", "note": "cyan", "tag": "magenta", "": "bold"}
_WHAT = {"push": "push", "sms": "SMS", "phone": "call", "note": "note", "tag": "tag", "": ""}


class Screen:
    """Says each thing once. Plain lines where nobody looks (a pipe, a file)."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._said: set[object] = set()

    def line(self, minute: float | None, kind: str, text: str) -> None:
        when = f"{minute:5.1f} min" if minute is not None else " " * 9
        line = Text()
        line.append(f"{when}  ", style="dim")
        line.append(f"{_WHAT.get(kind, kind):<5}", style=_STYLES.get(kind, "green"))
        line.append(f"  {text}")
        self.console.print(line, soft_wrap=True)

    def news(self, before: Seen, now: Seen, minute: float) -> None:
        """What is new since the look before."""
        for told in now.told[len(before.told) :]:
            self.line(now.minutes(told.at), told.way, _reached(told))
        known = {told.at for told in before.told if told.keys and told.over}
        for told in now.told:
            if told.keys and told.over and told.at not in known:
                self.line(minute, "phone", f"Dana Reyes presses {told.keys} and hears: {told.text}")
        for note in now.notes[len(before.notes) :]:
            self.line(now.minutes(note.at), "note", note.first)
        if now.owner and now.owner != before.owner:
            self.line(minute, "owner", f"{now.owner} owns the ticket")
        if now.tags != before.tags:
            self.line(minute, "tag", ", ".join(now.tags) or "none any more")

    def notes(self, notes: Sequence[Note], title: str) -> None:
        """The ticket's notes as a person sees them."""
        if not self.console.is_terminal:
            self.console.print(f"\n{title}", markup=False, soft_wrap=True)
            for note in notes:
                self.console.print("\n".join(f"  {line}" for line in (*note.lines, "")), markup=False, soft_wrap=True)
            return
        shown = Text()
        for number, note in enumerate(notes):
            shown.append("\n\n" if number else "")
            shown.append(note.first, style="bold")
            shown.append("".join(f"\n{line}" for line in note.lines[1:]))
        self.console.print(Panel(shown, title=title, padding=(1, 2)))


def _reached(told: Told) -> str:
    what = f"Dana Reyes's phone {'rings' if told.way == 'phone' else 'shows'}"
    if told.all_clear:
        return f"{what} the all-clear: {told.text}"
    return what if told.way == "phone" else f"{what}: {told.text}"


def summary(seen: Seen, name: str) -> str:
    """`Acknowledged by Dana Reyes (phone call) 16 told minutes after the ticket came.`"""
    note = seen.acknowledgement
    if note is None:
        return "Nobody acknowledged."
    return f"Acknowledged by {name} ({WORDS['phone']}) {seen.minutes(note.at):.0f} told minutes after the ticket came."
