"""The websocket, before a log in memory and before Kafka: the same cases."""

import uuid

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from headrace.v1.responses_pb2 import Citation, Error, ResponseCompleted, Verdict
from tests.fakes.waiting import until
from tests.integration.services.gateway.conftest import World


async def test_an_answer_streams_and_ends_with_its_sources(world: World) -> None:
    async with world.client(await world.gateway()) as client:
        turn_id = await client.ask("What is Kafka?")
        assert await client.until("accepted") == {"type": "accepted", "id": turn_id, "conversation": "c1"}
        turn = await world.pipeline.asked(turn_id)
        assert (turn.prompt.text, turn.prompt.conversation_id, turn.received.key_text) == ("What is Kafka?", "c1", "c1")
        await turn.delta("A log")
        assert await client.until("delta") == {"type": "delta", "id": turn_id, "seq": 0, "text": "A log", "attempt": 1}
        await turn.delta(" [1].")
        await turn.complete(
            ResponseCompleted(
                attempt=1,
                status=ResponseCompleted.ANSWERED,
                text="A log [1].",
                delta_count=2,
                citations=[Citation(marker="[1]", document_id="d", title="Kafka", uri="https://example.org/k", end=9)],
                verdicts=[
                    Verdict(rule="email", action="mask", reason="An address was masked."),
                    Verdict(action="allow"),
                ],
                finish_reason="stop",
                trace_id="a" * 32,
            )
        )
        done = await client.until("done")
    assert [frame["type"] for frame in client.frames] == ["accepted", "delta", "delta", "citations", "notice", "done"]
    assert client.frames[3]["items"][0]["title"] == "Kafka"
    assert (client.frames[4]["code"], client.frames[4]["text"]) == ("mask.email", "An address was masked.")
    assert (done["status"], done["text"], done["trace_id"]) == ("ANSWERED", "A log [1].", "a" * 32)


async def test_a_delta_without_a_verdict_never_reaches_a_client(world: World) -> None:
    async with world.client(await world.gateway(stragglers_seconds=0.1)) as client:
        turn = await world.pipeline.asked(await client.ask())
        await turn.delta("unjudged", verdict_id="")
        turn.said.clear()
        await turn.complete(ResponseCompleted(status=ResponseCompleted.REFUSED, text="No.", delta_count=1, attempt=1))
        await client.until("done")
    assert client.text(turn.prompt.turn_id) == "No."


async def test_turns_of_one_socket_go_on_side_by_side(world: World) -> None:
    async with world.client(await world.gateway()) as client:
        first, second = await client.ask(conversation="c1"), await client.ask(conversation="c2")
        slow, fast = await world.pipeline.asked(first), await world.pipeline.asked(second)
        await slow.delta("slow")
        await fast.delta("fast")
        await fast.complete()
        await client.until("done", second)
        await slow.delta("ly")
        await slow.complete()
        await client.until("done", first)
    assert (client.text(first), client.text(second)) == ("slowly", "fast")


async def test_a_client_that_was_cut_off_resumes_at_another_gateway(world: World) -> None:
    one, two = await world.gateway("one", slot=1, resume_seconds=30), await world.gateway("two", slot=2)
    async with world.client(one) as client:
        turn_id = await client.ask()
        turn = await world.pipeline.asked(turn_id)
        for text in ("a", "b", "c"):
            await turn.delta(text)
        last = [await client.until("delta") for _ in range(2)][-1]
    assert turn.partition == 1
    await turn.delta("d")
    async with world.client(two) as again:
        await again.send(type="resume", id=turn_id, after_seq=last["seq"], attempt=last["attempt"])
        await again.until("delta")
        await turn.delta("e")
        await turn.complete()
        await again.until("done")
    assert client.text(turn_id) + again.text(turn_id) == "abcde"
    assert turn_id not in world.pipeline.cancelled()


async def test_a_gateway_that_was_restarted_still_knows_its_turns(world: World) -> None:
    async with world.running("one", slot=3) as address, world.client(address) as client:
        turn_id = await client.ask()
        turn = await world.pipeline.asked(turn_id)
        await turn.delta("a")
        await client.until("delta")
    await turn.delta("b")
    await turn.complete()
    async with world.running("one", slot=3) as address, world.client(address) as again:
        await again.send(type="resume", id=turn_id, after_seq=0, attempt=1)
        await again.until("done")
    assert client.text(turn_id) + again.text(turn_id) == "ab"


