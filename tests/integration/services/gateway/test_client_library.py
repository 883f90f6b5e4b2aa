"""`headrace.client` at a real gateway: what it is told, and how it goes on after a cut."""

import asyncio
import uuid
from contextlib import aclosing

import pytest
from websockets.asyncio.server import ServerConnection, serve

from headrace.client import (
    Answer,
    AsyncClient,
    Citation,
    Client,
    Event,
    Fatal,
    Invalid,
    Notice,
    Restarted,
    Retryable,
    Sampling,
    Text,
)
from headrace.embedded.ports import free_port
from headrace.v1.responses_pb2 import Citation as CitationMessage
from headrace.v1.responses_pb2 import Error, ResponseCompleted, Verdict
from tests.fakes.pipeline import AskedTurn
from tests.fakes.waiting import until
from tests.integration.services.gateway.conftest import World


class Listener:
    """A program that asks one question and keeps what it is told."""

    def __init__(self, client: AsyncClient, **options: object) -> None:
        self.turn_id = str(uuid.uuid4())
        self.heard: list[Event] = []
        self._task = asyncio.create_task(self._listen(client, options))

    async def _listen(self, client: AsyncClient, options: dict[str, object]) -> None:
        async for event in client.stream("What is Kafka?", turn_id=self.turn_id, **options):  # type: ignore[arg-type]  # a test's own
            self.heard.append(event)

    @property
    def text(self) -> str:
        """What it would show."""
        shown = ""
        for event in self.heard:
            shown = "" if isinstance(event, Restarted) else shown + (event.text if isinstance(event, Text) else "")
        return shown

    async def hears(self, text: str) -> None:
        await until(f"{text!r} to be shown", lambda: self.text == text or self._task.done())
        assert self.text == text

    async def end(self) -> Answer:
        async with asyncio.timeout(20):
            await self._task
        (answer,) = [event for event in self.heard if isinstance(event, Answer)]
        assert self.heard[-1] is answer
        return answer


async def asked(world: World, listener: Listener) -> AskedTurn:
    return await world.pipeline.asked(listener.turn_id)


async def test_an_answer_comes_piece_by_piece_with_its_sources(world: World) -> None:
    listener = Listener(AsyncClient(f"http://{await world.gateway()}"), conversation="c1", timeout_s=60)
    turn = await asked(world, listener)
    await turn.delta("A log")
    await listener.hears("A log")
    await turn.delta(" [1].")
    citation = CitationMessage(marker="[1]", document_id="d", title="Kafka", uri="https://example.org/k", text="a log")
    verdict = Verdict(rule="email", action="mask", reason="An address was masked.")
    completed = ResponseCompleted(
        attempt=1, status=ResponseCompleted.ANSWERED, text="A log [1].", delta_count=2, citations=[citation],
        verdicts=[verdict], finish_reason="stop", trace_id="a" * 32, versions={"policy": "default/1"},
    )  # fmt: skip
    completed.usage.cached = True
    await turn.complete(completed)
    answer = await listener.end()
    source = Citation("[1]", "d", "Kafka", "https://example.org/k", "a log", 0.0)
    told = Notice("mask.email", "An address was masked.")
    assert listener.heard[-3:] == [source, told, answer]
    assert (answer.status, answer.text, answer.conversation, answer.cached) == ("ANSWERED", "A log [1].", "c1", True)
    assert (answer.citations, answer.notices) == ((source,), (told,))
    assert answer.versions == {"policy": "default/1"}


async def test_options_reach_the_services(world: World) -> None:
    sampling = Sampling(temperature=0, max_tokens=7, seed=3, stop=["END"])
    listener = Listener(
        AsyncClient(f"http://{await world.gateway()}"), model="m", pipeline="chat", user="zoe", sampling=sampling
    )
    turn = await asked(world, listener)
    prompt = turn.prompt
    assert (prompt.model, prompt.pipeline, prompt.user) == ("m", "chat", "zoe")
    assert (prompt.sampling.temperature, prompt.sampling.max_tokens, prompt.sampling.seed) == (0, 7, 3)
    assert list(prompt.sampling.stop) == ["END"]
    assert not prompt.sampling.HasField("top_p")
    await turn.complete()
    await listener.end()


async def test_a_gateway_that_goes_away_in_mid_answer_is_followed_by_the_next(world: World) -> None:
    """INVARIANT: over a cut nothing is missing, nothing comes twice, and the question is not asked again."""
    port = free_port()
    client = AsyncClient(f"http://127.0.0.1:{port}")
    async with world.running("one", port=port, slot=1, resume_seconds=20):
        listener = Listener(client)
        turn = await asked(world, listener)
        await turn.delta("One, ")
        await turn.delta("two, ")
        await listener.hears("One, two, ")
    async with world.running("two", port=port, slot=1, resume_seconds=20):
        await turn.delta("three.")
        await turn.complete()
        answer = await listener.end()
    assert (listener.text, answer.text) == ("One, two, three.", "One, two, three.")
    assert [event.text for event in listener.heard if isinstance(event, Text)] == ["One, ", "two, ", "three."]
    assert len(world.pipeline.asked_now()[listener.turn_id]) == 1


