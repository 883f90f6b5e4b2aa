"""The engines as they ship, small enough for a test, and how a test asks them."""

from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import pytest

from headrace.messaging.errors import Retryable
from headrace.models.registry import load_registry
from headrace.models.spec import ModelSpec
from headrace.runtime.paths import infra_dir
from services.inference.adapters.engines.interpreters import interpreter
from services.inference.domain.sampling import Sampling
from services.inference.ports import Chat, Chunk, Engine, GenerationRequest, Prompt

MAX_RUNNING = 4
MAX_QUEUE = 3
CONTEXT_WINDOW = 2048
STORY = "Tell me a long story about a river and the people who live beside it."
# In float32 the numbers do not depend on who else is in the batch.
CHANGES = {"dtype": "float32", "resources": {"max_running": MAX_RUNNING, "kv_cache_gb": 0.3}}
MOCK_TEXT = "{digest} says: the river — naïve, 日本語 and 😀 — runs on. " * 12


def _has_vllm() -> bool:
    """Whether there is a Python that runs it: see `make vllm`."""
    try:
        interpreter("vllm")
    except Retryable:
        return False
    return True


# A download of gigabytes, for a machine with a GPU: after `make vllm` its tests run with the others.
WITHOUT_VLLM = pytest.mark.skipif(not _has_vllm(), reason="no vLLM here: `make vllm`, or HEADRACE_VLLM_PYTHON")


def cores(*, without: str = "") -> list[Any]:
    """Parameters for a test that holds of every core, but one."""
    every = ("mock", "openvino", "transformers", pytest.param("vllm", marks=WITHOUT_VLLM))
    return [core for core in every if core != without]


def spec_for(core: str) -> ModelSpec:
    """A model that this core runs."""
    name = "mock" if core == "mock" else "smollm2-135m-instruct"
    spec = load_registry(infra_dir() / "models").get(name).model_dump()
    limits = {**spec["limits"], "max_queue": MAX_QUEUE, "context_window": CONTEXT_WINDOW}
    changes = {**CHANGES, "limits": limits, "engine": core}
    if core == "mock":
        changes["mock"] = {"text": MOCK_TEXT, "delay_ms": 5}
    return ModelSpec.model_validate({**spec, **changes})


@dataclass(frozen=True)
class Answer:
    """All that was said, piece by piece."""

    chunks: list[Chunk]

    @property
    def text(self) -> str:
        return "".join(chunk.text for chunk in self.chunks)

    @property
    def last(self) -> Chunk:
        return self.chunks[-1]


async def ask(engine: Engine, prompt: Prompt | str = STORY, request_id: str = "request", **sampling: object) -> Answer:
    """The whole answer."""
    asked = Chat((("user", prompt),)) if isinstance(prompt, str) else prompt
    wanted = Sampling(**{"max_tokens": 24, **sampling})  # type: ignore[arg-type]  # the test names its own fields
    request = GenerationRequest(request_id, asked, wanted)
    async with aclosing(engine.generate(request)) as chunks:
        return Answer([chunk async for chunk in chunks])
