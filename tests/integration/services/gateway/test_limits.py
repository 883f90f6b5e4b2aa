"""What is wrong, too much or too early is answered, and disturbs nothing else."""

import asyncio
import uuid

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from headrace.messaging.errors import Retryable
from tests.fakes.memory_log import MemoryPublisher
from tests.fakes.pipeline import MemoryWire
from tests.fakes.waiting import until
from tests.integration.services.gateway.conftest import World

pytestmark = pytest.mark.parametrize("bootstrap", [""], ids=["memory"])
BAD: list[str | bytes] = [
    "",
    "[]",
    "{",
    '{"type":"ask"}',
    '{"type":"shout","id":"1"}',
    '{"a":' * 9000 + "1" + "}" * 9000,
    b"\x00\xff",
]


async def test_bad_frames_are_answered_and_the_other_turns_go_on(world: World) -> None:
    async with world.client(await world.gateway()) as client:
        turn = await world.pipeline.asked(await client.ask())
        await turn.delta("still ")
        for bad in BAD:
            await client.connection.send(bad)
            error = await client.until("error")
            assert error["field"], error
            assert error["message"], error
        await turn.delta("here")
        await turn.complete()
        await client.until("done")
    assert client.text(turn.prompt.turn_id) == "still here"


async def test_two_megabytes_are_refused_with_the_limit(world: World) -> None:
    async with world.client(await world.gateway(max_frame_bytes=524288)) as client:
        turn_id = await client.ask("x" * 2_000_000)
        error = await client.until("error")
        assert (error["code"], error["field"]) == ("too_large", "frame")
        assert "524288" in error["message"]
        turn = await world.pipeline.asked(await client.ask("short"))
        await turn.complete()
        await client.until("done")
    assert turn_id not in world.pipeline.asked_now()


async def test_more_than_can_be_answered_is_refused_before_kafka(world: World) -> None:
    address = await world.gateway(max_in_flight=1)
    async with world.client(address) as client, httpx.AsyncClient(base_url=f"http://{address}") as http:
        first = await world.pipeline.asked(await client.ask())
        refused = await client.ask()
        error = await client.until("error")
        assert (error["code"], error["retry_after"]) == ("too_busy", 1)
        completion = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
        busy = await http.post("/v1/chat/completions", json=completion)
        # Who comes later is asked to come back later.
        assert (busy.status_code, busy.headers["retry-after"]) == (429, "2")
        assert busy.json()["error"]["type"] == "rate_limit_error"
        await first.complete()
        await client.until("done", first.prompt.turn_id)
        await client.ask(turn_id=refused)
        await client.until("accepted", refused)
    assert len(world.pipeline.asked_now()) == 2


async def test_a_prompt_that_kafka_did_not_take_is_not_accepted_and_can_be_asked_again(world: World) -> None:
    assert isinstance(world.wire, MemoryWire)
    assert isinstance(world.wire.publisher, MemoryPublisher)
    async with world.client(await world.gateway(max_in_flight=1)) as client:
        world.wire.publisher.refusing.append(Retryable("prompts did not acknowledge"))
        turn_id = await client.ask()
        error = await client.until("error", turn_id)
        assert (error["code"], error["retry_after"]) == ("unavailable", 1)
        assert [frame["type"] for frame in client.frames] == ["error"]
        await client.ask(turn_id=turn_id)
        await client.until("accepted", turn_id)


async def test_a_turn_without_an_end_is_given_up_and_makes_room(world: World) -> None:
    async with world.client(await world.gateway(max_in_flight=1, wait_seconds=0.2)) as client:
        await client.ask()
        assert (await client.until("error"))["code"] == "no_answer"
        await client.ask()
        await client.until("accepted")


async def test_a_client_that_reads_nothing_holds_up_nobody(world: World) -> None:
    address = await world.gateway()
    async with world.client(address) as stuck, world.client(address) as reader:
        turn = await world.pipeline.asked(await stuck.ask())
        await stuck.until("accepted")
        stuck.connection.transport.pause_reading()
        await reader.send(type="resume", id=turn.prompt.turn_id)
        for _ in range(40):
            await turn.delta("x" * 100_000)
        await turn.complete()
        await reader.until("done")
        stuck.connection.transport.resume_reading()
        await stuck.until("done")
    assert stuck.text(turn.prompt.turn_id) == reader.text(turn.prompt.turn_id)