async def test_a_known_id_is_resumed_and_never_run_twice(world: World) -> None:
    one, two = await world.gateway("one", slot=1), await world.gateway("two", slot=2)
    async with world.client(one) as first, world.client(one) as same, world.client(two) as other:
        turn_id = await first.ask()
        turn = await world.pipeline.asked(turn_id)
        await turn.delta("once")
        await first.until("delta")
        for client in (same, other):
            await client.ask(turn_id=turn_id)
            await client.until("accepted")
        await turn.complete()
        for client in (first, same, other):
            await client.until("done")
            assert client.text(turn_id) == "once"
    assert len(world.pipeline.asked_now()[turn_id]) == 1


async def test_asking_twice_on_one_socket_begins_anew_and_runs_once(world: World) -> None:
    async with world.client(await world.gateway(resume_seconds=5)) as client:
        turn_id = await client.ask()
        for _ in range(3):
            await client.ask(turn_id=turn_id)
        turn = await world.pipeline.asked(turn_id)
        await client.until("accepted")
        await turn.delta("once")
        await turn.complete()
        await client.until("done")
    assert len(world.pipeline.asked_now()[turn_id]) == 1
    assert turn_id not in world.pipeline.cancelled()


async def test_a_new_attempt_is_announced(world: World) -> None:
    async with world.client(await world.gateway()) as client:
        turn = await world.pipeline.asked(await client.ask())
        await turn.delta("old")
        await client.until("delta")
        turn.said.clear()
        await turn.delta("new", attempt=2)
        assert (await client.until("restarted"))["attempt"] == 2
        await turn.complete(ResponseCompleted(status=ResponseCompleted.ANSWERED, text="new", delta_count=1, attempt=2))
        await client.until("done")
    assert client.text(turn.prompt.turn_id) == "new"


async def test_a_failure_names_its_field_and_says_what_to_do(world: World) -> None:
    async with world.client(await world.gateway()) as client:
        turn = await world.pipeline.asked(await client.ask())
        await turn.fail(Error(code="unknown_model", message="use one of a, b", field="model"))
        error = await client.until("error")
    assert (error["code"], error["message"], error["field"]) == ("unknown_model", "use one of a, b", "model")


async def test_a_turn_that_nobody_comes_back_for_is_cancelled(world: World) -> None:
    async with world.client(await world.gateway(resume_seconds=0.1)) as client:
        turn = await world.pipeline.asked(await client.ask())
    await until("the cancellation", lambda: turn.prompt.turn_id in world.pipeline.cancelled())


async def test_a_cancel_frame_is_passed_on_at_once(world: World) -> None:
    async with world.client(await world.gateway(resume_seconds=60)) as client:
        turn_id = await client.ask()
        turn = await world.pipeline.asked(turn_id)
        await turn.delta("half")
        await client.send(type="cancel", id=turn_id)
        await until("the cancellation", lambda: turn_id in world.pipeline.cancelled())
        await turn.complete(
            ResponseCompleted(status=ResponseCompleted.CANCELLED, text="half", delta_count=1, attempt=1)
        )
        assert (await client.until("done"))["status"] == "CANCELLED"


@pytest.mark.parametrize("kind", ["resume", "cancel"])
async def test_an_unknown_turn_is_named_as_such(world: World, kind: str) -> None:
    async with world.client(await world.gateway()) as client:
        await client.send(type=kind, id=str(uuid.uuid4()))
        error = await client.until("error")
    assert (error["code"], error["field"]) == ("unknown_turn", "id")


async def test_without_the_index_a_resume_finds_its_turn_on_the_log(world: World) -> None:
    one, two = await world.gateway("one", slot=1, resume_seconds=30), await world.gateway("two", slot=2)
    world.index.down = True
    async with world.client(one) as client:
        turn_id = await client.ask()
        turn = await world.pipeline.asked(turn_id)
        await turn.delta("a")
        await client.until("delta")
    async with world.client(two) as again:
        await again.send(type="resume", id=turn_id, after_seq=0, attempt=1)
        await turn.delta("b")
        await turn.complete()
        await again.until("done")
    assert client.text(turn_id) + again.text(turn_id) == "ab"


async def test_a_stopping_gateway_says_that_it_comes_back_and_cancels_nothing(world: World) -> None:
    async with world.running(resume_seconds=0) as address:
        client_context = world.client(address)
        client = await client_context.__aenter__()
        turn_id = await client.ask()
        await world.pipeline.asked(turn_id)
        await client.until("accepted")
    with pytest.raises(ConnectionClosed) as closed:
        await client.until("done")
    await client_context.__aexit__(None, None, None)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1012
    assert turn_id not in world.pipeline.cancelled()


async def test_a_page_of_another_origin_is_refused(world: World) -> None:
    address = await world.gateway()
    with pytest.raises(InvalidStatus) as refused:
        async with world.client(address, origin="https://evil.example"):
            pass
    assert refused.value.response.status_code == 403
    async with world.client(address, origin=f"http://{address}") as client:
        await client.ask()
        await client.until("accepted")
