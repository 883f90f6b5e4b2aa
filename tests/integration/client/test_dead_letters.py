"""Redriving on a real broker: what a read-committed reader of the origin finds, whatever happens to the operator."""

import asyncio
import os
import signal
import sys
import uuid
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from confluent_kafka import Consumer
from confluent_kafka import TopicPartition as Partition
from google.protobuf.timestamp_pb2 import Timestamp

from headrace.client.dead_letters.choice import Filter, filtered, state_of
from headrace.client.dead_letters.plan import Wish
from headrace.client.dead_letters.purge import Purge
from headrace.client.dead_letters.redrive import Redrive, Redriven, Refused, Settled
from headrace.messaging import headers, topics
from headrace.messaging.contract import Outgoing
from headrace.messaging.dead_letters import Onward
from headrace.messaging.disposing import Disposing
from headrace.messaging.errors import Fatal
from headrace.messaging.letter_log import read_dispositions, read_letters
from headrace.messaging.letters import Letter
from headrace.runtime.paths import infra_dir
from headrace.runtime.pipelines import Pipelines
from headrace.v1.dead_letters_pb2 import DeadLetter, Origin
from headrace.v1.turns_pb2 import Turn
from tests.fakes.letters import INFERENCE, a_record, a_turn, arrived, dead, publish
from tests.fakes.waiting import until

pytestmark = pytest.mark.integration


@pytest.fixture
def tenant() -> str:
    """Tells this test's letters from those of the others on the session's broker."""
    return f"tenant-{uuid.uuid4()}"


async def open_letters(kafka: str, tenant: str) -> list[Letter]:
    return filtered(await read_letters(kafka), await read_dispositions(kafka), Filter(tenant=tenant))


async def become(kafka: str, tenant: str, letters: list[Letter]) -> None:
    """Wait until these are open and no others: a commit is seen a moment after it is acknowledged."""

    async def seen() -> bool:
        return await open_letters(kafka, tenant) == letters

    await until(f"{len(letters)} letters of {tenant} are open", seen)


async def bury(kafka: str, tenant: str, count: int) -> list[Letter]:
    records = (a_record(a_turn(f"{tenant}-{number}", tenant=tenant)) for number in range(count))
    await publish(kafka, [dead(record) for record in records])
    return await open_letters(kafka, tenant)


async def returned(kafka: str, tenant: str, topic: str = INFERENCE) -> Counter[str]:
    """How often each letter came back, by the id in the headers."""
    async with arrived(kafka, topic) as records:
        mine = [record for record in records if record.headers.get(headers.TENANT) == tenant]
    return Counter(record.headers[headers.REDRIVEN_FROM] for record in mine)


@pytest.fixture
def noted(kafka: str) -> Iterator[Callable[[], int]]:
    """How far the notes of what was done have come, those of open transactions too; asked by another client."""
    consumer = Consumer({"bootstrap.servers": kafka, "group.id": "none"})
    yield lambda: int(consumer.get_watermark_offsets(Partition(topics.DISPOSITIONS, 0), timeout=10)[1])
    consumer.close()


def redrive(wish: Wish | None = None) -> Redrive:
    return Redrive(wish or Wish(), Pipelines.load(infra_dir() / "pipelines"))


async def test_a_letter_goes_back_as_it_came_with_more_time_and_leaves_the_list(kafka: str, tenant: str) -> None:
    turn = a_turn(f"{tenant}-0", tenant=tenant)
    record = a_record(turn, retried=True)
    await publish(kafka, [dead(record)])
    (letter,) = await open_letters(kafka, tenant)
    (outcome,) = [outcome async for outcome in redrive().run(kafka, [letter])]
    assert isinstance(outcome, Redriven)
    await become(kafka, tenant, [])
    async with arrived(kafka, INFERENCE) as records:
        (back,) = [found for found in records if found.headers.get(headers.TENANT) == tenant]
    assert (back.key, back.partition) == (record.key, record.partition)
    kept = {name: value for name, value in record.raw_headers if name not in headers.OF_EARLIER_TRIES}
    told = dict(back.raw_headers)
    assert int(told.pop(headers.DEADLINE)) - int(kept.pop(headers.DEADLINE)) > 120_000
    assert told.pop(headers.REDRIVEN_FROM) == letter.id.encode()
    assert told == kept
    again = Turn.FromString(back.value or b"")
    assert again.deadline.ToMilliseconds() - turn.deadline.ToMilliseconds() > 120_000
    again.deadline.CopyFrom(turn.deadline)
    assert again == turn


async def test_absurd_letters_and_notes_hide_none_of_the_others(kafka: str, tenant: str) -> None:
    """Any client of the broker can write to these topics."""
    absurd = DeadLetter(stage="inference", origin=Origin(topic=INFERENCE, timestamp=Timestamp(seconds=2**60)))
    absurd.dead_at.seconds = -(2**60)
    await publish(
        kafka,
        [
            Outgoing(topics.DEAD_LETTERS, tenant, absurd, headers={headers.TENANT: tenant}),
            Outgoing(topics.DISPOSITIONS, "no-letter", None, raw=b"\xff\xff"),
            dead(a_record(a_turn(f"{tenant}-0", tenant=tenant))),
        ],
    )
    found = await open_letters(kafka, tenant)
    assert len(found) == 2
    assert "no-letter" not in await read_dispositions(kafka)


async def test_a_record_that_a_crash_buried_twice_is_one_letter_and_goes_back_once(kafka: str, tenant: str) -> None:
    letter = dead(a_record(a_turn(f"{tenant}-0", tenant=tenant)))
    await publish(kafka, [letter, letter])
    found = await open_letters(kafka, tenant)
    assert len(found) == 1
    assert [type(outcome) async for outcome in redrive().run(kafka, found)] == [Redriven]
    await become(kafka, tenant, [])
    assert [type(outcome) async for outcome in redrive().run(kafka, found)] == [Settled]
    assert await returned(kafka, tenant) == {found[0].id: 1}


