r"""How a model's text becomes the text that is shown: one transducer for the stream and for the whole.

It drops white space at both ends, special tokens and replacement characters that decoding left behind, and markers of
sources that there are not; it puts back what masks stand for. It works piece by piece and holds back only what the next
character decides, so that its output does not depend on where the pieces were cut:

    "".join(out of each piece) == out of the whole
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal

# What is put right in an answer; "formal" does all that "grammar" does.
Style = Literal["grammar", "formal"]

_SPECIAL: Final = re.compile(r"<\|[a-z0-9_]{1,32}\|>")
_SPECIAL_BEGUN: Final = re.compile(r"<(?:\|(?:[a-z0-9_]{0,32}|[a-z0-9_]{1,32}\|))?\Z")
_MARKER: Final = re.compile(r"\[[0-9]{1,3}\]")
_MARKER_BEGUN: Final = re.compile(r"\[[0-9]{0,3}\Z")
_REPLACEMENT: Final = "\ufffd"
# What may stand before a citation. After anything else, such as the name in `items[0]`, brackets are an index.
_BEFORE_CITATION: Final = frozenset(".,;:!?)*_\"'\u00bb\u2019\u201d")


@dataclass(frozen=True, slots=True)
class Rules:
    """What one answer may cite, and what its masks stand for."""

    markers: frozenset[str] = frozenset()
    masks: Mapping[str, str] = field(default_factory=dict)
    # Text for a program: what looks like a marker may be an array, and what a mask stands for stands within a string.
    structured: bool = False
    # What is put right once the text is whole, which is not shown before: "grammar" or "formal".
    polish: Style | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """Where the transducer stands between two pieces."""

    # Raw text that the next character decides.
    held: str = ""
    # White space to be shown if anything follows it.
    pending: str = ""
    started: bool = False
    # Whether a bracket at this point would be a citation rather than an index.
    citing: bool = True
    # Between backticks brackets are code: an odd number of backticks has been seen.
    code: bool = False


@dataclass(frozen=True, slots=True)
class Formatted:
    """What may be shown now, and where the transducer stands after it."""

    text: str
    progress: Progress


def format_piece(progress: Progress, piece: str, rules: Rules, *, last: bool) -> Formatted:
    """Advance by one piece; with `last`, nothing is held back any more and trailing white space is dropped."""
    raw = progress.held + piece
    emitter = _Emitter(replace(progress, held=""))
    special = _interesting(rules)
    at = 0
    while at < len(raw):
        found = special.search(raw, at)
        emitter.plain(raw[at : found.start() if found else len(raw)])
        if not found:
            break
        at = found.start()
        if not last and _undecided(raw, at, rules):
            return Formatted("".join(emitter.shown), replace(emitter.progress, held=raw[at:]))
        at = _consume(raw, at, rules, emitter)
    return Formatted("".join(emitter.shown), emitter.progress)


def format_whole(text: str, rules: Rules) -> str:
    """The same for a text that is there all at once."""
    return format_piece(Progress(), text, rules, last=True).text


class _Emitter:
    """Collects what is shown; white space waits until something follows it."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self.shown: list[str] = []

    def plain(self, text: str) -> None:
        """Text as the model wrote it."""
        if not text:
            return
        self._show(text)
        before = text[-1]
        self.progress = replace(
            self.progress,
            citing=before.isspace() or before in _BEFORE_CITATION,
            code=self.progress.code ^ bool(text.count("`") % 2),
        )

    def verbatim(self, text: str, *, citing: bool) -> None:
        """A marker, or what a mask stands for."""
        self._show(text)
        self.progress = replace(self.progress, citing=citing)

    def close_gap(self) -> None:
        """Something was taken out: so is the one space before it."""
        self.progress = replace(self.progress, pending=self.progress.pending.removesuffix(" "))

    def _show(self, text: str) -> None:
        if not self.progress.started:
            text = text.lstrip()
        solid = text.rstrip()
        if solid:
            self.shown += (self.progress.pending, solid)
            self.progress = replace(self.progress, started=True, pending=text[len(solid) :])
        elif self.progress.started:
            self.progress = replace(self.progress, pending=self.progress.pending + text)


def _interesting(rules: Rules) -> re.Pattern[str]:
    firsts = {"<", "[", _REPLACEMENT, *(mask[0] for mask in rules.masks if mask)}
    return re.compile("[" + re.escape("".join(sorted(firsts))) + "]")


def _undecided(raw: str, at: int, rules: Rules) -> bool:
    """Whether the text from here on may be the beginning of something longer."""
    if _SPECIAL_BEGUN.match(raw, at) or _MARKER_BEGUN.match(raw, at):
        return True
    rest = raw[at : at + max(map(len, rules.masks), default=0)]
    return any(len(rest) < len(mask) and mask.startswith(rest) for mask in rules.masks)


def _consume(raw: str, at: int, rules: Rules, emitter: _Emitter) -> int:
    """Take what stands here, and say where it ends."""
    for mask in sorted(rules.masks, key=len, reverse=True):
        if mask and raw.startswith(mask, at):
            value = rules.masks[mask]
            emitter.verbatim(json.dumps(value, ensure_ascii=False)[1:-1] if rules.structured else value, citing=False)
            return at + len(mask)
    if found := _SPECIAL.match(raw, at):
        return found.end()
    if raw[at] == _REPLACEMENT:
        return at + 1
    if found := _MARKER.match(raw, at):
        marker = found.group()
        if marker in rules.markers:
            emitter.verbatim(marker, citing=True)
        elif rules.markers and emitter.progress.citing and not emitter.progress.code and not rules.structured:
            emitter.close_gap()
        else:
            emitter.verbatim(marker, citing=False)
        return found.end()
    emitter.plain(raw[at])
    return at + 1
