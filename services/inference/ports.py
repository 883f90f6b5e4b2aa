"""What inference needs: engines that run models, a ledger of committed answers, a cache of repeatable ones."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Literal, Protocol

from headrace.messaging.errors import Retryable
from headrace.models.spec import ModelSpec
from headrace.stores.answers import AnswerKey, Outcome
from services.inference.domain.admission import Priority
from services.inference.domain.constraint import Constraint
from services.inference.domain.sampling import Sampling
from services.inference.domain.token_log import TokenLogprob

FinishReason = Literal["stop", "length", "cancelled"]


@dataclass(frozen=True, slots=True)
class Chat:
    """A prompt that the engine renders with the model's own template; (role, content) pairs."""

    messages: tuple[tuple[str, str], ...]


# A chat, a text that is rendered already, or its tokens.
Prompt = Chat | str | tuple[int, ...]


@dataclass(frozen=True, slots=True)
class GenerationRequest:
    """One answer asked of an engine; after `deadline_ms` (epoch, 0: never) nobody waits for it."""

    request_id: str
    prompt: Prompt
    sampling: Sampling = field(default_factory=Sampling)
    priority: Priority = "interactive"
    deadline_ms: int = 0
    constraint: Constraint | None = None


@dataclass(frozen=True, slots=True)
class ScoreRequest:
    """A prompt and the answers whose probabilities are wanted."""

    request_id: str
    prompt: Prompt
    labels: tuple[str, ...]
    priority: Priority = "interactive"
    deadline_ms: int = 0


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of an answer. The last one, and only that, has a finish reason; token counts are totals so far.

    A piece without text may come first: from there on the model is at work on the request.
    """

    text: str
    prompt_tokens: int
    completion_tokens: int
    finish_reason: FinishReason | None = None
    # Of the tokens whose text is complete with this piece, where they were asked for.
    logprobs: tuple[TokenLogprob, ...] = ()


@dataclass(frozen=True, slots=True)
class Scores:
    """Probabilities in the order of the labels; they sum to 1. `work_ms`: how long the model was at it."""

    probabilities: tuple[float, ...]
    prompt_tokens: int
    work_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class EmbedRequest:
    """Texts whose vectors are wanted."""

    request_id: str
    texts: tuple[str, ...]
    priority: Priority = "interactive"
    deadline_ms: int = 0


@dataclass(frozen=True, slots=True)
class Vectors:
    """`count` unit vectors, one behind the other: little-endian float32. `tokens`: how many the texts had."""

    packed: bytes
    count: int
    tokens: int


class TooLate(Retryable):
    """The deadline passed before the model had a place for the request, which never reached it."""


class Engine(Protocol):
    """A running model. Errors: `Invalid` for a prompt that cannot fit, `Retryable` when full or gone, `TooLate`."""

    @property
    def name(self) -> str:
        """Which engine it is: openvino, transformers, mock."""
        ...

    def generate(self, request: GenerationRequest) -> AsyncGenerator[Chunk, None]:
        """Stream the answer. Closing the generator cancels the request and frees its slot."""
        ...

    async def score(self, request: ScoreRequest) -> Scores:
        """Score the labels; requests that come together are run together."""
        ...

    async def embed(self, request: EmbedRequest) -> Vectors:
        """Make vectors of texts."""
        ...

    async def cancel(self, request_id: str) -> None:
        """End a request: its stream finishes with reason `cancelled`. An unknown id is no error."""
        ...


class Models(Protocol):
    """Where engines come from: this process, or Ray."""

    async def engine(self, spec: ModelSpec) -> Engine:
        """The engine of this model, started if it is not running yet."""
        ...

    async def check(self) -> None:
        """Return if engines can be reached; else raise with a sentence that says what is missing."""
        ...


@dataclass(frozen=True, slots=True)
class Record:
    """A result that is final: the serialised section, and the status with which the turn ended, if it did (else 0)."""

    section: bytes
    status: int = 0


@dataclass(frozen=True, slots=True)
class Committed:
    """The turn has its result; generating again would only waste a GPU."""

    record: Record
    attempt: int


@dataclass(frozen=True, slots=True)
class Claimed:
    """The turn is ours; what we publish carries this attempt. `again`: an earlier one may have been seen."""

    attempt: int
    again: bool = False


@dataclass(frozen=True, slots=True)
class Busy:
    """Another instance is at work on it, or died and its lease still runs."""

    retry_after_ms: int


Claim = Committed | Claimed | Busy


class Ledger(Protocol):
    """Who works on a turn, and what came of it. Redis away raises `Retryable`."""

    async def claim(self, tenant: str, turn_id: str, floor: int) -> Claim:
        """Take the turn, or learn why not. The attempt is higher than every one that is known, and at least `floor`."""
        ...

    async def renew(self, tenant: str, turn_id: str, attempt: int) -> bool:
        """Keep the lease, also of an attempt that the ledger has not heard of yet; False where it is overtaken."""
        ...

    async def commit(self, tenant: str, turn_id: str, attempt: int, record: Record) -> bool:
        """Make the result final; False where a later attempt has taken over, or another result is final already."""
        ...

    async def release(self, tenant: str, turn_id: str, attempt: int) -> None:
        """Give the turn up, so that the next try need not wait for the lease."""
        ...


class Cache(Protocol):
    """Answers by all that shaped them. Redis away raises `Retryable`."""

    async def get(self, answer: AnswerKey) -> bytes | None:
        """The serialised section, if there is one."""
        ...

    async def put(self, answer: AnswerKey, section: bytes) -> None:
        """Keep the section for a while."""
        ...

    async def begin(self, answer: AnswerKey) -> bool:
        """Whether the answer is ours to make; False while another process makes it."""
        ...

    async def end(self, answer: AnswerKey) -> None:
        """The answer is made, or will not be."""
        ...

    async def count(self, answer: AnswerKey, outcome: Outcome) -> None:
        """Note what came of a look-up."""
        ...
