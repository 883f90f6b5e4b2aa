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
    return Backlog("127.0.0.1:1")


def _looks(monkeypatch: pytest.MonkeyPatch, *outcomes: Any) -> list[Any]:
    left = list(outcomes)

    def look(_: Backlog) -> Any:
        outcome = left.pop(0)
        if isinstance(outcome, int):
            raise KafkaException(KafkaError(outcome))
        return outcome

    monkeypatch.setattr(Backlog, "_look", look)
    return left


async def test_a_look_while_the_coordinator_moves_is_taken_again(
    backlog: Backlog, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = _looks(monkeypatch, KafkaError.NOT_COORDINATOR, KafkaError.COORDINATOR_LOAD_IN_PROGRESS, {_PLACE: 3})
    assert await backlog.left() == {_PLACE: 3}
    assert not left


async def test_a_coordinator_that_never_comes_back_is_told(backlog: Backlog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draining, "_MOVED_WITHIN_S", -1.0)
    _looks(monkeypatch, KafkaError.NOT_COORDINATOR)
    with pytest.raises(KafkaException):
        await backlog.left()


async def test_any_other_trouble_is_told_at_once(backlog: Backlog, monkeypatch: pytest.MonkeyPatch) -> None:
    left = _looks(monkeypatch, KafkaError.GROUP_AUTHORIZATION_FAILED, {})
    with pytest.raises(KafkaException):
        await backlog.left()
    assert left == [{}]
