"""The `Engine` over a core: text to tokens and back, stop strings, admission, cancellation, restart."""

import asyncio
import contextlib
import itertools
import secrets
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path
from typing import Final, assert_never

import structlog

from headrace.messaging.errors import Invalid, Retryable
from headrace.models.spec import ModelSpec
from headrace.models.tokenizer import ChatTokenizer
from services.inference.adapters.engines.core_process import CoreProcess
from services.inference.adapters.engines.wire import Add, Cancel, Event, Failed, Ready, Score, Scored, Start, Tokens
from services.inference.domain.probabilities import among
from services.inference.domain.sampling import room
from services.inference.domain.text_stream import TextStream
from services.inference.ports import Chat, Chunk, FinishReason, GenerationRequest, Prompt, ScoreRequest, Scores

log = structlog.get_logger()

_RETRY_WHEN_FULL_MS: Final = 1000
_SEED_BITS: Final = 31


class ProcessEngine:
    """One model, run by a core in its own process; started again, by the next request, if the process dies."""

    def __init__(self, spec: ModelSpec, folder: Path, *, core: str) -> None:
        self._spec = spec
        self._core = core
        self.tokenizer = ChatTokenizer.load(folder)
        start = Start(spec=spec, folder=str(folder), core=core, eos_id=self.tokenizer.eos_id)
        self._process = CoreProcess(start, on_event=self._deliver, on_exit=self._fail_all)
        self._starting = asyncio.Lock()
        self._slots = asyncio.Semaphore(spec.resources.max_running)
        self._waiting = 0
        # By the id within the core: two attempts at one turn may overlap, and must not share a stream.
        self._inboxes: dict[str, asyncio.Queue[Event | None]] = {}
        self._numbers = itertools.count()

    @property
    def name(self) -> str:
        return self._core

    @property
    def running(self) -> int:
        """Requests that hold a slot now."""
        return len(self._inboxes)

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
        async with self._slot(request.request_id) as (number, inbox):
            self._process.send(
                Add(
                    request_id=number,
                    prompt=prompt,
                    max_tokens=limit,
                    temperature=sampling.temperature,
                    top_p=sampling.top_p,
                    # What every engine takes: any 64-bit number of a client is folded into it.
                    seed=secrets.randbits(_SEED_BITS) if sampling.seed is None else sampling.seed % (1 << _SEED_BITS),
                    repetition_penalty=sampling.repetition_penalty,
                )
            )
            text = TextStream(self.tokenizer.decode, sampling.stop)
            completed = 0
            finish: FinishReason | None = None
            while finish is None:
                match await inbox.get():
                    case None:
                        piece, finish = text.finish(), "cancelled"
                    case Tokens(ids=ids, finish=ended):
                        completed += len(ids)
                        piece = text.push(ids) + (text.finish() if ended else "")
                        finish = "stop" if text.stopped else ended
                    case event:
                        raise self._broken(event)
                if piece or finish:
                    yield Chunk(piece, len(prompt), completed, finish)

    async def score(self, request: ScoreRequest) -> Scores:
        prompt = self._tokens(request.prompt)
        labels = [self.tokenizer.encode(label) for label in request.labels]
        if not labels or not all(labels):
            raise Invalid("a classification needs labels, none of them empty", code="labels_missing", field="labels")
        if len(prompt) + max(map(len, labels)) >= self._spec.limits.context_window:
            raise self._too_long(len(prompt))
        async with self._slot(request.request_id) as (number, inbox):
            self._process.send(Score(number, prompt, labels))
            match await inbox.get():
                case Scored(log_likelihoods=likelihoods):
                    return Scores(among(likelihoods), len(prompt))
                case event:
                    raise self._broken(event)

    async def cancel(self, request_id: str) -> None:
        for number, inbox in self._inboxes.items():
            if number.rpartition("#")[0] == request_id:
                inbox.put_nowait(None)

    @contextlib.asynccontextmanager
    async def _slot(self, request_id: str) -> AsyncIterator[tuple[str, asyncio.Queue[Event | None]]]:
        """Wait for a slot, within the queue's bound; leaving frees it in the core as well."""
        if self._slots.locked() and self._waiting >= self._spec.limits.max_queue:
            raise Retryable(
                f"model {self._spec.name} is full: its queue of {self._spec.limits.max_queue} is taken",
                retry_after_ms=_RETRY_WHEN_FULL_MS,
            )
        self._waiting += 1
        try:
            await self._slots.acquire()
        finally:
            self._waiting -= 1
        number = f"{request_id}#{next(self._numbers)}"
        inbox: asyncio.Queue[Event | None] = asyncio.Queue()
        try:
            await self.start()
            self._inboxes[number] = inbox
            yield number, inbox
        finally:
            self._inboxes.pop(number, None)
            # A core that has finished with it already ignores this.
            self._process.send(Cancel(number))
            self._slots.release()

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
        if not isinstance(event, Ready) and (inbox := self._inboxes.get(event.request_id)) is not None:
            inbox.put_nowait(event)

    def _fail_all(self) -> None:
        for number, inbox in self._inboxes.items():
            inbox.put_nowait(Failed(number, "its engine's process ended"))

    def _broken(self, event: Event | None) -> Retryable:
        reason = event.message if isinstance(event, Failed) else "cancelled"
        return Retryable(f"model {self._spec.name}: {reason}")

    def _too_long(self, tokens: int) -> Invalid:
        window = self._spec.limits.context_window
        return Invalid(
            f"the prompt has {tokens} tokens; model {self._spec.name} takes {window}, its answer included: shorten it",
            code="prompt_too_long",
            field="text",
        )
