"""The `Engine` over a core that classifies: a text in, probabilities of the classes that were asked for out."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

from headrace.messaging.clock import Clock
from headrace.messaging.errors import Invalid
from headrace.models.spec import ModelSpec
from services.inference.adapters.engines.hosted_engine import HostedEngine
from services.inference.adapters.engines.slots import MadeWay
from services.inference.adapters.engines.wire import Classify, Ready, Scored
from services.inference.domain.probabilities import among
from services.inference.ports import Chat, Chunk, GenerationRequest, Prompt, ScoreRequest, Scores

# About so many characters are a token: what a text takes is known only once it is read.
_CHARACTERS_A_TOKEN = 4


class ClassifierEngine(HostedEngine):
    """A model that knows its own classes and no others."""

    def __init__(self, spec: ModelSpec, folder: Path, *, core: str, clock: Clock | None = None) -> None:
        super().__init__(spec, folder, core=core, eos_id=None, clock=clock)
        self._labels: tuple[str, ...] = ()

    def generate(self, request: GenerationRequest) -> AsyncGenerator[Chunk, None]:
        raise Invalid(
            f"model {self._spec.name} classifies texts, it writes none: use a chat model",
            code="unknown_model",
            field="model",
        )

    async def score(self, request: ScoreRequest) -> Scores:
        text = self._text(request.prompt)
        clock = asyncio.get_running_loop().time
        async with self._seat(request, len(text) // _CHARACTERS_A_TOKEN) as seat:
            while True:
                async with self._at_work(seat) as number:
                    columns = self._columns(request.labels)
                    began = clock()
                    self._send(Classify(number, text))
                    match await seat.news(number):
                        case MadeWay():
                            pass
                        case Scored(log_likelihoods=said, tokens=tokens):
                            probabilities = among([said[column] for column in columns])
                            return Scores(probabilities, tokens, (clock() - began) * 1000)
                        case event:
                            raise self._broken(event)

    def _loaded(self, ready: Ready) -> None:
        self._labels = ready.labels

    def _columns(self, asked: tuple[str, ...]) -> list[int]:
        places = {label.casefold(): place for place, label in enumerate(self._labels)}
        try:
            return [places[label.casefold()] for label in asked]
        except KeyError:
            known = ", ".join(self._labels)
            raise Invalid(
                f"model {self._spec.name} knows the labels {known}: leave labels out, or use a chat model for others",
                code="unknown_label",
                field="labels",
            ) from None

    def _text(self, prompt: Prompt) -> str:
        match prompt:
            case Chat(messages) if messages:
                return messages[-1][1]
            case str():
                return prompt
            case _:
                raise Invalid("a classifier takes a text, not tokens", code="empty", field="text")
