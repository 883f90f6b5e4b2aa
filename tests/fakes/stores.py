"""Stores in memory, with a switch that takes them down."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from headrace.messaging.errors import Retryable
from headrace.stores.memory import Exchange


@dataclass
class InMemoryConversationMemory:
    """Conversation memory without Redis."""

    down: bool = False
    conversations: dict[tuple[str, str], dict[str, Exchange]] = field(default_factory=dict)
    positions: dict[str, int] = field(default_factory=dict)

    async def recent(self, tenant: str, conversation_id: str, limit: int) -> list[Exchange]:
        self._reach()
        known = self.conversations.get((tenant, conversation_id), {}).values()
        exchanges = sorted(known, key=lambda exchange: self.positions.get(exchange.turn_id, 0))
        return exchanges[-limit:] if limit > 0 else []

    async def append(self, tenant: str, conversation_id: str, exchange: Exchange, position: int) -> None:
        self._reach()
        conversation = self.conversations.setdefault((tenant, conversation_id), {})
        if exchange.turn_id not in conversation:
            conversation[exchange.turn_id] = exchange
            self.positions[exchange.turn_id] = position

    def _reach(self) -> None:
        if self.down:
            raise Retryable("conversation memory is down")


@dataclass
class InMemoryMaskStore:
    """A mask store without Redis."""

    down: bool = False
    masks: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)

    async def put(self, tenant: str, turn_id: str, mapping: Mapping[str, str], ttl_seconds: int) -> None:
        self._reach()
        assert ttl_seconds > 0
        self.masks[tenant, turn_id] = dict(mapping)

    async def get(self, tenant: str, turn_id: str) -> dict[str, str]:
        self._reach()
        return dict(self.masks.get((tenant, turn_id), {}))

    def _reach(self) -> None:
        if self.down:
            raise Retryable("the mask store is down")
