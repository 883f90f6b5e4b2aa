"""What feedback needs from outside: a database."""

from collections.abc import Sequence
from typing import Protocol

from services.feedback.domain import CompletedTurn, Feedback, Summary


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

    async def summaries(self, tenant: str | None = None) -> Sequence[Summary]:
        """What was said, per model, template and experiment arm; of one tenant or of all."""
        ...
