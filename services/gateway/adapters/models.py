"""The models of the registry that a client may name."""

from collections.abc import Sequence
from pathlib import Path

from headrace.models.registry import Registry, load_registry
from headrace.models.spec import ModelSpec
from services.gateway.ports import ListedModel

# In the order in which they are listed; classifiers are asked by reviews alone.
_TASKS = ("chat", "embed")


class RegisteredModels:
    """Reads `infra/models` when first asked."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._listed: tuple[ListedModel, ...] | None = None

    def listed(self) -> Sequence[ListedModel]:
        """By task, then by name; what only plays a model comes last."""
        if self._listed is None:
            self._listed = _listed(load_registry(self._folder))
        return self._listed


def _listed(registry: Registry) -> tuple[ListedModel, ...]:
    specs = [registry.get(name) for task in _TASKS for name in registry.names_for(task)]
    specs.sort(key=_of_last_resort)
    return tuple(ListedModel(spec.name, spec.task, spec.limits.context_window) for spec in specs)


def _of_last_resort(spec: ModelSpec) -> tuple[bool, bool]:
    """What only plays a model, and before that what is not here until it is named."""
    return spec.engine == "mock", spec.on_demand
