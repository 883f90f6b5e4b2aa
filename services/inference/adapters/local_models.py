"""Engines in child processes of this one: for tests, small machines, and whoever needs no cluster."""

import asyncio

from headrace.models.fetch import prepare
from headrace.models.spec import ModelSpec
from services.inference.adapters.engines.hardware import gpu_present
from services.inference.adapters.engines.opening import HostedEngines, open_engine
from services.inference.ports import Engine


class LocalModels:
    """A process per model, started when the model is first asked for."""

    def __init__(self) -> None:
        self._engines: dict[str, HostedEngines] = {}
        self._loading = asyncio.Lock()

    async def engine(self, spec: ModelSpec) -> Engine:
        async with self._loading:
            if (engine := self._engines.get(spec.name)) is None:
                folder = await asyncio.to_thread(prepare, spec)
                engine = self._engines[spec.name] = open_engine(spec, folder, gpu=gpu_present())
                await engine.start()
        return engine

    async def check(self) -> None:
        """A local engine is there when it is asked for."""

    async def close(self) -> None:
        """End all engines."""
        for engine in self._engines.values():
            await engine.close()
        self._engines.clear()
