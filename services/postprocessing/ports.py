"""What postprocessing needs from outside; the library's stores provide both."""

from typing import Protocol


class Memory(Protocol):
    """What a conversation remembers."""

    async def append(self, tenant: str, conversation_id: str, turn_id: str, question: str, answer: str) -> None:
        """Remember an exchange, once per turn id; raises `Retryable` where it cannot be written."""
        ...


class Masks(Protocol):
    """What the masks of a turn stand for."""

    async def get(self, tenant: str, turn_id: str) -> dict[str, str]:
        """From mask to value; raises `Retryable` where it cannot be read."""
        ...
