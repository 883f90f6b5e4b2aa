r"""One form for the same words, so that what looks alike is judged alike.

Nothing here touches indentation, tabs or runs of spaces inside a line: the text may be code. Joiners stay where a
script or an emoji needs them. `normalise` is idempotent.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

# Invisible characters without a use in plain text: they hide words from filters and split tokens.
_ZERO_WIDTH: Final = "\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180e\u200b\u2060-\u2064\u206a-\u206f\u3164\ufeff\uffa0"
_BIDI: Final = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
# Tag characters spell out hidden ASCII; their one honest use is the flag of a region, a black flag and a cancel tag.
_TAGS: Final = re.compile("(\U0001f3f4[\U000e0020-\U000e007e]{1,8}\U000e007f)|[\U000e0000-\U000e007f]")
# Scripts that join (Arabic, Indic, …), and the symbols and emoji that are glued by them.
_JOINING: Final = "\u0600-\u1fff\u2190-\u2bff\ufe0f\ufb50-\ufdff\ufe70-\ufefc\U00010a00-\U00011fff\U0001f000-\U0001faff"
_STRAY_JOINER: Final = re.compile(f"(?<![{_JOINING}])[\u200c\u200d]|[\u200c\u200d](?![{_JOINING}])")

_Step = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Normalised:
    """A text and the names of what changed it."""

    text: str
    changes: tuple[str, ...]


def normalise(text: str) -> Normalised:
    """Run every step; those that changed something are named, in order."""
    changes = []
    for name, step in _STEPS:
        changed = step(text)
        if changed != text:
            changes.append(name)
        text = changed
    return Normalised(text, tuple(changes))


def _removing(pattern: str) -> _Step:
    compiled = re.compile(pattern)
    return lambda text: compiled.sub("", text)


def _replacing(pattern: str, replacement: str) -> _Step:
    compiled = re.compile(pattern)
    return lambda text: compiled.sub(replacement, text)


def _tags(text: str) -> str:
    return _TAGS.sub(lambda found: found.group(1) or "", text)


def _joiners(text: str) -> str:
    return _STRAY_JOINER.sub("", text)


def _compose(text: str) -> str:
    # NFC and not NFKC: the latter rewrites superscripts, ligatures and width, which code and formulas mean.
    return unicodedata.normalize("NFC", text)


def _trailing(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.split("\n"))


def _edges(text: str) -> str:
    text = text.rstrip()
    # The indentation of a first line belongs to the lines under it.
    return re.sub(r"\A(?:[^\S\n]*\n)+", "", text) if "\n" in text.lstrip() else text.lstrip()


_STEPS: Final[tuple[tuple[str, _Step], ...]] = (
    ("newlines", _replacing("\r\n?|[\x85\u2028\u2029]", "\n")),
    ("control_characters", _removing("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufff9-\ufffb]")),
    ("zero_width", _removing(f"[{_ZERO_WIDTH}]")),
    ("bidi_controls", _removing(f"[{_BIDI}]")),
    ("tag_characters", _tags),
    ("joiners", _joiners),
    ("nfc", _compose),
    ("spaces", _replacing("[\u00a0\u1680\u2000-\u200a\u202f\u205f]", " ")),
    ("trailing_spaces", _trailing),
    ("blank_lines", _replacing(r"\n{4,}", "\n\n\n")),
    ("edges", _edges),
)
