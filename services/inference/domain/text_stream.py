"""Text out of tokens, as they come: never half a character, never a part of a stop string."""

from collections.abc import Callable, Sequence
from typing import Final

_HALF: Final = "\ufffd"
# A character takes at most four bytes, so at most four tokens; what is still broken after that stays broken.
_LONGEST_CHARACTER: Final = 4


class TextStream:
    """The text of one answer. `push` gives what is certain so far, `finish` the rest.

    Tokens are decoded together with the few before them, since many tokenizers decode a token differently at the
    start of a text.
    """

    def __init__(self, decode: Callable[[Sequence[int]], str], stop: Sequence[str] = ()) -> None:
        self._decode = decode
        self._stop = tuple(text for text in stop if text)
        self._ids: list[int] = []
        self._context = 0
        self._read = 0
        self._held = ""
        self.stopped = False

    def push(self, ids: Sequence[int]) -> str:
        """The text that these tokens make certain; nothing more after a stop string."""
        return self._release("".join(self._fresh(token) for token in ids), final=False)

    def finish(self) -> str:
        """What was held back: a beginning of a stop string that did not go on. Half a character is dropped."""
        return self._release("", final=True)

    def _fresh(self, token: int) -> str:
        self._ids.append(token)
        before = self._decode(self._ids[self._context : self._read])
        whole = self._decode(self._ids[self._context :])
        if whole.endswith(_HALF) and len(self._ids) - self._read < _LONGEST_CHARACTER:
            return ""
        self._context, self._read = self._read, len(self._ids)
        return whole[len(before) :]

    def _release(self, fresh: str, *, final: bool) -> str:
        if self.stopped:
            return ""
        text = self._held + fresh
        if (cut := _first(text, self._stop)) is not None:
            self.stopped = True
            self._held = ""
            return text[:cut]
        hold = 0 if final else _beginning_at_end(text, self._stop)
        self._held = text[len(text) - hold :]
        return text[: len(text) - hold]


def _first(text: str, stops: Sequence[str]) -> int | None:
    found = [at for stop in stops if (at := text.find(stop)) >= 0]
    return min(found) if found else None


def _beginning_at_end(text: str, stops: Sequence[str]) -> int:
    """How many characters at the end of `text` may be the beginning of a stop string."""
    longest = 0
    for stop in stops:
        for length in range(min(len(stop) - 1, len(text)), longest, -1):
            if text.endswith(stop[:length]):
                longest = length
                break
    return longest