async def test_a_second_attempt_voids_what_was_shown(world: World) -> None:
    listener = Listener(AsyncClient(f"http://{await world.gateway()}"))
    turn = await asked(world, listener)
    await turn.delta("Half an")
    await listener.hears("Half an")
    turn.said.clear()
    await turn.delta("All of it.", attempt=2)
    await turn.complete(
        ResponseCompleted(attempt=2, status=ResponseCompleted.ANSWERED, text="All of it.", delta_count=1)
    )
    assert (await listener.end()).text == listener.text == "All of it."
    assert Restarted(2) in listener.heard


async def test_whoever_leaves_cancels(world: World) -> None:
    client = AsyncClient(f"http://{await world.gateway(resume_seconds=60)}")
    turn_id = str(uuid.uuid4())
    async with aclosing(client.stream("What is Kafka?", turn_id=turn_id)) as events:
        asking = asyncio.ensure_future(anext(events))
        turn = await world.pipeline.asked(turn_id)
        await turn.delta("A log")
        assert await asking == Text("A log")
    await until("the cancellation", lambda: turn_id in world.pipeline.cancelled())


async def test_what_is_wrong_with_a_question_names_its_field(world: World) -> None:
    client = AsyncClient(f"http://{await world.gateway()}")
    with pytest.raises(Invalid, match="max_tokens") as caught:
        await client.ask("Hi", sampling=Sampling(max_tokens=0))
    assert caught.value.field == "sampling.max_tokens"


async def test_an_answer_that_failed_is_raised_and_says_whether_to_ask_again(world: World) -> None:
    client = AsyncClient(f"http://{await world.gateway()}")
    for error, kind in (
        (Error(code="engine_gone", message="the model is gone: ask again", retryable=True), Retryable),
        (Error(code="too_long", message="shorten it", field="text"), Invalid),
    ):
        turn_id = str(uuid.uuid4())
        asking = asyncio.create_task(client.ask("Hi", turn_id=turn_id))
        await (await world.pipeline.asked(turn_id)).fail(error)
        with pytest.raises(kind, match=error.message):
            await asking


async def test_a_rating_reaches_its_topic_whole(world: World) -> None:
    client = AsyncClient(f"http://{await world.gateway()}")
    turn_id = str(uuid.uuid4())
    feedback_id = await client.feedback(
        turn_id, 4, scale="stars", comment="Good.", correction="Better.", reasons=["sources"], consent_to_train=True,
        user="zoe",
    )  # fmt: skip
    await until("the rating", world.pipeline.ratings)
    (said,) = world.pipeline.ratings()
    assert (said.feedback_id, said.turn_id, said.rating, said.scale) == (feedback_id, turn_id, 4, "stars")
    assert (said.comment, said.correction, said.user, said.consent_to_train) == ("Good.", "Better.", "zoe", True)
    assert list(said.reasons) == ["sources"]
    for wrong in ({"rating": 7}, {"rating": 1, "reasons": ["because"]}):
        with pytest.raises(Invalid, match="must be one of"):
            await client.feedback(turn_id, **wrong)


async def test_a_rating_that_nobody_took_is_to_be_given_again() -> None:
    async def hang_up(connection: ServerConnection) -> None:
        await connection.recv()

    async with serve(hang_up, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(Retryable, match="rate again with the same feedback_id"):
            await AsyncClient(f"http://127.0.0.1:{port}").feedback(str(uuid.uuid4()), 1)


async def test_where_nothing_answers_it_is_said_at_once() -> None:
    with pytest.raises(Fatal, match="no gateway answers"):
        await AsyncClient(f"http://127.0.0.1:{free_port()}").ask("Hi")
    with pytest.raises(Invalid, match="no address of a gateway"):
        AsyncClient("127.0.0.1:8080")


async def test_a_gateway_that_does_not_come_back_is_not_waited_for_for_ever(world: World) -> None:
    port = free_port()
    async with world.running("one", port=port):
        listener = Listener(AsyncClient(f"http://127.0.0.1:{port}"), timeout_s=1)
        await asked(world, listener)
    with pytest.raises(Retryable, match="ask again"):
        await listener.end()


async def test_a_program_that_does_not_await_has_the_same(world: World) -> None:
    url = f"http://{await world.gateway()}"
    turn_id = str(uuid.uuid4())

    def program() -> tuple[list[Event], str]:
        with Client(url) as client:
            heard = list(client.stream("What is Kafka?", turn_id=turn_id))
            return heard, client.feedback(turn_id, 1)

    running = asyncio.create_task(asyncio.to_thread(program))
    turn = await world.pipeline.asked(turn_id)
    await turn.delta("A log.")
    await turn.complete()
    heard, feedback_id = await running
    assert heard[0] == Text("A log.")
    assert isinstance(heard[-1], Answer)
    await until("the rating", world.pipeline.ratings)
    assert world.pipeline.ratings()[0].feedback_id == feedback_id
