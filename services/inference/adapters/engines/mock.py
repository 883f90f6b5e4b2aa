"""A core without a model: says a fixed text at a fixed pace. For load tests, and for tests that need no judgement."""

import hashlib
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from headrace.models.spec import ModelSpec
from headrace.models.tokenizer import ChatTokenizer
from services.inference.adapters.engines.wire import Add, Event, Finish, Score, Scored, Tokens

# Stands in the text for eight digits that differ from prompt to prompt: two answers that got mixed up show it.
DIGEST = "{digest}"


@dataclass(slots=True)
class _Speech:
    words: list[list[int]]
    left: int
    due: float


class MockCore:
    """Deterministic: the same prompt gets the same text, the same labels the same scores."""

    device = "mock"

    def __init__(self, spec: ModelSpec, folder: Path) -> None:
        if spec.mock is None:
            raise AssertionError("the spec's validator lets no mock engine pass without its text")
        self._options = spec.mock
        self._tokenizer = ChatTokenizer.load(folder)
        self._speeches: dict[str, _Speech] = {}
        self._scores: list[Score] = []
        time.sleep(spec.mock.load_seconds)

    @property
    def busy(self) -> bool:
        return bool(self._speeches or self._scores)

    def add(self, request: Add) -> None:
        text = self._options.text.replace(DIGEST, _digest(request.prompt))
        words = [self._tokenizer.encode(word) for word in re.findall(r"\s*\S+", text)]
        self._speeches[request.request_id] = _Speech(words, request.max_tokens, self._next())

    def score(self, request: Score) -> None:
        self._scores.append(request)

    def cancel(self, request_id: str) -> None:
        self._speeches.pop(request_id, None)
        self._scores = [score for score in self._scores if score.request_id != request_id]

    def step(self) -> Iterable[Event]:
        """A word of every speech that is due; waits for the first to be."""
        for score in self._scores:
            yield Scored(score.request_id, [_likelihood(score.prompt, label) for label in score.labels])
        self._scores.clear()
        if not self._speeches:
            return
        time.sleep(max(0.0, min(speech.due for speech in self._speeches.values()) - time.monotonic()))
        now = time.monotonic()
        for request_id, speech in [item for item in self._speeches.items() if item[1].due <= now]:
            word = speech.words.pop(0)[: speech.left]
            speech.left -= len(word)
            speech.due = self._next()
            finish = _finish(speech)
            if finish:
                del self._speeches[request_id]
            yield Tokens(request_id, word, finish)

    def close(self) -> None:
        self._speeches.clear()

    def _next(self) -> float:
        return time.monotonic() + self._options.delay_ms / 1000


def _finish(speech: _Speech) -> Finish | None:
    if not speech.left:
        return "length"
    return None if speech.words else "stop"


def _digest(ids: list[int]) -> str:
    return hashlib.sha256(repr(ids).encode()).hexdigest()[:8]


def _likelihood(prompt: list[int], label: list[int]) -> list[float]:
    """The label that stands last in the prompt is the likeliest, one that does not stand there the least."""
    places = range(len(prompt) - len(label), -1, -1)
    last = next((place for place in places if prompt[place : place + len(label)] == label), -1)
    return [-(len(prompt) - last) / max(1, len(prompt)) * 5.0]
