"""How probable the tokens of an answer were, said together with the text that they make."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Likely:
    """A token and the natural logarithm of its probability."""

    bytes: bytes
    logprob: float

    @property
    def text(self) -> str:
        """As text; what is no whole character shows as U+FFFD."""
        return self.bytes.decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class TokenLogprob:
    """The token that was drawn, and the likeliest at its place, the likeliest first."""

    drawn: Likely
    top: tuple[Likely, ...] = ()


class TokenLog:
    """Tokens wait here until their text is out: a stop string takes back what was not shown yet."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[int, int, TokenLogprob]] = deque()
        self._made = 0
        self._shown = 0

    def add(self, tokens: Sequence[TokenLogprob]) -> None:
        """Tokens in the order in which they were drawn; one without text, such as the end mark, is none."""
        for token in tokens:
            if token.drawn.bytes:
                begin, self._made = self._made, self._made + len(token.drawn.bytes)
                self._waiting.append((begin, self._made, token))

    def shown(self, text: str, *, last: bool) -> tuple[TokenLogprob, ...]:
        """The tokens that this piece completes; with the last piece also the one that was cut in the middle."""
        self._shown += len(text.encode())
        out = []
        while self._waiting:
            begin, end, token = self._waiting[0]
            if (begin >= self._shown) if last else (end > self._shown):
                break
            self._waiting.popleft()
            out.append(token)
        return tuple(out)
