from collections.abc import AsyncIterator

import pytest

from headrace.messaging.clock import SystemClock
from headrace.messaging.errors import Retryable
from headrace.stores.answers import AnswerKey
from headrace.stores.redis import connect
from services.inference.adapters.cache import RedisCache
from services.inference.adapters.ledger import RedisLedger, process_mark
from services.inference.ports import Busy, Claimed, Committed, Record
from tests.fakes.waiting import until

pytestmark = pytest.mark.integration

# Long against what a few questions to Redis take, on a machine that stands still for a moment too.
LEASE_SECONDS = 1.5
RECORD = Record(b"\x00the section\xff", 0)


class Instances:
    """Two instances of the service on one Redis, and the first one's next process."""

    def __init__(self, url: str) -> None:
        self.client = connect(url)
        self.one = self.process("one", 1)
        self.one_again = self.process("one", 2)
        self.two = self.process("two", 1)

    def process(self, owner: str, started_ms: int) -> RedisLedger:
        mark = process_mark(started_ms)
        return RedisLedger(self.client, owner=owner, process=mark, lease_seconds=LEASE_SECONDS, keep_seconds=60)


@pytest.fixture
async def instances(valkey: str) -> AsyncIterator[Instances]:
    instances = Instances(valkey)
    await instances.client.flushdb()
    yield instances
    await instances.client.aclose()


async def test_a_committed_result_is_found_by_every_instance(instances: Instances) -> None:
    claim = await instances.one.claim("acme", "t", 1)
    assert claim == Claimed(1)
    assert await instances.one.commit("acme", "t", 1, RECORD)
    assert await instances.two.claim("acme", "t", 1) == Committed(RECORD, 1)
    assert await instances.one.claim("acme", "t", 1) == Committed(RECORD, 1)


async def test_a_turn_at_work_is_busy_for_others_and_says_for_how_long(instances: Instances) -> None:
    await instances.one.claim("acme", "t", 1)
    claim = await instances.two.claim("acme", "t", 1)
    assert isinstance(claim, Busy)
    assert 0 < claim.retry_after_ms <= LEASE_SECONDS * 1000


async def test_a_restarted_instance_takes_its_own_turn_over_at_once_and_fences_its_former_self(
    instances: Instances,
) -> None:
    assert await instances.one.claim("acme", "t", 1) == Claimed(1)
    assert await instances.one_again.claim("acme", "t", 1) == Claimed(2, again=True)
    assert not await instances.one.renew("acme", "t", 1)
    assert not await instances.one.commit("acme", "t", 1, Record(b"stale"))
    assert await instances.one_again.commit("acme", "t", 2, RECORD)


async def test_a_former_process_does_not_take_what_its_instance_holds_now(instances: Instances) -> None:
    """INVARIANT: two processes that go by one name, by mistake or after a pause, never share a claim."""
    assert await instances.one_again.claim("acme", "t", 1) == Claimed(1)
    assert isinstance(await instances.one.claim("acme", "t", 1), Busy)


async def test_an_attempt_is_never_below_what_was_numbered_while_the_ledger_was_away(instances: Instances) -> None:
    assert await instances.one.claim("acme", "t", 1700) == Claimed(1700)
    assert await instances.one.claim("acme", "t", 1) == Claimed(1701, again=True)


async def test_an_attempt_that_began_without_the_ledger_is_entered_when_it_is_back(instances: Instances) -> None:
    assert await instances.one.renew("acme", "t", 1700)
    assert isinstance(await instances.two.claim("acme", "t", 1), Busy)
    assert await instances.one.commit("acme", "t", 1700, RECORD)
    assert await instances.two.claim("acme", "t", 1) == Committed(RECORD, 1700)


async def test_a_result_that_is_final_gives_way_to_no_attempt(instances: Instances) -> None:
    await instances.one.claim("acme", "t", 1)
    assert await instances.one.commit("acme", "t", 1, RECORD)
    assert not await instances.two.renew("acme", "t", 1700)
    assert not await instances.two.commit("acme", "t", 1700, Record(b"later"))
    assert await instances.two.claim("acme", "t", 1) == Committed(RECORD, 1)


async def test_a_commit_whose_acknowledgement_was_lost_may_be_repeated(instances: Instances) -> None:
    await instances.one.claim("acme", "t", 1)
    assert await instances.one.commit("acme", "t", 1, RECORD)
    assert await instances.one.commit("acme", "t", 1, RECORD)


async def test_a_dead_instances_turn_is_taken_over_when_its_lease_is_out(instances: Instances) -> None:
    await instances.one.claim("acme", "t", 1)

    async def claimed() -> bool:
        return await instances.two.claim("acme", "t", 1) == Claimed(2, again=True)

    await until("the lease to run out", claimed)
    assert not await instances.one.renew("acme", "t", 1)


async def test_a_lease_that_is_renewed_does_not_run_out(instances: Instances) -> None:
    await instances.one.claim("acme", "t", 1)
    end = SystemClock().now_ms() + LEASE_SECONDS * 2000

    async def outlived() -> bool:
        assert await instances.one.renew("acme", "t", 1)
        assert isinstance(await instances.two.claim("acme", "t", 1), Busy)
        return SystemClock().now_ms() > end

    await until("two leases to pass", outlived)


async def test_an_overtaken_attempt_cannot_commit(instances: Instances) -> None:
    """INVARIANT: fencing: of two attempts at one turn only the later one's result counts."""
    await instances.one.claim("acme", "t", 1)
    await instances.one.claim("acme", "t", 1)
    assert not await instances.one.commit("acme", "t", 1, Record(b"stale"))
    assert await instances.one.commit("acme", "t", 2, RECORD)
    assert await instances.two.claim("acme", "t", 1) == Committed(RECORD, 2)


async def test_a_released_turn_waits_for_no_lease(instances: Instances) -> None:
    await instances.one.claim("acme", "t", 1)
    await instances.one.release("acme", "t", 1)
    assert await instances.two.claim("acme", "t", 1) == Claimed(2, again=True)


async def test_releasing_an_overtaken_attempt_leaves_the_later_one_alone(instances: Instances) -> None:
    await instances.one.claim("acme", "t", 1)
    await instances.one.claim("acme", "t", 1)
    await instances.one.release("acme", "t", 1)
    assert isinstance(await instances.two.claim("acme", "t", 1), Busy)


async def test_tenants_do_not_see_each_others_turns(instances: Instances) -> None:
    await instances.one.claim("acme", "t", 1)
    assert await instances.two.claim("globex", "t", 1) == Claimed(1)


async def test_how_a_turn_ended_is_kept_with_its_result(instances: Instances) -> None:
    await instances.one.claim("acme", "t", 1)
    await instances.one.commit("acme", "t", 1, Record(b"partial", 4))
    assert await instances.one.claim("acme", "t", 1) == Committed(Record(b"partial", 4), 1)


async def test_one_maker_at_a_time_makes_an_answer(instances: Instances) -> None:
    cache = RedisCache(instances.client, keep_seconds=60)
    answer = AnswerKey("acme", "m", "f")
    assert await cache.get(answer) is None
    assert await cache.begin(answer)
    assert not await cache.begin(answer)
    await cache.put(answer, b"section")
    await cache.end(answer)
    assert await cache.get(answer) == b"section"
    assert await cache.begin(answer)


async def test_redis_away_is_retryable() -> None:
    client = connect("redis://127.0.0.1:1/0")
    ledger = RedisLedger(client, owner="one", process="1", lease_seconds=1, keep_seconds=60)
    with pytest.raises(Retryable):
        await ledger.claim("acme", "t", 1)
    await client.aclose()
