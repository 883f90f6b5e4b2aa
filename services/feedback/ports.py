"""What feedback needs from outside: a database, and somebody who knows personal data when they see it."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from services.feedback.domain.feedback import CompletedTurn, Feedback
from services.feedback.domain.reporting import Summary, Window
from services.feedback.domain.training import Rated


class Store(Protocol):
    """Keeps feedback and the turns that it is about; either may come first. All methods raise `Retryable`.

    `position` is the record's in the log: of two with one id the later record stands, in whatever order they come.
    """

    async def keep_feedback(self, feedback: Feedback, position: int) -> None:
        """Keep it, once per tenant and id."""
        ...

    async def keep_turn(self, turn: CompletedTurn, position: int) -> None:
        """Keep it, once per tenant and id."""
        ...

    async def forget_before(self, epoch_ms: int) -> int:
        """Delete what is older; how many rows that were."""
        ...

    async def summaries(self, window: Window) -> Sequence[Summary]:
        """What was said of the answers of the window, per model, template and experiment arm."""
        ...

    def rated(self, window: Window) -> AsyncGenerator[Rated, None]:
        """Every answer of which something was said in the window, the one rated first before the others."""
        ...


@dataclass(frozen=True, slots=True)
class Scrubbed:
    """Texts without personal data and credentials, and how many of each kind were masked in them."""

    texts: tuple[str, ...]
    masked: Mapping[str, int]


class Scrubber(Protocol):
    """Masks personal data and credentials; raises `Fatal` where it cannot, and then nothing may be shown."""

    async def scrub(self, texts: Sequence[str]) -> Scrubbed:
        """Mask in all of them, the same value by the same mask."""
        ...
