"""Mutants through the real broker: every service a process of its own as it ships, the gateway's and clients' readers
among them, while people chat and a batch is classified."""

import asyncio
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from random import Random
from time import time
from typing import Final, cast

from confluent_kafka import Message

from headrace.client.reviews import Batch, classify
from headrace.client.rows.row import Row
from headrace.embedded.topics import TopicPlan
from headrace.messaging import topics
from headrace.v1.prompts_pb2 import CancelRequested, PromptSubmitted
from headrace.v1.responses_pb2 import ResponseCompleted
from headrace.v1.turns_pb2 import ClearedDelta, GeneratedDelta
from tests.chaos.attack import Progress, Report
from tests.chaos.mutants import judging, messages
from tests.chaos.mutants.ends import READ, Ends
from tests.chaos.mutants.hosted import environment
from tests.chaos.mutants.judging import Kept
from tests.chaos.mutants.messages import Sample
from tests.chaos.mutants.mutant import Mutant, mutant
from tests.chaos.mutants.parseable import Parses, judged
from tests.chaos.mutants.redriving import redrive
from tests.chaos.mutants.samples import sample
from tests.chaos.mutants.sending import Sending
from tests.chaos.path.clients import ChatClient, Experience
from tests.chaos.path.draining import Backlog
from tests.chaos.path.reading import end_offsets, records, value_of
from tests.chaos.path.stack import STAGES, Layout, ServicePath, running_path

VALID_EVERY: Final = 10
CLIENTS: Final = 3
ROWS: Final = 40
PATIENCE_S: Final = 120.0
# So many mutants are sent at a time, once no more than so many records wait to be worked on: they are to disturb the
# people beside them, not to overload the path.
TOGETHER: Final = 250
BEHIND: Final = 500
# Numbers of mutants that no run in memory gets.
FIRST: Final = 900_000_000
PARTITIONS: Final = {name: spec.partitions for name, spec in TopicPlan.load().specs().items()}
_BREAKER: Final = {"HEADRACE_BREAKER_CONSECUTIVE": "0"}
# Where a valid message leads to something that can be looked up from outside.
_VALID: Final = (
    topics.PROMPTS,
    topics.REVIEWS,
    topics.FEEDBACK,
    topics.TURNS_COMPLETED,
    topics.DELTAS_GENERATED,
    topics.DELTAS_CLEARED,
    *(topics.turns(stage, lane) for stage in topics.STAGES for lane in topics.LANES),
    *(topics.retries(service, "interactive", 1) for service in topics.SERVICES),
)


# By topic and partition: the first offset that is not read yet.
Positions = dict[str, dict[int, int]]


async def attack_broker(seed: int, count: int, progress: Progress) -> Report:
    """So many mutants, valid messages among them, people at the gateway beside them."""
    layout = Layout(services={**dict.fromkeys(STAGES, 1), "gateway": 1})
    with environment(_BREAKER):
        async with running_path(layout) as path:
            over, experience = asyncio.Event(), Experience()
            gateways = [path.of("gateway")[0].address]
            clients = [ChatClient(number, seed, gateways, experience) for number in range(CLIENTS)]
            async with asyncio.TaskGroup() as group:
                for client in clients:
                    group.create_task(client.talk(over, 1.0))
                classifying = group.create_task(_classified(path.bootstrap))
                sent, valid, refused = await _send(path.bootstrap, seed, count, progress)
                unclassified = await classifying
                over.set()
            # Once nobody asks any more: whoever chats is always just behind.
            stuck = await Backlog(path.bootstrap).empty(patience_s=PATIENCE_S)
            read: Positions = {}
            ends = await asyncio.to_thread(_ends, path.bootstrap, read)
            tally = judging.mutants(sent, ends, seed)
            wrong = [
                *stuck,
                *tally.wrong,
                *unclassified,
                *experience.wrong,
                *judging.valid_ones(valid, ends, _kept(path)),
            ]
            progress(count, count, "redriving")
            redriven, unredriven = await redrive(path.bootstrap, path.infra / "pipelines", sent)
            wrong += [*unredriven, *await Backlog(path.bootstrap).empty(patience_s=PATIENCE_S)]
            wrong += _redriven_wrong(redriven, await asyncio.to_thread(_ends, path.bootstrap, read), _kept(path))
            wrong += await _cancelled(path.bootstrap, seed)
            wrong += path.unasked()
            logs = path.save_logs() if wrong else ""
    figures: dict[str, float | int | str] = {
        "mutants on the broker": len(sent),
        "refused by the broker itself": refused,
        "unparseable, all dead letters": tally.unparseable,
        "unreadable and passed over by readers": tally.unreadable,
        "refused with a reason": tally.refused,
        "repaired and redriven": len(redriven),
        "valid ones among them, all answered": len(valid),
        "questions of people meanwhile": len(experience.answered),
    }
    if logs:
        figures["logs"] = logs
    done = f"{len(sent):,} on a real broker with every service a process"
    return Report(done, figures, tuple(f"{sentence} [seed {seed}]" for sentence in wrong))


