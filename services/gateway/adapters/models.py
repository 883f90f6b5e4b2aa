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
            self._names = load_registry(self._folder).names_for("chat")
        return self._names
