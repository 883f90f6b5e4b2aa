"""The chat models of the registry."""

from collections.abc import Sequence
from pathlib import Path

from headrace.models.registry import load_registry


class RegisteredModels:
    """Reads `infra/models` when first asked."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._names: tuple[str, ...] | None = None

    def names(self) -> Sequence[str]:
        """The chat models, sorted."""
        if self._names is None:
            registry = load_registry(self._folder)
            self._names = tuple(name for name in registry.names if registry.get(name).task == "chat")
        return self._names
