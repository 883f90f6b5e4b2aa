"""A Qdrant server that says nothing costs a turn a moment, and the next ones none."""

from collections.abc import AsyncIterator
from time import monotonic

import pytest

from headrace.messaging.errors import Retryable
from services.grounding.adapters.points import DENSE
from services.grounding.adapters.server import ServerPoints
from tests.chaos.toxics.proxy import ToxicProxy
from tests.chaos.toxics.qdrant import serving_qdrant
from tests.chaos.toxics.toxic import Down, HalfOpen, Toxic
from tests.fakes.waiting import until

pytestmark = [
    pytest.mark.integration,
    # There is no server binary among the packages: the client's local mode stands in, and says what it lacks.
    pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant"),
]

TIMEOUT_S = 1
SIZES = {DENSE: 3}
POINT = "6b0d5f57-6d0d-4bd4-9bd2-6a2f3c5f8d0e"


@pytest.fixture
async def proxy() -> AsyncIterator[ToxicProxy]:
    async with serving_qdrant() as server, ToxicProxy(server) as listening:
        yield listening


@pytest.fixture
async def points(proxy: ToxicProxy) -> AsyncIterator[ServerPoints]:
    url = f"http://{proxy.address}"
    async with ServerPoints.at(url, "c", dimensions=lambda: SIZES, api_key=None, timeout_seconds=TIMEOUT_S) as opened:
        assert not await opened.get(POINT)
        yield opened


async def seconds_until_refused(points: ServerPoints) -> float:
    began = monotonic()
    with pytest.raises(Retryable):
        await points.get(POINT)
    return monotonic() - began


async def answers(points: ServerPoints) -> bool:
    try:
        await points.get(POINT)
    except Retryable:
        return False
    return True


async def test_after_two_timeouts_nobody_waits_for_a_server_that_says_nothing(
    proxy: ToxicProxy, points: ServerPoints
) -> None:
    await proxy.poison(HalfOpen())
    assert max([await seconds_until_refused(points) for _ in range(2)]) < 2 * TIMEOUT_S
    assert [await seconds_until_refused(points) < TIMEOUT_S / 2 for _ in range(5)] == [True] * 5


@pytest.mark.parametrize("toxic", [Down(), HalfOpen(), HalfOpen(for_good=True)], ids=str)
async def test_it_is_asked_again_soon_after_it_answers(proxy: ToxicProxy, points: ServerPoints, toxic: Toxic) -> None:
    await proxy.poison(toxic)
    for _ in range(3):
        await seconds_until_refused(points)
    await proxy.relieve()
    await until("Qdrant to be asked again", lambda: answers(points), timeout_s=5)
    assert [await answers(points) for _ in range(10)] == [True] * 10