async def _send(
    bootstrap: str, seed: int, count: int, progress: Progress
) -> tuple[Sequence[Mutant], Sequence[Sample], int]:
    now_ms = int(time() * 1000)
    chance = Random(f"{seed}/valid")  # noqa: S311 - replays, guards nothing
    sending = Sending(bootstrap)
    valid: list[Sample] = []
    wanted: list[Mutant] = []
    number = FIRST
    backlog = Backlog(bootstrap)
    while len(wanted) < count:
        if len(wanted) % TOGETHER == 0:
            await backlog.at_most(BEHIND)
        made = mutant(seed, number, now_ms)
        number += 1
        if _held_for_an_hour(made):
            continue
        if len(wanted) % VALID_EVERY == 0:
            good = sample(chance.choice(_VALID), chance, now_ms)
            valid.append(good)
            await sending.send(good.topic, good.key.encode(), good.value, good.headers)
        wanted.append(made)
        await sending.send(made.topic, made.key, made.value, made.headers, number=made.number)
        if len(wanted) % 200 == 0:
            progress(len(wanted), count, "mutants on the broker")
            await asyncio.sleep(0)
    refused = await sending.flush()
    return [made for made in wanted if made.number not in refused], valid, len(refused)


def _held_for_an_hour(made: Mutant) -> bool:
    """A stream without an end is held until its deadline: the runs in memory wait for it, by their own clock."""
    match judged(made):
        case Parses(GeneratedDelta() | ClearedDelta() as delta):
            return not delta.last
        case _:
            return False


def _ends(bootstrap: str, read: Positions) -> Ends:
    """What ended since `read`, which is moved on."""
    ends = Ends()
    for topic in READ:
        for message in records(bootstrap, topic, read.get(topic)):
            ends.take(topic, value_of(message), _headers_of(message))
        places = [(topic, number) for number in range(PARTITIONS[topic])]
        read[topic] = {number: end for (_, number), end in end_offsets(bootstrap, places).items()}
    return ends


def _headers_of(message: Message) -> dict[str, str]:
    found = cast("list[tuple[str, bytes | None]]", message.headers() or [])
    return {name: (value or b"").decode("utf-8", "replace") for name, value in found}


def _kept(path: ServicePath) -> Kept:
    with closing(sqlite3.connect(path.data / "feedback" / "feedback.sqlite")) as database:
        said = {row[0] for row in database.execute("select feedback_id from feedback")}
        turns = {row[0] for row in database.execute("select turn_id from turns")}
    return Kept(said, turns)


def _redriven_wrong(redriven: Sequence[Mutant], after: Ends, kept: Kept) -> list[str]:
    died = [
        f"redriven, it died again: {each.tag} {each.error} {each.letter.error.message}"[:400] for each in after.buried
    ]
    # The index of documents is another process's own: that they were taken in, the lag and the letters tell.
    seen = [made.sample for made in redriven if made.sample.message.DESCRIPTOR.name != "KnowledgeDocument"]
    return died + [f"redriven, {sentence}" for sentence in judging.valid_ones(seen, after, kept)]


async def _classified(bootstrap: str) -> list[str]:
    """A person's batch by the shipped client: every row has its result in spite of all."""
    rows = [Row(line, line, f"The weir of {line} was fine.") for line in range(1, ROWS + 1)]
    found = {line: result async for line, result in classify(bootstrap, Batch(tenant=messages.TENANT), rows)}
    wrong = [line for line in range(1, ROWS + 1) if line not in found or not found[line].label]
    return [f"{len(wrong)} of {ROWS} rows of a batch were not classified: {wrong[:5]}"] if wrong else []


async def _cancelled(bootstrap: str, seed: int) -> list[str]:
    """After all those mutants on their topic, cancellations are still read."""
    chance = Random(f"{seed}/cancelled")  # noqa: S311 - replays, guards nothing
    prompt = messages.prompt(chance, int(time() * 1000))
    sending = Sending(bootstrap)
    wish = CancelRequested(turn_id=prompt.turn_id, tenant=messages.TENANT, reason="asked by the client")
    await sending.send(topics.CANCELLATIONS, prompt.turn_id.encode(), wish.SerializeToString(), ())
    await sending.flush()
    # Each process reads cancellations for itself and commits nothing: there is no place to see that all have.
    await asyncio.sleep(2.0)
    await sending.send(topics.PROMPTS, prompt.conversation_id.encode(), _text_only(prompt).SerializeToString(), ())
    await sending.flush()
    stuck = await Backlog(bootstrap).empty(patience_s=PATIENCE_S)
    finals = (await asyncio.to_thread(_ends, bootstrap, {})).finals.get(prompt.turn_id, [])
    if [final.status for final in finals] != [ResponseCompleted.CANCELLED]:
        stuck.append(f"a cancelled turn ended as {[final.status for final in finals]}: cancellations are not read")
    return stuck


def _text_only(prompt: PromptSubmitted) -> PromptSubmitted:
    del prompt.messages[:]
    prompt.text = "What is a weir?"
    return prompt
