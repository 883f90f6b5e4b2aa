"""Stores at the far end of the network: every call of theirs may be late, lost, or done without being heard of."""

from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Self

from tests.chaos.sim.network import Network


class Remote:
    """Stands for a store in memory, whose methods are coroutines that never wait."""

    def __init__(self, network: Network, name: str, store: object) -> None:
        self._network, self._name, self._store = network, name, store

    def __getattr__(self, method: str) -> Callable[..., Coroutine[Any, Any, Any]]:
        act = getattr(self._store, method)

        async def ask(*args: Any, **kwargs: Any) -> Any:
            return await self._network.ask(self._name, lambda: _done(act(*args, **kwargs)))

        return ask

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """The store stays; only the connection ends."""


def _done(coroutine: Coroutine[Any, Any, Any]) -> Any:
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    coroutine.close()
    raise AssertionError("a store in memory waited")
