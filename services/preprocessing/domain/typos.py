"""Which words of a text may be typing errors at all; what they should be is for a speller to say."""

import re
from collections.abc import Callable
from typing import Final

_CODE: Final = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`", re.DOTALL)
_TOKEN: Final = re.compile(r"\S+")
# What may stand around a word. Anything else in or at it makes it a name, an address, a path or a number, meant as it
# stands; so does a capital, and an apostrophe makes it a form that the speller does not know.
_AROUND: Final = "\"'()[],.;:!?\u2018\u2019\u201c\u201d\u2026"
_WORD: Final = re.compile(r"[a-z]{3,24}")


def correct(text: str, suggest: Callable[[str], str | None]) -> str:
    """The text with each word that `suggest` knows better; all else stays, down to the last space."""
    parts: list[str] = []
    end = 0
    for code in _CODE.finditer(text):
        parts += [_corrected(text[end : code.start()], suggest), code.group()]
        end = code.end()
    return "".join([*parts, _corrected(text[end:], suggest)])


def _corrected(text: str, suggest: Callable[[str], str | None]) -> str:
    def one(token: re.Match[str]) -> str:
        word = token.group().strip(_AROUND)
        better = suggest(word) if _WORD.fullmatch(word) else None
        return token.group().replace(word, better, 1) if better else token.group()

    return _TOKEN.sub(one, text)
