"""Prompts on their way into OpenVINO's pipeline: in pieces that one step reads to their end.

openvino-genai 2026.4.1 keeps blocks of keys and values for whoever comes with the same tokens, and is wrong twice about
what is in them:

* It splits a prompt wherever the step is full, and calls the block at the split complete. Where its request is
  cancelled then, the next one with the same beginning gets numbers that were never computed: of 30 questions that were
  cancelled while they were read and asked again, 22 had another answer. So nothing is submitted that a step does not
  read to its end.
* Two requests that go on from the same half-full block both write into it (`BlockManager::append_slots` copies a shared
  block only where what is new fits in, and it is found by its old name while it is filled): follow-ups of two people
  to the same answer had words of each other's. So what a request left half full is filled up, with tokens with which
  nobody goes on, before the first one goes on from there.
"""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from services.inference.adapters.engines.wire import Add

# Tokens in a block of the KV cache on a CPU.
BLOCK_TOKENS: Final = 32
# Beside whatever decodes there is room for a block of a prompt, or for the rest of one and the filling of another.
LEAST_ROOM: Final = 3 * BLOCK_TOKENS
_FILLING: Final = 0
# More than the KV cache can hold of half-full blocks.
_REMEMBERED: Final = 65_536
_FACTOR: Final = 1_000_003
_BITS: Final = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class Piece:
    """The beginning of a prompt, only to be read."""

    ids: list[int]


@dataclass(slots=True)
class _Waiting:
    request: Add
    # One for each beginning of the prompt.
    digests: list[int]
    # Of its tokens: those that are in the KV cache.
    read: int = 0


class PromptQueue:
    """In the order in which they came: a step takes what it can read whole, and of a longer one whole blocks."""

    def __init__(self, step_tokens: int) -> None:
        self._step_tokens = step_tokens
        self._waiting: OrderedDict[str, _Waiting] = OrderedDict()
        # Where requests ended in a half-full block; those that did since the last step are freed with the next one.
        self._ends: OrderedDict[int, None] = OrderedDict()
        self._not_freed: set[int] = set()

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def add(self, request: Add) -> None:
        self._waiting[request.request_id] = _Waiting(request, _digests(request.prompt))

    def cancel(self, request_id: str) -> None:
        """Forget a request that waits, if it does."""
        self._waiting.pop(request_id, None)

    def ended(self, prompt: list[int], answer: list[int]) -> None:
        """A request is over. Its last token was drawn, and nothing computed from it."""
        content = prompt + answer[:-1]
        if len(content) % BLOCK_TOKENS:
            digest = _digests(content)[-1]
            self._ends[digest] = None
            self._ends.move_to_end(digest)
            self._not_freed.add(digest)
            if len(self._ends) > _REMEMBERED:
                self._ends.popitem(last=False)

    def due(self, decoding: int) -> Iterator[Add | Piece]:
        """What goes into the next step beside so many that only decode."""
        not_freed, self._not_freed = self._not_freed, set()
        room = self._step_tokens - decoding
        while self._waiting:
            first = next(iter(self._waiting.values()))
            prompt = first.request.prompt
            end = self._next_end(first)
            filling = [_FILLING] * (BLOCK_TOKENS - end % BLOCK_TOKENS + 1) if end else []
            goal = end or len(prompt)
            if goal - first.read + len(filling) > room:
                whole = min(room // BLOCK_TOKENS * BLOCK_TOKENS, goal // BLOCK_TOKENS * BLOCK_TOKENS - first.read)
                if whole > 0:
                    first.read += whole
                    yield Piece(prompt[: first.read])
                return
            if end:
                digest = first.digests[end - 1]
                if digest not in not_freed:
                    del self._ends[digest]
                    first.read = end // BLOCK_TOKENS * BLOCK_TOKENS
                    yield Piece(prompt[:end] + filling)
                return
            room -= goal - first.read
            self._waiting.popitem(last=False)
            yield first.request

    def _next_end(self, waiting: _Waiting) -> int:
        """How much of the prompt is before the next half-full block of another's from which it would go on; 0: none."""
        rest = enumerate(waiting.digests[waiting.read :], waiting.read + 1)
        return next((length for length, digest in rest if digest in self._ends), 0) if self._ends else 0


def _digests(ids: list[int]) -> list[int]:
    """One for each beginning of the tokens. Two that are the same by chance cost a step of waiting."""
    digest, digests = 0, []
    for token in ids:
        digest = (digest * _FACTOR + token + 1) & _BITS
        digests.append(digest)
    return digests
