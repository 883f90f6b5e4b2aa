"""Masks on a real server: written before the turn goes on, gone after its life."""

import pytest

from headrace.messaging.contract import Next
from headrace.messaging.errors import Retryable
from headrace.runtime.paths import infra_dir
from headrace.runtime.pipelines import Pipelines
from headrace.stores.masks import RedisMaskStore
from headrace.stores.redis import connect, key
from headrace.v1.turns_pb2 import Prepared, Slip, Turn
from services.safety.adapters.policies import PipelinePolicies, load_policies
from services.safety.handlers import InputJudgement
from services.safety.ports import Looks
from tests.fakes.contexts import NOW_MS, a_context

pytestmark = pytest.mark.integration

POLICIES = PipelinePolicies(Pipelines.load(infra_dir() / "pipelines"), load_policies(infra_dir() / "policies"), Looks())
QUESTION = "Write to jane@acme.test about card 4111 1111 1111 1111."


def a_turn(turn_id: str) -> Turn:
    return Turn(
        turn_id=turn_id, tenant="acme", slip=Slip(pipeline="chat"), prepared=Prepared(text=QUESTION, question=QUESTION)
    )


async def test_masks_live_as_long_as_the_turn_and_a_little_longer(valkey: str) -> None:
    async with connect(valkey) as redis:
        handler = InputJudgement(POLICIES, RedisMaskStore(redis), mask_grace_seconds=300)
        for _delivery in range(2):
            result = await handler(a_turn("lives"), a_context(deadline_ms=NOW_MS + 60_000))
            assert isinstance(result, Next)
            assert await RedisMaskStore(redis).get("acme", "lives") == {
                "<EMAIL_1>": "jane@acme.test",
                "<CREDIT_CARD_1>": "4111 1111 1111 1111",
            }
        assert 350 < await redis.ttl(key("masks", "acme", "lives")) <= 360


async def test_without_redis_a_turn_that_needs_masks_waits() -> None:
    async with connect("redis://127.0.0.1:1/0") as nowhere:
        handler = InputJudgement(POLICIES, RedisMaskStore(nowhere), mask_grace_seconds=300)
        with pytest.raises(Retryable, match="mask store"):
            await handler(a_turn("waits"), a_context())
