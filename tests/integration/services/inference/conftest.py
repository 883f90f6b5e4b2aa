import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from headrace.models.fetch import prepare
from services.inference.adapters.engines.process_engine import ProcessEngine
from tests.fakes.real_engines import cores, spec_for


@pytest_asyncio.fixture(
    scope="module",
    loop_scope="module",
    params=cores(),
)
async def engine(request: pytest.FixtureRequest) -> AsyncIterator[ProcessEngine]:
    """Each engine in turn, in a process of its own."""
    spec = spec_for(request.param)
    folder = await asyncio.to_thread(prepare, spec)
    engine = ProcessEngine(spec, folder, core=request.param)
    await engine.start()
    yield engine
    await engine.close()


@pytest.fixture(autouse=True)
def left_as_found(request: pytest.FixtureRequest) -> Iterator[None]:
    """The engines are shared: a test that leaves a request at work fails here, not the next one."""
    yield
    if "engine" in request.fixturenames:
        engine: ProcessEngine = request.getfixturevalue("engine")
        assert (engine.running, engine.waiting) == (0, 0)
