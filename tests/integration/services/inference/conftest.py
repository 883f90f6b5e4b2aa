import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from headrace.models.fetch import prepare
from services.inference.adapters.engines.process_engine import ProcessEngine
from tests.fakes.real_engines import WITHOUT_VLLM, spec_for

CORES = ("mock", "openvino", "transformers", "vllm")


@pytest_asyncio.fixture(
    scope="module",
    loop_scope="module",
    params=[pytest.param(core, marks=WITHOUT_VLLM) if core == "vllm" else core for core in CORES],
)
async def engine(request: pytest.FixtureRequest) -> AsyncIterator[ProcessEngine]:
    """Each engine in turn, in a process of its own."""
    spec = spec_for(request.param)
    folder = await asyncio.to_thread(prepare, spec)
    engine = ProcessEngine(spec, folder, core=request.param)
    await engine.start()
    yield engine
    await engine.close()
