"""The ledger in Redis: one hash per turn, changed only by scripts, so that two instances can never both hold a turn.

`attempt` rises with every claim and fences: a commit by an earlier attempt finds a higher number and does nothing.
"""

import secrets
from collections.abc import Awaitable
from typing import Final, cast

import redis.asyncio

from headrace.stores.redis import key, reaching
from services.inference.ports import Busy, Claim, Claimed, Committed, Record

_STORE: Final = "ledger"

# Returns {'committed', attempt, section, status}, {'claimed', attempt, again} or {'busy', milliseconds}.
# An instance takes over at once what an earlier process of its own held, never what a later one holds.
_CLAIM: Final = """
local entry = redis.call('HMGET', KEYS[1], 'section', 'status', 'attempt', 'owner', 'lease', 'process')
if entry[1] then return {'committed', tonumber(entry[3]), entry[1], tonumber(entry[2])} end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local left = tonumber(entry[5] or 0) - now
if left > 0 and (entry[4] ~= ARGV[1] or (entry[6] or '') > ARGV[2]) then return {'busy', left} end
local attempt = math.max(tonumber(entry[3] or 0) + 1, tonumber(ARGV[5]))
redis.call('HSET', KEYS[1], 'attempt', attempt, 'owner', ARGV[1], 'process', ARGV[2], 'lease', now + ARGV[3])
redis.call('EXPIRE', KEYS[1], ARGV[4])
return {'claimed', attempt, entry[3] and 1 or 0}
"""

# An attempt that was numbered while the ledger was away is entered now, unless a later one has come before it.
_RENEW: Final = """
local entry = redis.call('HMGET', KEYS[1], 'section', 'attempt')
if entry[1] or tonumber(entry[2] or 0) > tonumber(ARGV[1]) then return 0 end
local time = redis.call('TIME')
local lease = time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[4]
redis.call('HSET', KEYS[1], 'attempt', ARGV[1], 'owner', ARGV[2], 'process', ARGV[3], 'lease', lease)
redis.call('EXPIRE', KEYS[1], ARGV[5])
return 1
"""

# Committed already by this attempt: its acknowledgement was lost, and the same result is written again.
_COMMIT: Final = """
local entry = redis.call('HMGET', KEYS[1], 'section', 'attempt')
if tonumber(entry[2] or 0) > tonumber(ARGV[1]) then return 0 end
if entry[1] and entry[2] ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'attempt', ARGV[1], 'section', ARGV[2], 'status', ARGV[3])
redis.call('HDEL', KEYS[1], 'owner', 'process', 'lease')
redis.call('EXPIRE', KEYS[1], ARGV[4])
return 1
"""

_RELEASE: Final = """
if redis.call('HGET', KEYS[1], 'attempt') == ARGV[1] then redis.call('HDEL', KEYS[1], 'owner', 'process', 'lease') end
return 1
"""


def process_mark(now_ms: int) -> str:
    """Names one process of an instance; a later one has the higher mark."""
    return f"{now_ms:015d}-{secrets.token_hex(4)}"


class RedisLedger:
    """Committed results outlive the process; a lease outlives it by seconds, and not for the same instance.

    `process` tells two processes of one instance apart, so that neither takes the other's work for its own.
    """

    def __init__(
        self, client: redis.asyncio.Redis, *, owner: str, process: str, lease_seconds: float, keep_seconds: int
    ) -> None:
        self._owner = owner
        self._process = process
        self._lease_ms = int(lease_seconds * 1000)
        self._keep_seconds = keep_seconds
        self._claim = client.register_script(_CLAIM)
        self._renew = client.register_script(_RENEW)
        self._commit = client.register_script(_COMMIT)
        self._release = client.register_script(_RELEASE)

    async def claim(self, tenant: str, turn_id: str, floor: int) -> Claim:
        args: list[str | int] = [self._owner, self._process, self._lease_ms, self._keep_seconds, floor]
        with reaching(_STORE):
            answer = await cast("Awaitable[list[bytes | int]]", self._claim(keys=[_key(tenant, turn_id)], args=args))
        match answer:
            case [b"committed", int(attempt), bytes(section), int(status)]:
                return Committed(Record(section, status), attempt)
            case [b"claimed", int(attempt), int(again)]:
                return Claimed(attempt, again=bool(again))
            case [b"busy", int(left)]:
                return Busy(left)
            case _:
                raise AssertionError(f"the claim script answered {answer!r}")

    async def renew(self, tenant: str, turn_id: str, attempt: int) -> bool:
        args: list[str | int] = [attempt, self._owner, self._process, self._lease_ms, self._keep_seconds]
        with reaching(_STORE):
            return bool(await self._renew(keys=[_key(tenant, turn_id)], args=args))

    async def commit(self, tenant: str, turn_id: str, attempt: int, record: Record) -> bool:
        args: list[int | bytes] = [attempt, record.section, record.status, self._keep_seconds]
        with reaching(_STORE):
            return bool(await self._commit(keys=[_key(tenant, turn_id)], args=args))

    async def release(self, tenant: str, turn_id: str, attempt: int) -> None:
        with reaching(_STORE):
            await self._release(keys=[_key(tenant, turn_id)], args=[attempt])


def _key(tenant: str, turn_id: str) -> str:
    return key("ledger", tenant, turn_id)
