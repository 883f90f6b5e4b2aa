"""The checker can fail: each of these defects, put into the code on purpose, is found within a few schedules."""

import re
from collections.abc import Callable, Collection, Sequence
from typing import Any, cast

import pytest

from headrace.messaging import retries
from headrace.messaging.ahead import written
from headrace.messaging.arrival import arrived
from headrace.messaging.breaker import Breaker
from headrace.messaging.committer import Committer
from headrace.messaging.contract import Publisher
from headrace.messaging.dispatcher import Dispatcher
from headrace.messaging.errors import Retryable
from headrace.messaging.offsets import PartitionProgress
from headrace.messaging.outlet import FencedPublisher
from headrace.messaging.processing import Finished
from headrace.messaging.records import Received, TopicPartition
from headrace.messaging.retries import Bury, Consequence
from headrace.messaging.schedule import Schedule, Work
from headrace.messaging.transactions import Producer, Transactions
from services.inference.ports import Claim
from tests.chaos.sim.group import Group
from tests.chaos.sim.ledger import Entries, SimLedger
from tests.chaos.sim.member import SimSubscription
from tests.chaos.sim.schedules import run_schedule
from tests.chaos.sim.transactions import Coordinator

WITHIN = 120


def found(scenario: str) -> str:
    """The first violation of a row of schedules."""
    for seed in range(WITHIN):
        if violations := run_schedule(scenario, seed).violations:
            return violations[0]
    raise AssertionError(f"{WITHIN} schedules of {scenario} did not find it")


def test_a_commit_before_the_effect_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    receive: Callable[[Dispatcher, Received], None] = Dispatcher.receive

    def at_once(self: Dispatcher, record: Received) -> None:
        receive(self, record)
        self._committer.settle(record, Finished())

    monkeypatch.setattr(Dispatcher, "receive", at_once)
    assert "was not done" in found("delivery")


def test_committing_the_fetch_position_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def fetched(self: PartitionProgress, *, noted: bool) -> tuple[int, str] | None:
        del noted
        said = (self._next or 0), ""
        return said if said != self._committed else None

    monkeypatch.setattr(PartitionProgress, "committable", fetched)
    assert "was not done" in found("delivery")


def test_a_note_that_says_too_much_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def all_of_it(self: PartitionProgress) -> str:
        return written(self._open[0], [(self._open[0], self._open[-1])]) if self._open else ""

    monkeypatch.setattr(PartitionProgress, "_note", all_of_it)
    assert found("delivery")


def test_a_key_that_is_never_released_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def kept(self: Schedule, work: Work) -> None:
        pass

    monkeypatch.setattr(Schedule, "release", kept)
    found("delivery")


def test_keys_that_do_not_wait_for_each_other_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def unkeyed(record: Received, *rest: Any) -> Work:
        work = arrived(record, *rest)
        work.key = (record.home, record.offset)
        return work

    monkeypatch.setattr("headrace.messaging.dispatcher.arrived", unkeyed)
    found("delivery")


def test_forgetting_what_is_queued_at_a_rebalance_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    async def dropping(self: Dispatcher, partitions: Collection[TopicPartition]) -> None:
        self._schedule.drop(partitions)

    monkeypatch.setattr(Dispatcher, "revoked", dropping)
    assert "stuck" in found("delivery")


def test_a_transient_error_that_is_given_up_at_once_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def hasty(error: BaseException, **known: Any) -> Consequence:
        return Bury() if isinstance(error, Retryable) else retries.consequence(error, **known)

    monkeypatch.setattr("headrace.messaging.attempts.consequence", hasty)
    found("delivery")


def test_a_commit_that_is_not_tried_again_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    async def once(self: Committer) -> None:
        await self._clock.sleep(0.02)
        await self.flush()

    monkeypatch.setattr(Committer, "_commit_until_settled", once)
    found("flood")


def test_a_death_of_which_no_word_is_left_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Committer, "begin", lambda _self, _record: 0)
    assert "stuck" in found("lethal")


def test_effects_that_do_not_wait_for_their_offset_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def at_once(self: SimSubscription, record: Received) -> Publisher:
        return FencedPublisher(self._publisher, self.holds, record.home)

    monkeypatch.setattr(SimSubscription, "outlet", at_once)
    assert "though it was to be once" in found("once")


def test_a_transaction_that_is_repeated_without_a_look_at_what_became_of_it_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def hopeful(self: Transactions, partition: Any) -> Producer:
        partition.producer, _committed = await self._producers.fenced(partition.place)
        return cast("Producer", partition.producer)

    monkeypatch.setattr(Transactions, "_reopened", hopeful)
    assert "though it was to be once" in found("once")


def test_a_producer_that_fences_nobody_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: Callable[..., int] = Coordinator.open

    def unfenced(self: Coordinator, group: Group, place: TopicPartition) -> int:
        holder = self._holders.get((group.name, place))
        return holder.epoch if holder else opened(self, group, place)

    monkeypatch.setattr(Coordinator, "open", unfenced)
    found("once")


def test_a_partition_that_stays_paused_behind_a_breaker_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def waiting_only(self: Dispatcher, waiting: Sequence[Work]) -> None:
        for work in waiting:
            self._schedule.put(work)
        for home in {work.record.home for work in waiting}:
            self._ease(home)
        self._pump()

    monkeypatch.setattr(Dispatcher, "_reopen", waiting_only)
    assert re.match("stuck|paused", found("flood"))


def test_a_full_partition_that_is_never_resumed_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SimSubscription, "resume", lambda _self, _partitions: None)
    found("burst")


def test_a_breaker_whose_tries_overtake_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Schedule, "runs", lambda _self, _key: False)
    found("flood")


def test_a_breaker_that_never_opens_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Breaker, "failed", lambda _self: False)
    assert "given up in a flood" in found("flood")


def test_a_ledger_that_forgets_results_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    claim: Callable[..., Any] = SimLedger.claim

    async def forgetful(self: SimLedger, tenant: str, turn_id: str, floor: int) -> Claim:
        entry, entries = self._entries.of(turn_id), Entries(self._entries.clock)
        entries.of(turn_id).attempt = entry.attempt
        answer: Claim = await claim(SimLedger(entries, owner="", process="", lease_seconds=1), tenant, turn_id, floor)
        entry.attempt = entries.of(turn_id).attempt
        return answer

    monkeypatch.setattr(SimLedger, "claim", forgetful)
    found("path")
