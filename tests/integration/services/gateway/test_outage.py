"""A broker that goes and comes back: who waits for an answer gets it, and readiness says what is missing meanwhile."""

from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest

from headrace.embedded.kafka import EmbeddedKafka
from headrace.embedded.topics import ensure_topics
from tests.fakes.pipeline import kafka_wire
from tests.fakes.waiting import until
from tests.integration.services.gateway.conftest import World


@pytest.mark.integration
@pytest.mark.slow
async def test_an_answer_goes_on_after_the_broker_was_away(tmp_path: Path) -> None:
    broker = EmbeddedKafka(tmp_path / "kafka")
    await broker.start()
    try:
        await ensure_topics(broker.address)
        async with AsyncExitStack() as stack:
            world = World(await stack.enter_async_context(kafka_wire(broker.address)), stack)
            address = await world.gateway()
            client = await stack.enter_async_context(world.client(address))
            turn = await world.pipeline.asked(await client.ask())
            await turn.delta("before ")
            await client.until("delta")
            async with httpx.AsyncClient(base_url=f"http://{address}", timeout=30) as http:
                await broker.stop()
                away = await http.get("/readyz")
                assert (away.status_code, "kafka" in away.json()["missing"]) == (503, True)
                assert (await http.get("/healthz")).status_code == 200
                await broker.start()

                async def ready() -> bool:
                    return (await http.get("/readyz")).status_code == 200

                await until("the gateway to be ready again", ready, timeout_s=60)
            await turn.delta("after")
            await turn.complete()
            await client.until("done")
            assert client.text(turn.prompt.turn_id) == "before after"
    finally:
        await broker.stop()
