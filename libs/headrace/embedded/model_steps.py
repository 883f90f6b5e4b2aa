"""The weights of a stack: fetched before the services that want them, trained once everybody else is up."""

import sys
from pathlib import Path
from typing import Final

from headrace.embedded.part import Step
from headrace.embedded.step import Note, run_step
from headrace.models.fetch import is_prepared
from headrace.models.registry import load_registry
from headrace.models.spec import TrainedSource
from headrace.runtime.paths import infra_dir

MODELS: Final = "models"
TRAINING: Final = "classifiers"

_PULL: Final = (sys.executable, "-m", "headrace.cli.main", "models", "pull")
_LOG: Final = "models.log"


def fetching(logs: Path, note: Note) -> Step:
    """All weights but those that are fetched when they are named, and those that are trained here."""

    async def pull() -> str:
        command = (*_PULL, "--without-training")
        await run_step(MODELS, command, logs / _LOG, lambda line: note(MODELS, line))
        return "on this machine"

    return Step(MODELS, pull)


def training(logs: Path, note: Note) -> Step:
    """What is trained here, as nobody's hurry: what somebody asks meanwhile goes first."""

    async def pull() -> str:
        # Known in a moment, while the command takes a second.
        if _untrained():
            command = ("nice", "-n", "10", *_PULL)
            await run_step(TRAINING, command, logs / _LOG, lambda line: note(TRAINING, line))
        return "trained"

    return Step(TRAINING, pull)


def _untrained() -> bool:
    registry = load_registry(infra_dir() / "models")
    models = [registry.get(name) for name in registry.names]
    return any(isinstance(model.source, TrainedSource) and not is_prepared(model) for model in models)
