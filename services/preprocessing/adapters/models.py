"""Models from the registry, counted by their own tokenizers."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final

from headrace.models.fetch import prepare_tokenizer
from headrace.models.registry import Registry
from headrace.models.tokenizer import ChatTokenizer
from headrace.prompts.template import Label, Message
from services.preprocessing.domain.budget import Window
from services.preprocessing.ports import Model, Task

# The registry's words for what a model must do.
TASKS: Final[Mapping[Task, tuple[str, ...]]] = {
    "chat": ("chat",),
    "label": ("chat", "classify"),
    "embed": ("embed",),
}


class RegistryModels:
    """Loads a tokenizer once, when its model is first asked for, off the event loop."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._tokenizers: dict[str, asyncio.Task[ChatTokenizer]] = {}

    async def get(self, name: str, *, task: Task = "chat") -> Model:
        spec = self._registry.get(name, task=TASKS[task])
        window = Window(spec.limits.context_window, spec.limits.max_new_tokens)
        labels = tuple(Label(label.name, label.description) for label in spec.labels)
        return Model(spec.name, spec.revision, window, labels, spec.label_template or "")

    async def count(self, model: Model, messages: Sequence[Message]) -> int:
        tokenizer = await self.tokenizer(model.name)
        chat = [(message.role, message.content) for message in messages]
        return await asyncio.to_thread(tokenizer.count_messages, chat)

    async def tokenizer(self, name: str) -> ChatTokenizer:
        """The tokenizer of a model, fetched if it is not here yet; whoever asks meanwhile waits for the same load."""
        loading = self._tokenizers.get(name)
        if loading is None or (loading.done() and loading.exception() is not None):
            loading = self._tokenizers[name] = asyncio.create_task(self._load(name))
        # A turn that gives up waiting must not stop the load for the others.
        return await asyncio.shield(loading)

    async def _load(self, name: str) -> ChatTokenizer:
        folder = await asyncio.to_thread(prepare_tokenizer, self._registry.get(name))
        return await asyncio.to_thread(ChatTokenizer.load, folder)
