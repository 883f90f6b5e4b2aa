"""Tokenizers of the registry's chat models, each loaded once."""

import asyncio

from headrace.models.fetch import prepare_tokenizer
from headrace.models.registry import Registry
from headrace.models.tokenizer import ChatTokenizer


class RegistryTokenizers:
    """Loads a model's tokenizer when it is first asked for, without its weights where they can be told apart."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._loaded: dict[str, ChatTokenizer] = {}
        self._lock = asyncio.Lock()

    async def get(self, model: str) -> ChatTokenizer:
        """The tokenizer of this model; `Invalid` where the registry has no such model."""
        if model not in self._loaded:
            spec = self._registry.get(model)
            async with self._lock:
                if model not in self._loaded:
                    folder = await asyncio.to_thread(prepare_tokenizer, spec)
                    self._loaded[model] = await asyncio.to_thread(ChatTokenizer.load, folder)
        return self._loaded[model]
