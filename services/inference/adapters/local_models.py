"""Engines in child processes of this one: for tests, small machines, and whoever needs no cluster."""

import asyncio

from headrace.models.fetch import prepare
from headrace.models.spec import ModelSpec
from services.inference.adapters.engines.hardware import choose_core, gpu_present
from services.inference.adapters.engines.process_engine import ProcessEngine
from services.inference.ports import Engine


class LocalModels:
    """A process per model, started when the model is first asked for."""

    def __init__(self) -> None:
        self._engines: dict[str, ProcessEngine] = {}
        self._loading = asyncio.Lock()

    async def engine(self, spec: ModelSpec) -> Engine:
        async with self._loading:
            if (engine := self._engines.get(spec.name)) is None:
                folder = await asyncio.to_thread(prepare, spec)
                core = choose_core(spec, folder, gpu=gpu_present())
                engine = self._engines[spec.name] = ProcessEngine(spec, folder, core=core)
                await engine.start()
        return engine

    async def check(self) -> None:
        """A local engine is there when it is asked for."""

    async def close(self) -> None:
        """End all engines."""
        for engine in self._engines.values():
            await engine.close()
        self._engines.clear()
