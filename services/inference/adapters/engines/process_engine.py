"""The `Engine` over a core that writes: text to tokens and back, stop strings, labels as continuations."""

import asyncio
import secrets
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from typing import Final, assert_never

from headrace.messaging.clock import Clock
from headrace.messaging.errors import Invalid
from headrace.models.spec import ModelSpec
from headrace.models.tokenizer import ChatTokenizer
from services.inference.adapters.engines.grammars import grammar_of
from services.inference.adapters.engines.hosted_engine import HostedEngine
from services.inference.adapters.engines.slots import Cancelled, MadeWay, Seat
from services.inference.adapters.engines.wire import Add, Score, Scored, Tokens
from services.inference.domain.probabilities import among
from services.inference.domain.sampling import Sampling, room
from services.inference.domain.text_stream import TextStream
from services.inference.domain.token_log import Likely, TokenLog, TokenLogprob
from services.inference.ports import Chat, Chunk, FinishReason, GenerationRequest, Prompt, ScoreRequest, Scores

_SEED_BITS: Final = 31


class ProcessEngine(HostedEngine):
    """A chat model: answers as streams, labels scored as what might come next."""

    def __init__(
        self, spec: ModelSpec, folder: Path, *, core: str, clock: Clock | None = None, adapter: Path | None = None
    ) -> None:
        self.tokenizer = ChatTokenizer.load(folder)
        super().__init__(spec, folder, core=core, eos_id=self.tokenizer.eos_id, clock=clock, adapter=adapter)

    async def generate(self, request: GenerationRequest) -> AsyncGenerator[Chunk, None]:
        prompt = self._tokens(request.prompt)
        sampling = request.sampling
        grammar = ""
        self._can_tell(sampling.logprobs)
        if request.constraint is not None:
            self._can_constrain()
            # Not in the core, where all others would wait for it; the first one loads torch.
            grammar = await asyncio.to_thread(grammar_of, request.constraint)
        limit = room(sampling, prompt_tokens=len(prompt), context_window=self._spec.limits.context_window)
        if limit <= 0:
            raise self._too_long(len(prompt))
        async with self._seat(request, len(prompt)) as seat:
            while True:
                async with self._at_work(seat) as number:
                    self._send(
                        Add(
                            request_id=number,
                            prompt=prompt,
                            max_tokens=limit,
                            temperature=sampling.temperature,
                            top_p=sampling.top_p,
                            seed=_seed(sampling),
                            # What a grammar asks for again and again, such as quotation marks, is no repetition.
                            repetition_penalty=1.0 if grammar else sampling.repetition_penalty,
                            grammar=grammar,
                            logprobs=sampling.logprobs,
                        )
                    )
                    yield Chunk("", len(prompt), 0)
                    async with aclosing(self._said(seat, number, sampling, len(prompt))) as chunks:
                        async for chunk in chunks:
                            yield chunk
                            if chunk.finish_reason:
                                return

    async def _said(
        self, seat: Seat, number: str, sampling: Sampling, prompt_tokens: int
    ) -> AsyncGenerator[Chunk, None]:
        """The pieces of an answer; they end without a reason where the request made way before its first token."""
        text = TextStream(self.tokenizer.decode, sampling.stop)
        likely = TokenLog()
        completed = 0
        finish: FinishReason | None = None
        while finish is None:
            match await seat.news(number):
                case MadeWay():
                    return
                case Cancelled():
                    piece, finish = text.finish(), "cancelled"
                case Tokens(ids=ids, finish=ended) as tokens:
                    completed += len(ids)
                    likely.add(self._likelihoods(tokens))
                    piece = text.push(ids) + (text.finish() if ended else "")
                    finish = "stop" if text.stopped else ended
                case event:
                    raise self._broken(event)
            if piece or finish:
                yield Chunk(piece, prompt_tokens, completed, finish, likely.shown(piece, last=finish is not None))

    async def score(self, request: ScoreRequest) -> Scores:
        prompt = self._tokens(request.prompt)
        labels = [self.tokenizer.encode(label) for label in request.labels]
        if not labels or not all(labels):
            raise Invalid("a classification needs labels, none of them empty", code="labels_missing", field="labels")
        if len(prompt) + max(map(len, labels)) >= self._spec.limits.context_window:
            raise self._too_long(len(prompt))
        clock = asyncio.get_running_loop().time
        async with self._seat(request, len(prompt) + sum(map(len, labels))) as seat:
            while True:
                async with self._at_work(seat) as number:
                    began = clock()
                    self._send(Score(number, prompt, labels))
                    match await seat.news(number):
                        case MadeWay():
                            pass
                        case Scored(log_likelihoods=likelihoods):
                            return Scores(among(likelihoods), len(prompt), (clock() - began) * 1000)
                        case event:
                            raise self._broken(event)

    def _tokens(self, prompt: Prompt) -> list[int]:
        match prompt:
            case Chat(messages):
                return self.tokenizer.encode(self.tokenizer.render(messages))
            case str():
                return self.tokenizer.encode(prompt)
            case tuple():
                return list(prompt)
            case never:
                assert_never(never)

    def _likelihoods(self, tokens: Tokens) -> list[TokenLogprob]:
        read = self.tokenizer.token_bytes
        top = tokens.top or [[]] * len(tokens.logprobs)
        return [
            TokenLogprob(Likely(read(drawn), logprob), tuple(Likely(read(other), value) for other, value in others))
            for drawn, logprob, others in zip(tokens.ids, tokens.logprobs, top, strict=False)
        ]

    def _can_tell(self, alternatives: int | None) -> None:
        if alternatives is None:
            return
        if self._core == "mock":
            message = f"model {self._spec.name} says a fixed text, nothing of it is probable: name another model"
            raise Invalid(message, code="unsupported_parameter", field="logprobs")
        if alternatives and self._core == "openvino":
            raise Invalid(
                f"model {self._spec.name} runs on openvino, which tells the drawn token's probability alone: leave "
                "top_logprobs out, or have the model run on transformers",
                code="unsupported_parameter",
                field="top_logprobs",
            )

    def _can_constrain(self) -> None:
        if self._core == "mock":
            raise Invalid(
                f"model {self._spec.name} says a fixed text and keeps to no form: name another model",
                code="unsupported_parameter",
                field="response_format",
            )

    def _too_long(self, tokens: int) -> Invalid:
        window = self._spec.limits.context_window
        return Invalid(
            f"the prompt has {tokens} tokens; model {self._spec.name} takes {window}, its answer included: shorten it",
            code="prompt_too_long",
            field="text",
        )


def _seed(sampling: Sampling) -> int:
    """What every engine takes: any 64-bit number of a client is folded into it."""
    return secrets.randbits(_SEED_BITS) if sampling.seed is None else sampling.seed % (1 << _SEED_BITS)