async def test_a_client_that_reads_nothing_for_long_is_sent_away_and_resumes(world: World) -> None:
    address = await world.gateway(slow_client_seconds=1.0, resume_seconds=30)
    async with world.client(address) as stuck, httpx.AsyncClient(base_url=f"http://{address}") as http:
        turn = await world.pipeline.asked(await stuck.ask())
        await stuck.until("accepted")
        stuck.connection.transport.pause_reading()
        for _ in range(40):
            await turn.delta("x" * 100_000)

        async def gone() -> bool:
            return "headrace_open_sockets 0.0" in (await http.get("/metrics")).text

        await until("the gateway to let it go", gone)
        # Told why, though it reads again only now: its buffers outlive the connection's end for a while. The pause is
        # what is tested: there is nothing to wait for.
        await asyncio.sleep(1.0)
        stuck.connection.transport.resume_reading()
        with pytest.raises(ConnectionClosed) as closed:
            await stuck.until("done")
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1013
    last = stuck.frames[-1]
    async with world.client(address) as again:
        await again.send(type="resume", id=turn.prompt.turn_id, after_seq=last["seq"], attempt=1)
        await turn.complete()
        await again.until("done")
    assert len(stuck.text(turn.prompt.turn_id) + again.text(turn.prompt.turn_id)) == 4_000_000


async def test_more_sockets_than_memory_allows_are_refused(world: World) -> None:
    address = await world.gateway(max_sockets=1)
    async with world.client(address) as first:
        with pytest.raises(InvalidStatus) as refused:
            async with world.client(address):
                pass
        assert (refused.value.response.status_code, refused.value.response.headers["retry-after"]) == (503, "5")
        await first.ask()
        await first.until("accepted")


async def test_feedback_is_passed_on_by_both_ways(world: World) -> None:
    address = await world.gateway()
    turn_id = str(uuid.uuid4())
    async with world.client(address) as client, httpx.AsyncClient(base_url=f"http://{address}") as http:
        await client.send(type="feedback", id=turn_id, rating=1, comment="good")
        assert (await client.until("notice"))["code"] == "feedback_recorded"
        posted = await http.post("/v1/feedback", json={"turn_id": turn_id, "rating": 2, "scale": "stars"})
        assert posted.status_code == 202
        bad = await http.post("/v1/feedback", json={"turn_id": turn_id, "rating": 2})
        assert (bad.status_code, bad.json()["error"]["field"]) == (400, "rating")
    await until("both ratings", lambda: len(world.pipeline.ratings()) > 1)
    ratings = world.pipeline.ratings()
    assert {(rating.turn_id, rating.rating, rating.scale, rating.comment) for rating in ratings} == {
        (turn_id, 1, "thumbs", "good"),
        (turn_id, 2, "stars", ""),
    }


async def test_another_origins_page_may_not_post(world: World) -> None:
    async with httpx.AsyncClient(base_url=f"http://{await world.gateway()}") as http:
        refused = await http.post("/v1/feedback", json={}, headers={"origin": "https://evil.example"})
    assert refused.status_code == 403


async def test_the_small_ways_in_answer(world: World) -> None:
    turn_id = str(uuid.uuid4())
    world.traces.known[turn_id] = {"started_ns": 1, "total_ms": 2.0, "spans": []}
    async with httpx.AsyncClient(base_url=f"http://{await world.gateway()}") as http:
        assert (await http.get("/healthz")).json() == {"status": "alive"}
        assert (await http.get("/readyz")).json() == {"status": "ready"}
        assert "headrace_open_sockets" in (await http.get("/metrics")).text
        assert (await http.get(f"/v1/traces/{turn_id}")).json()["total_ms"] == 2.0
        assert (await http.get("/v1/traces/x")).status_code == 400
        page = await http.get("/")
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert (await http.get("/page/app.js")).status_code == 200
        assert (await http.get("/page/../app.py")).status_code == 404
