"""A request that nobody waits for gives its slot back at once, whatever it is doing; people go first."""

import asyncio
import os
import subprocess
import sys
import time
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from headrace.messaging.clock import SystemClock
from headrace.messaging.errors import Retryable
from services.inference.adapters.engines.process_engine import ProcessEngine
from services.inference.domain.sampling import Sampling
from services.inference.ports import Chat, GenerationRequest, ScoreRequest, TooLate
from tests.fakes.real_engines import MAX_RUNNING, STORY, Answer, ask
from tests.fakes.waiting import until

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

SLOT_FREE_MS = 500
LONG_TOKENS = 1500
# A core without work is quiet for this long.
QUIET_S = 0.3
LABELS = (" good", " bad", " neither of the two")


def forever(name: str) -> GenerationRequest:
    return GenerationRequest(name, Chat((("user", STORY),)), Sampling(max_tokens=1500))


def long(engine: ProcessEngine, ending: str = "", word: str = "one") -> tuple[int, ...]:
    """A prompt of several steps, whatever a token is to this model; one that it has read before costs nothing."""
    encode = engine.tokenizer.encode
    return (*encode(f"{word} " * LONG_TOKENS)[:LONG_TOKENS], *encode(ending))


async def read(engine: ProcessEngine, request: GenerationRequest) -> Answer:
    async with aclosing(engine.generate(request)) as chunks:
        return Answer([chunk async for chunk in chunks])


async def full(engine: ProcessEngine) -> list["asyncio.Task[Answer]"]:
    """All slots taken, and each of them answering."""
    reading = [asyncio.create_task(read(engine, forever(f"full-{n}"))) for n in range(MAX_RUNNING)]
    await until("all slots to be taken", lambda: engine.running == MAX_RUNNING)
    return reading


async def end(engine: ProcessEngine, tasks: "list[asyncio.Task[Answer]]") -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await until("the engine to be idle", lambda: engine.running == engine.waiting == 0)


async def work_until_quiet(engine: ProcessEngine, since: float) -> float:
    """Seconds of processor that the core has used since then, once it rests: a busy machine does not add to them."""
    used = busy_seconds(engine)
    while True:
        await asyncio.sleep(QUIET_S)
        before, used = used, busy_seconds(engine)
        if used - before < QUIET_S / 10:
            return used - since


def busy_seconds(engine: ProcessEngine) -> float:
    """What the core's process has used of the processor in its life."""
    assert engine.core_pid is not None
    times = psutil.Process(engine.core_pid).cpu_times()
    return times.user + times.system


@pytest.mark.parametrize("chunks_read", [1, 4], ids=["while the prompt is read", "in mid-answer"])
async def test_cancelling_frees_the_slot_at_once(engine: ProcessEngine, chunks_read: int) -> None:
    since = await work_until_quiet(engine, 0)
    assert (await ask(engine, long(engine, word=f"whole {chunks_read}"), max_tokens=1)).last.completion_tokens == 1
    whole_prompt = await work_until_quiet(engine, since)
    since = busy_seconds(engine)
    asked = GenerationRequest("reading", long(engine, word="half"), Sampling(max_tokens=400))
    asked = asked if chunks_read == 1 else forever("decoding")
    async with aclosing(engine.generate(asked)) as chunks:
        for _ in range(chunks_read):
            await anext(chunks)
        began = time.monotonic()
    assert engine.running == 0
    assert (time.monotonic() - began) * 1000 < SLOT_FREE_MS
    assert (await ask(engine, "Hi", max_tokens=2)).last.completion_tokens == 2
    # The core notices with its next step: a prompt has three of them, an answer hundreds. The mock takes no time.
    assert await work_until_quiet(engine, since) < max(whole_prompt, QUIET_S)


async def test_cancelling_in_the_queue_leaves_it(engine: ProcessEngine) -> None:
    reading = await full(engine)
    queued = asyncio.create_task(read(engine, forever("queued")))
    await until("the request to wait", lambda: engine.waiting == 1)
    queued.cancel()
    await asyncio.gather(queued, return_exceptions=True)
    assert (engine.waiting, engine.running) == (0, MAX_RUNNING)
    await end(engine, reading)


