"""A turn index that was away when a turn was to be confirmed."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from headrace.messaging.errors import Retryable
from services.gateway.domain.places import Offsets, Place
from services.gateway.handlers import whereabouts
from services.gateway.handlers.whereabouts import Whereabouts
from tests.fakes.waiting import until

PLACE = Place(3, Offsets(10, 20))


class Index:
    """Takes confirmations while it is there."""

    def __init__(self) -> None:
        self.away = True
        self.confirmed: list[str] = []

    async def confirm(self, turn_id: str, _place: Place) -> None:
        if self.away:
            raise Retryable("away")
        self.confirmed.append(turn_id)


@pytest.fixture
def index() -> Index:
    return Index()


@pytest.fixture
async def places(index: Index, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Whereabouts]:
    monkeypatch.setattr(whereabouts, "_CONFIRM_AGAIN_S", 0.01)
    places = Whereabouts(index, None)  # type: ignore[arg-type]  # nothing else of them is asked
    yield places
    await places.stop()


async def test_what_could_not_be_confirmed_is_confirmed_once_the_index_is_back(
    places: Whereabouts, index: Index
) -> None:
    for turn_id in ("a", "b", "a"):
        await places.confirm(turn_id, PLACE)
    await asyncio.sleep(0.05)
    assert not index.confirmed
    index.away = False
    await until("two confirmations", lambda: len(index.confirmed) == 2)
    assert index.confirmed == ["a", "b"]
    # And again, after the first outage is over.
    index.away = True
    await places.confirm("c", PLACE)
    index.away = False
    await until("the third confirmation", lambda: "c" in index.confirmed)


async def test_of_a_long_outage_the_latest_are_remembered(
    places: Whereabouts, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whereabouts, "_MAX_UNCONFIRMED", 2)
    for turn_id in ("a", "b", "c"):
        await places.confirm(turn_id, PLACE)
    index.away = False
    await until("two confirmations", lambda: len(index.confirmed) == 2)
    assert index.confirmed == ["b", "c"]
