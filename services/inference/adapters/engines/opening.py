"""The engine for a model: which core it runs on here, and what stands over that core."""

from pathlib import Path
from typing import assert_never

from headrace.messaging.errors import Fatal
from headrace.models.fetch import prepare
from headrace.models.spec import ModelSpec
from services.inference.adapters.engines.classifier_engine import ClassifierEngine
from services.inference.adapters.engines.embedding_engine import EmbeddingEngine
from services.inference.adapters.engines.hardware import choose_core
from services.inference.adapters.engines.process_engine import ProcessEngine

HostedEngines = ProcessEngine | ClassifierEngine | EmbeddingEngine


def open_engine(spec: ModelSpec, folder: Path, *, gpu: bool) -> HostedEngines:
    """Not started yet: its first request does that, or whoever cannot wait for one."""
    if isinstance(spec.base, ModelSpec):
        weights = prepare(spec.base)
        return ProcessEngine(spec, weights, core=choose_core(spec, weights, gpu=gpu), adapter=folder)
    core = choose_core(spec, folder, gpu=gpu)
    match spec.task:
        case "chat":
            return ProcessEngine(spec, folder, core=core)
        case "classify":
            return ClassifierEngine(spec, folder, core=core)
        case "embed":
            return EmbeddingEngine(spec, folder, core=core)
        case "tag":
            raise Fatal(f"model {spec.name} labels tokens: the service that reads them runs it by itself")
        case never:
            assert_never(never)
