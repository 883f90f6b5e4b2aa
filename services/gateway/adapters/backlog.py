"""The log's lag in front of the model, read off the groups of the services on the way to it."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from headrace.messaging import topics
from headrace.messaging.lag import LagReader, lag_reader
from services.gateway.ports import BacklogReader, Reading

# The interactive topics up to the model and who consumes them; what lies behind the model does not fill it.
_LAST: Final = topics.turns("inference", "interactive")
_GROUPS: Final = {
    topics.PROMPTS: "headrace.preprocessing",
    topics.turns("grounding", "interactive"): "headrace.grounding",
    topics.turns("safety", "interactive"): "headrace.safety",
    _LAST: "headrace.inference",
}


class KafkaBacklog:
    """Opens readers of a broker's lag."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap

    @asynccontextmanager
    async def open(self) -> AsyncIterator[BacklogReader]:
        """Connect."""
        async with AsyncExitStack() as stack:
            yield _Reader(await stack.enter_async_context(lag_reader(self._bootstrap)))


class _Reader:
    def __init__(self, reader: LagReader) -> None:
        self._reader = reader

    async def read(self) -> Reading:
        found = await self._reader.read(_GROUPS)
        return Reading(lag=sum(each.lag for each in found.values()), passed=found[_LAST].passed)
