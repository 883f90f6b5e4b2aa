"""What postprocessing needs from outside; the library's stores provide both."""

from typing import Protocol

from headrace.stores.memory import Exchange
from services.postprocessing.domain.formatting import Style


class Polisher(Protocol):
    """Puts texts right. Both may take seconds the first time."""

    def load(self, style: Style) -> None:
        """Be ready for the first text."""
        ...

    def polish(self, text: str, style: Style) -> str:
        """The text put right; the same text gives the same."""
        ...


class Memory(Protocol):
    """What a conversation remembers."""

    async def append(self, tenant: str, conversation_id: str, exchange: Exchange, position: int) -> None:
        """Remember an exchange, once per turn id, in the order of the log; `Retryable` where it cannot be written."""
        ...


class Masks(Protocol):
    """What the masks of a turn stand for."""

    async def get(self, tenant: str, turn_id: str) -> dict[str, str]:
        """From mask to value; raises `Retryable` where it cannot be read."""
        ...
