"""The engine for a model: which core it runs on here, and what stands over that core."""

from pathlib import Path

from headrace.models.spec import ModelSpec
from services.inference.adapters.engines.classifier_engine import ClassifierEngine
from services.inference.adapters.engines.hardware import choose_core
from services.inference.adapters.engines.process_engine import ProcessEngine

HostedEngines = ProcessEngine | ClassifierEngine


def open_engine(spec: ModelSpec, folder: Path, *, gpu: bool) -> HostedEngines:
    """Not started yet: its first request does that, or whoever cannot wait for one."""
    core = choose_core(spec, folder, gpu=gpu)
    return (
        ClassifierEngine(spec, folder, core=core) if spec.task == "classify" else ProcessEngine(spec, folder, core=core)
    )