async def test_a_preview_sends_nothing(kafka: str, tenant: str) -> None:
    letters = await bury(kafka, tenant, 3)
    wish = Wish("output")
    assert [type(outcome) async for outcome in redrive().preview(kafka, letters)] == [Redriven] * 3
    assert [type(outcome) async for outcome in redrive(wish).preview(kafka, letters)] == [Refused] * 3
    assert await returned(kafka, tenant) == {}
    assert await open_letters(kafka, tenant) == letters


async def test_whoever_begins_later_takes_over_and_nothing_is_sent_twice(kafka: str, tenant: str) -> None:
    letters = await bury(kafka, tenant, 250)
    first = redrive().run(kafka, letters)
    begun = [await anext(first) for _ in range(100)]
    async with Disposing(kafka) as second:
        assert {outcome.letter.id for outcome in begun} <= second.done.keys()
        with pytest.raises(Fatal, match="another redrive or purge"):
            _ = [outcome async for outcome in first]
    rest = [outcome async for outcome in redrive().run(kafka, letters)]
    assert Counter(type(outcome) for outcome in rest) == {Settled: 100, Redriven: 150}
    await become(kafka, tenant, [])
    assert await returned(kafka, tenant) == dict.fromkeys((letter.id for letter in letters), 1)


class Killed(BaseException):
    """Nothing handles it, as nothing handles SIGKILL."""


class Dying(Disposing):
    """Dies before the send of this number, with its transaction open."""

    dies_at = 0

    async def _send(self, onward: Onward) -> "asyncio.Future[object]":
        if self.dies_at == 0:
            raise Killed
        self.dies_at -= 1
        return await super()._send(onward)


@pytest.mark.parametrize("dies_at", range(6))
async def test_wherever_a_redrive_dies_the_next_sends_each_letter_once(
    kafka: str, tenant: str, dies_at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """INVARIANT: before the note of the last letter is written nothing was sent, and after it everything was."""
    letters = await bury(kafka, tenant, 3)
    monkeypatch.setattr(Dying, "dies_at", dies_at)
    with monkeypatch.context() as dying:
        dying.setattr("headrace.client.dead_letters.redrive.Disposing", Dying)
        with pytest.raises(Killed):
            _ = [outcome async for outcome in redrive().run(kafka, letters)]
    assert [type(outcome) async for outcome in redrive().run(kafka, letters)] == [Redriven] * 3
    await become(kafka, tenant, [])
    assert await returned(kafka, tenant) == dict.fromkeys((letter.id for letter in letters), 1)


@pytest.mark.slow
async def test_a_redrive_that_is_killed_and_repeated_sends_each_letter_once(
    kafka: str, tenant: str, noted: Callable[[], int]
) -> None:
    """INVARIANT: the record and the note that it was sent are one transaction, and the next to begin ends the last."""
    letters = await bury(kafka, tenant, 3000)
    command = [sys.executable, "-m", "headrace.cli.main", "dlq", "redrive", "--tenant", tenant]
    environment = {**os.environ, "HEADRACE_KAFKA_BOOTSTRAP": kafka}
    killed = 0
    # So many letters later each is killed: prime numbers, to hit batches at every place.
    for later in (7, 503, 811, 50_000):
        enough = noted() + later
        process = await asyncio.create_subprocess_exec(*command, env=environment, stdout=asyncio.subprocess.DEVNULL)

        def far_enough(enough: int = enough, process: asyncio.subprocess.Process = process) -> bool:
            return process.returncode is not None or noted() > enough

        try:
            await until(f"{later} letters more are redriven", far_enough, 100)
        finally:
            if process.returncode is None:
                process.kill()
        killed += await process.wait() == -signal.SIGKILL
    assert killed >= 2
    await become(kafka, tenant, [])
    assert await returned(kafka, tenant) == dict.fromkeys((letter.id for letter in letters), 1)


async def test_what_is_purged_leaves_the_list_and_is_never_sent(kafka: str, tenant: str) -> None:
    letters = await bury(kafka, tenant, 10)
    purged = [letter async for batch in Purge().run(kafka, letters[:4]) for letter in batch]
    assert purged == letters[:4]
    await become(kafka, tenant, letters[4:])
    outcomes = [outcome async for outcome in redrive().run(kafka, letters[:5])]
    states = {type(outcome): outcome for outcome in outcomes}
    assert isinstance(settled := states[Settled], Settled)
    assert state_of(settled.disposition) == "purged"
    await become(kafka, tenant, letters[5:])
    assert sum((await returned(kafka, tenant)).values()) == 1


async def test_purged_letters_with_nothing_open_before_them_are_deleted(kafka: str, tenant: str) -> None:
    await bury(kafka, tenant, 5)
    # All there are: other tests' letters stand before these.
    every = await read_letters(kafka)
    job = Purge()
    _ = [batch async for batch in job.run(kafka, every)]
    assert job.deleted >= 5
    assert await read_letters(kafka) == []


async def test_bytes_that_are_no_dead_letter_are_listed_and_never_sent_anywhere(kafka: str, tenant: str) -> None:
    await publish(kafka, [Outgoing(topics.DEAD_LETTERS, "k", None, raw=b"\xff\xff junk", tenant=tenant)])
    (letter,) = await open_letters(kafka, tenant)
    assert letter.error == "Undecodable"
    (outcome,) = [outcome async for outcome in redrive().run(kafka, [letter])]
    assert isinstance(outcome, Refused)
    assert "no service reads" in outcome.reason
