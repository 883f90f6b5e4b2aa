"""Engines behind Ray Serve: the same promises across processes, and a life longer than the service's."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest
import pytest_asyncio

from headrace.embedded.ray_head import EmbeddedRay
from headrace.messaging.errors import Invalid, Retryable
from headrace.models.spec import MockOptions, ModelSpec
from services.inference.adapters import ray_models
from services.inference.adapters.ray_engine import RayEngine
from services.inference.adapters.ray_models import RayModels
from services.inference.domain.sampling import Sampling
from services.inference.ports import Chat, Chunk, GenerationRequest, ScoreRequest
from tests.fakes.waiting import until

pytestmark = [
    pytest.mark.integration,
    pytest.mark.slow,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(400),
    # Ray's own background threads and sockets end when the driver does, not before.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning", "ignore::FutureWarning"),
]

TEXT = "one two three four five six seven eight nine ten " * 20
SPEC = ModelSpec.model_validate(
    {
        "name": "spoken",
        "task": "chat",
        "source": {"type": "builtin"},
        "revision": "1",
        "engine": "mock",
        "mock": {"text": TEXT, "delay_ms": 10},
        "resources": {"cpus": 0.1, "gpus": 0, "max_running": 2},
        "limits": {"context_window": 4096, "max_new_tokens": 4096},
    }
)
# An answer that takes a minute: what is freed before has not ended by itself.
SLOW = SPEC.model_copy(update={"name": "slow", "mock": MockOptions(text=TEXT, delay_ms=300)})
# A caller counts as gone after 5 s.
ABSENCE_S = 10.0


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def address(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    folder: Path = tmp_path_factory.mktemp("ray")
    head = EmbeddedRay(log=folder / "ray.log")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HEADRACE_CACHE_DIR", str(folder / "cache"))
        # Serve says after this long that a replica finds no place.
        patch.setenv("RAY_SERVE_SLOW_STARTUP_WARNING_S", "2")
        await head.start()
        for key, value in head.environment.items():
            patch.setenv(key, value)
        yield head.address
        await head.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def models(address: str) -> AsyncIterator[RayModels]:
    models = RayModels(address)
    yield models
    await models.close()


def wanting(name: str, cpus: float) -> ModelSpec:
    """A model that would reserve so much of a cluster."""
    return SPEC.model_copy(update={"name": name, "resources": SPEC.resources.model_copy(update={"cpus": cpus})})


async def engine_of(models: RayModels) -> RayEngine:
    engine = await models.engine(SPEC)
    assert isinstance(engine, RayEngine)
    return engine


def asked(request_id: str = "r", max_tokens: int = 4096) -> GenerationRequest:
    return GenerationRequest(request_id, Chat((("user", "count"),)), Sampling(max_tokens=max_tokens))


async def listen(engine: RayEngine, request: GenerationRequest) -> list[Chunk]:
    async with aclosing(engine.generate(request)) as chunks:
        return [chunk async for chunk in chunks]


async def freed(engine: RayEngine) -> None:
    async def idle() -> bool:
        return await engine.running() == 0

    await until("the replica's slots to be free", idle)


async def test_an_answer_streams_across_processes(models: RayModels) -> None:
    chunks = await listen(await engine_of(models), asked())
    assert "".join(chunk.text for chunk in chunks) == TEXT.rstrip()
    assert len(chunks) > 100
    assert chunks[-1].finish_reason == "stop"


async def test_closing_the_stream_frees_the_slot_on_the_replica(models: RayModels) -> None:
    engine = await engine_of(models)
    async with aclosing(engine.generate(asked())) as chunks:
        async for _ in chunks:
            break
    await freed(engine)


async def test_a_reader_that_is_cancelled_frees_the_slot_on_the_replica(models: RayModels) -> None:
    engine = await engine_of(models)
    reading = [asyncio.create_task(listen(engine, asked(f"r{n}"))) for n in range(2)]

    async def both() -> bool:
        return await engine.running() == 2

    await until("both slots to be taken", both)
    for task in reading:
        task.cancel()
    await asyncio.gather(*reading, return_exceptions=True)
    await freed(engine)


async def test_labels_are_scored(models: RayModels) -> None:
    scores = await (await engine_of(models)).score(ScoreRequest("s", "it is cold", ("cold", "blue")))
    assert sum(scores.probabilities) == pytest.approx(1)
    assert scores.probabilities[0] > scores.probabilities[1]


async def test_an_error_of_the_request_arrives_with_its_field(models: RayModels) -> None:
    with pytest.raises(Invalid, match="4096") as caught:
        await listen(await engine_of(models), GenerationRequest("r", "word " * 4000))
    assert (caught.value.code, caught.value.field) == ("prompt_too_long", "text")


async def test_another_driver_finds_the_model_loaded(models: RayModels, address: str) -> None:
    """INVARIANT: a restart of the service reloads no weights."""
    before = await (await engine_of(models)).processes()
    other = RayModels(address)
    assert await (await engine_of(other)).processes() == before


async def test_a_request_that_is_cancelled_in_the_replicas_queue_leaves_it(models: RayModels) -> None:
    engine = await engine_of(models)
    reading = [asyncio.create_task(listen(engine, asked(f"r{n}"))) for n in range(2)]

    async def both() -> bool:
        return await engine.running() == 2

    await until("both slots to be taken", both)
    queued = asyncio.create_task(listen(engine, asked("queued")))

    async def waiting() -> bool:
        return await engine.waiting() == 1

    await until("the third to wait at the replica", waiting)
    queued.cancel()

    async def gone() -> bool:
        return await engine.waiting() == 0

    await until("the queue to be empty", gone, timeout_s=5)
    for task in reading:
        task.cancel()
    await asyncio.gather(*reading, return_exceptions=True)
    await freed(engine)


async def test_a_caller_that_is_killed_frees_its_slots_and_nobody_elses(models: RayModels, address: str) -> None:
    """INVARIANT: Ray tells a replica nothing of a caller that is gone, and what it asked for ends all the same."""
    engine = await models.engine(SLOW)
    assert isinstance(engine, RayEngine)
    ours = asyncio.create_task(listen(engine, asked("same-name")))
    code = (
        "import asyncio\n"
        "from services.inference.adapters.ray_models import RayModels\n"
        "from headrace.models.spec import ModelSpec\n"
        "from services.inference.domain.sampling import Sampling\n"
        "from services.inference.ports import GenerationRequest\n"
        "async def main():\n"
        f"    spec = ModelSpec.model_validate_json({SLOW.model_dump_json()!r})\n"
        f"    engine = await RayModels({address!r}).engine(spec)\n"
        "    request = GenerationRequest('same-name', 'count', Sampling(max_tokens=4096))\n"
        "    async for chunk in engine.generate(request):\n"
        "        print('chunk', flush=True)\n"
        "asyncio.run(main())\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True) as caller:  # noqa: ASYNC220 - a process to be killed
        assert caller.stdout is not None
        lines = iter(caller.stdout.readline, "")
        assert await asyncio.to_thread(lambda: any(line.startswith("chunk") for line in lines))
        assert await engine.running() == 2
        caller.kill()
    killed = time.monotonic()

    async def one() -> bool:
        return await engine.running() == 1

    await until("the killed caller's slot to be free", one)
    assert time.monotonic() - killed < ABSENCE_S
    assert not ours.done()
    ours.cancel()
    await asyncio.gather(ours, return_exceptions=True)
    await freed(engine)


async def test_a_replica_that_dies_is_retryable_and_replaced(models: RayModels) -> None:
    engine = await engine_of(models)
    replica, core = await engine.processes()
    reading = asyncio.create_task(listen(engine, asked()))

    async def at_work() -> bool:
        return await engine.running() == 1

    await until("the request to run", at_work)
    os.kill(replica, signal.SIGKILL)
    with pytest.raises(Retryable):
        await reading

    async def answers() -> bool:
        try:
            return bool(await listen(await engine_of(models), asked(max_tokens=3)))
        except Retryable:
            return False

    await until("another replica to answer", answers, timeout_s=120)
    assert core is not None
    await until("the dead replica's engine to be gone", lambda: not Path(f"/proc/{core}").exists())


async def test_on_one_machine_a_model_starts_whatever_others_have_reserved(models: RayModels) -> None:
    for spec in (wanting("first", 512), wanting("second", 512)):
        engine = await models.engine(spec)
        assert [chunk async for chunk in engine.generate(asked(max_tokens=2))]


async def test_a_model_without_a_place_says_what_it_wants_and_keeps_nobody_waiting(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ray_models, "ON_ONE_MACHINE", "a cluster of several machines")
    models = RayModels(address)
    placeless = asyncio.create_task(models.engine(wanting("placeless", 512)))
    assert [chunk async for chunk in (await models.engine(SPEC)).generate(asked(max_tokens=2))]
    with pytest.raises(Retryable, match="finds no place in the Ray cluster: it wants 512 CPUs"):
        await placeless
    # And at once from then on.
    began = time.monotonic()
    with pytest.raises(Retryable, match="finds no place"):
        await models.engine(wanting("placeless", 512))
    assert time.monotonic() - began < 2
