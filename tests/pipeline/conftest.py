"""All services joined in memory, around an engine that says what the test wants."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.feedback.adapters.store import SqlStore
from tests.fakes.inference import OneModel, ScriptedEngine
from tests.fakes.joined import Joined, running


@pytest.fixture
def engine() -> ScriptedEngine:
    return ScriptedEngine(lambda question: f"You asked this. It was: {question} That is all.")


@pytest.fixture
async def path(engine: ScriptedEngine, tmp_path: Path) -> AsyncIterator[Joined]:
    store = SqlStore.at(f"sqlite:///{tmp_path / 'feedback.sqlite'}")
    async with running(Joined(OneModel(engine)), store) as joined:
        yield joined
