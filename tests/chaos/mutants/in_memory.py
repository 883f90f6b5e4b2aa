"""Mutants through all services on the log in memory: sent in waves, judged, repaired, redriven, judged again."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from random import Random
from typing import Final

from headrace.client.dead_letters.plan import Wish, plan
from headrace.client.dead_letters.repair import Repair
from headrace.messaging import headers, topics
from headrace.messaging.errors import Invalid
from headrace.messaging.records import TopicPartition
from headrace.runtime.paths import infra_dir
from headrace.runtime.pipelines import Pipelines
from tests.chaos.mutants import judging
from tests.chaos.mutants.ends import READ, Ends
from tests.chaos.mutants.hosted import Hosted, hosted
from tests.chaos.mutants.judging import Kept
from tests.chaos.mutants.leaping import LeapingClock
from tests.chaos.mutants.messages import Sample
from tests.chaos.mutants.mutant import TAG, Mutant
from tests.chaos.mutants.readers import Gateway, LetterReader
from tests.chaos.mutants.samples import TOPICS, any_topic, sample
from tests.chaos.mutants.settling import settled
from tests.chaos.mutants.strict_log import most_bytes
from tests.fakes.memory_log import MemoryLog

PARTITIONS: Final = 2
# Readers that need a broker: they get their mutants from the run on the broker.
ON_THE_BROKER: Final = frozenset({topics.CANCELLATIONS, topics.DISPOSITIONS, topics.REVIEWS_CLASSIFIED})
# One valid message among so many mutants.
VALID_EVERY: Final = 10


@dataclass(slots=True)
class Seen:
    """What a run has done and found."""

    mutants: int = 0
    valid: int = 0
    unparseable: int = 0
    unreadable: int = 0
    refused: int = 0
    nobodys: int = 0
    redriven: int = 0
    longest_leap_s: float = 0.0
    wrong: list[str] = field(default_factory=list)


@dataclass(slots=True)
class MemoryRun:
    """The running services, and what was sent to them so far."""

    seed: int
    services: Hosted
    gateway: Gateway
    letters: LetterReader
    pipelines: Pipelines
    seen: Seen = field(default_factory=Seen)
    _read: dict[TopicPartition, int] = field(default_factory=dict)

    async def wave(self, mutants: Sequence[Mutant], number: int) -> bool:
        """Send these with valid messages among them, and judge; False where nothing can go on after it."""
        chance = Random(f"{self.seed}/valid/{number}")  # noqa: S311 - replays, guards nothing
        now_ms = LeapingClock().now_ms()
        valid: list[Sample] = []
        for index, mutant in enumerate(mutants):
            if index % VALID_EVERY == 0:
                topic = any_topic(chance)
                while topic in ON_THE_BROKER:
                    topic = any_topic(chance)
                valid.append(self._send_valid(sample(topic, chance, now_ms)))
            self._send(mutant.topic, mutant.key, mutant.value, mutant.headers)
            await asyncio.sleep(0)
        if not await self._settle(f"wave {number}"):
            return False
        ends = self._ends()
        tally = judging.mutants(mutants, ends, self.seed)
        self.seen.mutants += len(mutants)
        self.seen.valid += len(valid)
        self.seen.unparseable += tally.unparseable
        self.seen.unreadable += tally.unreadable
        self.seen.refused += tally.refused
        self.seen.nobodys += tally.nobodys
        self._blame(tally.wrong)
        self._blame(judging.valid_ones(valid, ends, self._kept()))
        return await self._redrive(ends, {str(mutant.number): mutant for mutant in mutants})

    async def _redrive(self, ends: Ends, by_tag: dict[str, Mutant]) -> bool:
        """Every letter of bytes that could not be parsed goes back with those that it was made from."""
        mended: list[Mutant] = []
        for buried in ends.buried:
            mutant = by_tag.get(buried.tag)
            if mutant is None or buried.error != "Undecodable":
                continue
            made = mutant.sample
            repair = Repair(value=made.value, headers=((headers.CONTENT_TYPE, made.content_type),))
            try:
                planned = plan(buried.letter, Wish(repair=repair), self.pipelines, now_ms=LeapingClock().now_ms())
            except Invalid as exc:
                self._blame([f"mutant {mutant.number} ({', '.join(mutant.faults)}) cannot be redriven: {exc}"])
                continue
            onward = planned.onward
            # What is answered to it is not the attack's own.
            held = onward.headers
            self.services.log.append(
                onward.topic, onward.value, key=onward.key, headers=held, partition=(onward.partition or 0) % PARTITIONS
            )
            mended.append(mutant)
        if not await self._settle("redrive"):
            return False
        after = self._ends()
        self._blame([f"a redriven message died again: {each.tag} {each.error} {each.letter.error.message}"[:400]
                     for each in after.buried])  # fmt: skip
        self._blame(
            [f"redriven, {each}" for each in judging.valid_ones([m.sample for m in mended], after, self._kept())]
        )
        self.seen.redriven += len(mended)
        self._forget()
        return True

    async def _settle(self, what: str) -> bool:
        stuck, leapt_s = await settled(self.services, self.gateway, what)
        self.seen.longest_leap_s = max(self.seen.longest_leap_s, leapt_s)
        self.letters.read_on()
        self._blame([*stuck, *self.letters.wrong])
        self.letters.wrong.clear()
        return not stuck

    def _blame(self, wrong: Sequence[str]) -> None:
        self.seen.wrong += [f"{each} [seed {self.seed}]" for each in wrong]

    def _send_valid(self, made: Sample) -> Sample:
        self.gateway.awaited.add(made.id)
        mark = () if made.topic not in READ else ((TAG, b"valid"),)
        self._send(made.topic, made.key.encode(), made.value, (*made.headers, *mark))
        return made

    def _send(self, topic: str, key: bytes | None, value: bytes | None, held: Sequence[tuple[str, bytes]]) -> None:
        self.services.log.append(topic, value, key=key, headers=held)

    def _ends(self) -> Ends:
        ends = Ends()
        for topic in READ:
            for number in range(PARTITIONS):
                place = TopicPartition(topic, number)
                records = self.services.log.records[place]
                for record in records[self._read.get(place, 0) :]:
                    if record.value is not None:
                        ends.take(topic, record.value, record.headers)
                self._read[place] = len(records)
        return ends

    def _kept(self) -> Kept:
        with closing(sqlite3.connect(self.services.database)) as database:
            said = {row[0] for row in database.execute("select feedback_id from feedback")}
            turns = {row[0] for row in database.execute("select turn_id from turns")}
        documents = {key.document_id for key in self.services.knowledge.documents}
        return Kept(said, turns, documents, self.gateway.read | self.letters.listed)

    def _forget(self) -> None:
        """Let go of what is read, which is gigabytes after a while."""
        for place, records in self.services.log.records.items():
            if records:
                records[:] = [records[0].__class__(place.topic, place.partition, 0, 0, None, None)] * len(records)


@asynccontextmanager
async def memory_run(seed: int) -> AsyncIterator[MemoryRun]:
    """Services that wait for mutants."""
    log = MemoryLog(partitions=PARTITIONS, clock=LeapingClock())
    async with hosted(log) as services:
        gateway = Gateway(log)
        gateway.start()
        try:
            yield MemoryRun(seed, services, gateway, LetterReader(log), Pipelines.load(infra_dir() / "pipelines"))
        finally:
            await gateway.stop()


def in_memory(mutant: Mutant) -> bool:
    """Whether this run takes the mutant: it is read by a service, and no broker would refuse it for its size."""
    if mutant.topic not in TOPICS or mutant.topic in ON_THE_BROKER:
        return False
    return len(mutant.value or b"") <= most_bytes()[mutant.topic]