async def test_cancelling_by_name_in_the_queue_ends_the_request(engine: ProcessEngine) -> None:
    reading = await full(engine)
    queued = asyncio.create_task(read(engine, forever("queued")))
    await until("the request to wait", lambda: engine.waiting == 1)
    await engine.cancel("queued")
    with pytest.raises(Retryable):
        await queued
    assert engine.waiting == 0
    await end(engine, reading)


async def test_cancelling_while_labels_are_scored_frees_the_slot_at_once(engine: ProcessEngine) -> None:
    if engine.name == "mock":
        pytest.skip("the mock engine scores at once")
    others = [
        asyncio.create_task(engine.score(ScoreRequest(f"other-{n}", f"Review {n}:", LABELS, "batch"))) for n in range(2)
    ]
    task = asyncio.create_task(engine.score(ScoreRequest("scored", long(engine), LABELS, "batch")))
    await until("the scoring to be at the engine", lambda: engine.running + engine.waiting == 3)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    for scores in await asyncio.gather(*others):
        assert sum(scores.probabilities) == pytest.approx(1)
    assert engine.running == engine.waiting == 0


async def test_a_queued_request_whose_deadline_passed_never_reaches_the_model(engine: ProcessEngine) -> None:
    reading = await full(engine)
    late = replace(forever("late"), deadline_ms=SystemClock().now_ms() + 50)
    asking = asyncio.create_task(read(engine, late))
    await until("the deadline to pass", lambda: SystemClock().now_ms() > late.deadline_ms)
    await end(engine, reading)
    with pytest.raises(TooLate):
        await asking
    assert engine.running == 0


async def test_a_person_does_not_wait_for_slots_full_of_batch_work(engine: ProcessEngine) -> None:
    batch = [
        asyncio.create_task(read(engine, replace(forever(f"batch-{n}"), priority="batch"))) for n in range(MAX_RUNNING)
    ]
    await until("all slots to be taken", lambda: engine.running == MAX_RUNNING)
    assert (await ask(engine, "Hi", max_tokens=2)).last.completion_tokens == 2
    assert engine.running == MAX_RUNNING
    await end(engine, batch)


async def test_a_long_review_makes_way_and_is_scored_all_the_same(engine: ProcessEngine) -> None:
    if engine.name == "mock":
        pytest.skip("the mock engine scores at once")
    prompt = long(engine, "The opposite of hot is cold. The opposite of hot is")
    scoring = asyncio.create_task(engine.score(ScoreRequest("long", prompt, (" cold", " blue"), "batch")))
    await until("the scoring to run", lambda: engine.running == 1)
    assert (await ask(engine, "Hi", max_tokens=2)).last.completion_tokens == 2
    disturbed = await scoring
    alone = await engine.score(ScoreRequest("alone", prompt, (" cold", " blue"), "batch"))
    assert disturbed.probabilities == pytest.approx(alone.probabilities, abs=0.01)


async def test_a_core_ends_with_its_parent_however_that_ends(engine: ProcessEngine) -> None:
    """INVARIANT: nothing generates for a service that was killed."""
    if engine.name != "mock":
        pytest.skip("every core is run by the same worker")
    code = (
        "import asyncio\n"
        "from headrace.models.fetch import prepare\n"
        "from services.inference.adapters.engines.process_engine import ProcessEngine\n"
        "from tests.fakes.real_engines import ask, spec_for\n"
        "async def main():\n"
        "    spec = spec_for('mock')\n"
        "    engine = ProcessEngine(spec, prepare(spec), core='mock')\n"
        "    await engine.start()\n"
        "    print('core', engine.core_pid, flush=True)\n"
        "    while True:\n"
        "        await ask(engine, max_tokens=1500)\n"
        "asyncio.run(main())\n"
    )
    command = [sys.executable, "-c", code]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True) as parent:  # noqa: ASYNC220 - a process to be killed
        assert parent.stdout is not None
        lines = iter(parent.stdout.readline, "")
        told = await asyncio.to_thread(lambda: next(line for line in lines if line.startswith("core ")))
        core = int(told.split()[1])
        assert alive(core)
        parent.kill()
    await until("the core to be gone", lambda: not alive(core), timeout_s=5)


def alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()
