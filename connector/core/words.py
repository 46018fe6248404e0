"""What is said to people, kept so that it can be put into their language later: a sentence with gaps, and what fills
them.

The English sentence is its own name (a gettext msgid): `stopped by {who}`. Names, numbers, times and what a provider
says are values, which nobody translates. A value that is Words itself is translated, too.
"""

from collections.abc import Mapping

#: What a language says for an English sentence, with the same gaps. Empty: English.
Catalogue = Mapping[str, str]


class Words(str):
    """English text that knows what it was made of; whoever reads it as text need not care.

    Text without values is its own msgid. So standard outcomes are known again among all that providers say
    ("accepted"), and what was stored as plain text before.
    """

    msgid: str
    values: Mapping[str, str | int]

    def __new__(cls, msgid: str, /, **values: str | int) -> "Words":
        if isinstance(msgid, Words):
            return msgid
        made = super().__new__(cls, msgid.format(**values) if values else msgid)
        made.msgid = msgid
        made.values = values
        return made

    def using(self, **values: str | int) -> "Words":
        """The same sentence with these gaps filled otherwise; gaps that it doesn't have are left out."""
        known = {name: value for name, value in values.items() if name in self.values}
        return Words(self.msgid, **{**self.values, **known})

    def translated(self, catalogue: Catalogue) -> str:
        """In the catalogue's language; in English where that has no sentence, or one with other gaps. Never raises."""
        said = catalogue.get(self.msgid, self.msgid)
        if not self.values:
            return said
        values = {k: v.translated(catalogue) if isinstance(v, Words) else v for k, v in self.values.items()}
        try:
            return said.format(**values)
        except (LookupError, ValueError, AttributeError):
            return str(self)


NOTHING = Words("")
