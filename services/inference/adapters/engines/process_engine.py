"""The `Engine` over a core: text to tokens and back, stop strings, cancellation, restart."""

import asyncio
import contextlib
import itertools
import secrets
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Final, assert_never

import structlog

from headrace.messaging.clock import Clock, SystemClock
from headrace.messaging.errors import Invalid, Retryable
from headrace.models.spec import ModelSpec
from headrace.models.tokenizer import ChatTokenizer
from services.inference.adapters.engines.core_process import CoreProcess
from services.inference.adapters.engines.slots import Cancelled, MadeWay, News, Seat, Slots
from services.inference.adapters.engines.wire import Add, Cancel, Event, Failed, Ready, Score, Scored, Start, Tokens
from services.inference.domain.admission import Ask
from services.inference.domain.probabilities import among
from services.inference.domain.sampling import Sampling, room
from services.inference.domain.text_stream import TextStream
from services.inference.ports import Chat, Chunk, FinishReason, GenerationRequest, Prompt, ScoreRequest, Scores

log = structlog.get_logger()

_SEED_BITS: Final = 31


class ProcessEngine:
    """One model, run by a core in its own process; started again, by the next request, if the process dies."""

    def __init__(self, spec: ModelSpec, folder: Path, *, core: str, clock: Clock | None = None) -> None:
        self._spec = spec
        self._core = core
        self.tokenizer = ChatTokenizer.load(folder)
        start = Start(spec=spec, folder=str(folder), core=core, eos_id=self.tokenizer.eos_id)
        self._process = CoreProcess(start, on_event=self._deliver, on_exit=self._fail_all)
        self._starting = asyncio.Lock()
        self._slots = Slots(spec, clock or SystemClock())
        # Within the core each try of each request has an id of its own: two attempts at one turn may overlap.
        self._numbers = itertools.count()

    @property
    def name(self) -> str:
        return self._core

    @property
    def running(self) -> int:
        """Requests that hold a slot now."""
        return self._slots.running

    @property
    def waiting(self) -> int:
        """Requests that wait for one."""
        return self._slots.waiting

    @property
    def core_pid(self) -> int | None:
        """The process of the core, while there is one."""
        return self._process.pid

    async def start(self) -> None:
        """Load the model; `Retryable` if it cannot be."""
        async with self._starting:
            if not self._process.alive:
                ready: Ready = await self._process.start()
                log.info(
                    "model loaded",
                    model=self._spec.name,
                    engine=self._core,
                    device=ready.device,
                    seconds=ready.load_seconds,
                )

    async def close(self) -> None:
        """End the core; requests at work fail as retryable."""
        await self._process.close()
        self._fail_all()

    async def generate(self, request: GenerationRequest) -> AsyncGenerator[Chunk, None]:
        prompt = self._tokens(request.prompt)
        sampling = request.sampling
        limit = room(sampling, prompt_tokens=len(prompt), context_window=self._spec.limits.context_window)
        if limit <= 0:
            raise self._too_long(len(prompt))
        async with self._slots.seat(self._ask(request, len(prompt))) as seat:
            while True:
                async with self._at_work(seat) as number:
                    self._process.send(
                        Add(
                            request_id=number,
                            prompt=prompt,
                            max_tokens=limit,
                            temperature=sampling.temperature,
                            top_p=sampling.top_p,
                            seed=_seed(sampling),
                            repetition_penalty=sampling.repetition_penalty,
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
        completed = 0
        finish: FinishReason | None = None
        while finish is None:
            match await seat.news(number):
                case MadeWay():
                    return
                case Cancelled():
                    piece, finish = text.finish(), "cancelled"
                case Tokens(ids=ids, finish=ended):
                    completed += len(ids)
                    piece = text.push(ids) + (text.finish() if ended else "")
                    finish = "stop" if text.stopped else ended
                case event:
                    raise self._broken(event)
            if piece or finish:
                yield Chunk(piece, prompt_tokens, completed, finish)

    async def score(self, request: ScoreRequest) -> Scores:
        prompt = self._tokens(request.prompt)
        labels = [self.tokenizer.encode(label) for label in request.labels]
        if not labels or not all(labels):
            raise Invalid("a classification needs labels, none of them empty", code="labels_missing", field="labels")
        if len(prompt) + max(map(len, labels)) >= self._spec.limits.context_window:
            raise self._too_long(len(prompt))
        clock = asyncio.get_running_loop().time
        async with self._slots.seat(self._ask(request, len(prompt) + sum(map(len, labels)))) as seat:
            while True:
                async with self._at_work(seat) as number:
                    began = clock()
                    self._process.send(Score(number, prompt, labels))
                    match await seat.news(number):
                        case MadeWay():
                            pass
                        case Scored(log_likelihoods=likelihoods):
                            return Scores(among(likelihoods), len(prompt), (clock() - began) * 1000)
                        case event:
                            raise self._broken(event)

    async def cancel(self, request_id: str) -> None:
        self._slots.cancel(f"{request_id}#")

    def abandon(self, client: str) -> None:
        """End all requests whose names begin with this."""
        self._slots.cancel(client)

    def _ask(self, request: GenerationRequest | ScoreRequest, tokens: int) -> Ask:
        name = f"{request.request_id}#{next(self._numbers)}"
        return Ask(name, request.priority, tokens, request.deadline_ms)

    @contextlib.asynccontextmanager
    async def _at_work(self, seat: Seat) -> AsyncIterator[str]:
        """The request's id within the core, once it has a slot; leaving frees what it holds there."""
        await self._slots.granted(seat)
        await self.start()
        # Loading may have taken all the time there was.
        self._slots.check(seat)
        number = f"{seat.ask.number}/{next(self._numbers)}"
        try:
            yield number
        finally:
            # A core that has finished with it already ignores this.
            self._process.send(Cancel(number))

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

    def _deliver(self, event: Event) -> None:
        if not isinstance(event, Ready):
            self._slots.tell(event.request_id.rpartition("/")[0], event)

    def _fail_all(self) -> None:
        self._slots.tell_running(Failed("", "its engine's process ended"))

    def _broken(self, news: News) -> Retryable:
        reason = news.message if isinstance(news, Failed) else "cancelled"
        return Retryable(f"model {self._spec.name}: {reason}")

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
