"""The ledger as its scripts keep it in Redis: attempts that fence, leases on the simulation's clock."""

from dataclasses import dataclass, field

from headrace.messaging.clock import Clock
from services.inference.ports import Busy, Claim, Claimed, Committed, Record


@dataclass
class _Entry:
    attempt: int = 0
    record: Record | None = None
    owner: str = ""
    process: str = ""
    lease_ms: int = 0


@dataclass
class Entries:
    """All turns."""

    clock: Clock
    entries: dict[str, _Entry] = field(default_factory=dict)

    def committed(self, turn_id: str) -> bool:
        """Whether a result is final."""
        return turn_id in self.entries and self.entries[turn_id].record is not None

    def of(self, turn_id: str) -> _Entry:
        return self.entries.setdefault(turn_id, _Entry())


class SimLedger:
    """The ledger as one process reaches it; put it behind a `Remote`."""

    def __init__(self, entries: Entries, *, owner: str, process: str, lease_seconds: float) -> None:
        self._entries, self._owner, self._process = entries, owner, process
        self._lease_ms = int(lease_seconds * 1000)

    async def claim(self, tenant: str, turn_id: str, floor: int) -> Claim:
        entry, now_ms = self._entries.of(turn_id), self._entries.clock.now_ms()
        if entry.record is not None:
            return Committed(entry.record, entry.attempt)
        left_ms = entry.lease_ms - now_ms
        if left_ms > 0 and (entry.owner != self._owner or entry.process > self._process):
            return Busy(left_ms)
        again = entry.attempt > 0
        entry.attempt = max(entry.attempt + 1, floor)
        self._hold(entry)
        return Claimed(entry.attempt, again=again)

    async def renew(self, tenant: str, turn_id: str, attempt: int) -> bool:
        entry = self._entries.of(turn_id)
        if entry.record is not None or entry.attempt > attempt:
            return False
        entry.attempt = attempt
        self._hold(entry)
        return True

    async def commit(self, tenant: str, turn_id: str, attempt: int, record: Record) -> bool:
        entry = self._entries.of(turn_id)
        if entry.attempt > attempt or (entry.record is not None and entry.attempt != attempt):
            return False
        entry.attempt, entry.record, entry.owner, entry.process, entry.lease_ms = attempt, record, "", "", 0
        return True

    async def release(self, tenant: str, turn_id: str, attempt: int) -> None:
        entry = self._entries.of(turn_id)
        if entry.attempt == attempt:
            entry.owner, entry.process, entry.lease_ms = "", "", 0

    def _hold(self, entry: _Entry) -> None:
        entry.owner, entry.process = self._owner, self._process
        entry.lease_ms = self._entries.clock.now_ms() + self._lease_ms
