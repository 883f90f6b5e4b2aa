"""The response cache as Redis keeps it: answers, and locks that run out."""

from dataclasses import dataclass, field
from typing import Final

from headrace.messaging.clock import Clock

_MAKING_MS: Final = 30_000


@dataclass
class SimCache:
    """All answers; put it behind a `Remote`."""

    clock: Clock
    sections: dict[str, bytes] = field(default_factory=dict)
    making: dict[str, int] = field(default_factory=dict)

    async def get(self, fingerprint: str) -> bytes | None:
        return self.sections.get(fingerprint)

    async def put(self, fingerprint: str, section: bytes) -> None:
        self.sections[fingerprint] = section

    async def begin(self, fingerprint: str) -> bool:
        if self.making.get(fingerprint, 0) > self.clock.now_ms():
            return False
        self.making[fingerprint] = self.clock.now_ms() + _MAKING_MS
        return True

    async def end(self, fingerprint: str) -> None:
        self.making.pop(fingerprint, None)
