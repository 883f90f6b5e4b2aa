"""The `Engine` over a core that embeds: texts in, vectors out."""

import asyncio
import base64
from collections.abc import AsyncGenerator
from pathlib import Path

from headrace.messaging.clock import Clock
from headrace.messaging.errors import Invalid
from headrace.models.encoder_tokenizer import EncoderTokenizer
from headrace.models.spec import ModelSpec
from services.inference.adapters.engines.hosted_engine import HostedEngine
from services.inference.adapters.engines.slots import MadeWay
from services.inference.adapters.engines.wire import Embed, Embedded
from services.inference.ports import Chunk, EmbedRequest, GenerationRequest, ScoreRequest, Scores, Vectors


class EmbeddingEngine(HostedEngine):
    """An encoder of sentences. A text that it could not read to its end is refused, not cut."""

    def __init__(self, spec: ModelSpec, folder: Path, *, core: str, clock: Clock | None = None) -> None:
        super().__init__(spec, folder, core=core, eos_id=None, clock=clock)
        self._tokenizer = EncoderTokenizer.load(folder)

    async def embed(self, request: EmbedRequest) -> Vectors:
        tokens = await asyncio.to_thread(self._count, request.texts)
        async with self._seat(request, tokens) as seat:
            while True:
                async with self._at_work(seat) as number:
                    self._send(Embed(number, list(request.texts)))
                    match await seat.news(number):
                        case MadeWay():
                            pass
                        case Embedded(vectors=vectors):
                            return Vectors(base64.b64decode(vectors), len(request.texts), tokens)
                        case event:
                            raise self._broken(event)

    def generate(self, request: GenerationRequest) -> AsyncGenerator[Chunk, None]:
        raise self._only_embeds()

    async def score(self, request: ScoreRequest) -> Scores:
        raise self._only_embeds()

    def _count(self, texts: tuple[str, ...]) -> int:
        total = 0
        # Two of them are the marks at its ends.
        most = self._tokenizer.max_tokens - 2
        for index, text in enumerate(texts):
            tokens = self._tokenizer.count(text)
            if tokens > most:
                message = f"input[{index}] has {tokens} tokens; model {self._spec.name} reads {most}: send it in parts"
                raise Invalid(message, code="too_long", field=f"input[{index}]")
            total += tokens
        return total

    def _only_embeds(self) -> Invalid:
        message = f"model {self._spec.name} makes vectors, it writes nothing: use a chat model"
        return Invalid(message, code="unknown_model", field="model")
