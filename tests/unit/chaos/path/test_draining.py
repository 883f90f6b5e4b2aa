"""What the checker makes of a cluster that cannot answer it."""

from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from tests.chaos.path import draining
from tests.chaos.path.draining import Backlog

_PLACE = ("headrace.g", ("t", 0))


@pytest.fixture
def backlog(monkeypatch: pytest.MonkeyPatch) -> Backlog:
    """One whose looks end as the test says; it waits for nobody."""
    monkeypatch.setattr(draining, "sleep", lambda _: None)
    return Backlog("127.0.0.1:1", ["headrace.g"])


def _looks(monkeypatch: pytest.MonkeyPatch, *outcomes: Any) -> list[Any]:
    left = list(outcomes)

    def look(_: Backlog, group: str) -> Any:
        assert group == "headrace.g"
        outcome = left.pop(0)
        if isinstance(outcome, int):
            raise KafkaException(KafkaError(outcome))
        return outcome

    monkeypatch.setattr(Backlog, "_look", look)
    monkeypatch.setattr(draining, "end_offsets", lambda _, places: dict.fromkeys(places, 100))
    return left


async def test_a_look_while_the_coordinator_moves_is_taken_again(
    backlog: Backlog, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = _looks(monkeypatch, KafkaError.NOT_COORDINATOR, KafkaError.COORDINATOR_LOAD_IN_PROGRESS, {("t", 0): 3})
    assert await backlog.left() == {_PLACE: 97}
    assert not left


async def test_a_group_that_nobody_answers_for_is_found(backlog: Backlog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draining, "_MOVED_WITHIN_S", -1.0)
    _looks(monkeypatch, KafkaError.NOT_COORDINATOR)
    found = await backlog.empty(patience_s=1)
    assert [sentence.split(" after ")[0] for sentence in found] == ["nobody answers for headrace.g"]


async def test_any_other_trouble_is_told_at_once(backlog: Backlog, monkeypatch: pytest.MonkeyPatch) -> None:
    left = _looks(monkeypatch, KafkaError.GROUP_AUTHORIZATION_FAILED, {})
    with pytest.raises(KafkaException):
        await backlog.left()
    assert left == [{}]
