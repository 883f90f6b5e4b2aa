"""Label scoring on OpenVINO: prompts are read, then every label is echoed behind its prompt, never both in one step.

An echo has the probabilities of all that is computed with it, over the whole vocabulary, which costs half as much again
as reading does: so the prompt's whole blocks are read before without one, and the echo finds them in the prefix cache.
openvino-genai 2026.4.1 reads the probabilities of an echo from wrong rows where a sequence of the same step does not
echo (`_fill_prompt_log_probs` passes over the rows of the others without counting them): hence a pipeline where nobody
is answered, and steps that read or echo. What a step takes on is done with it, for the reasons in `openvino_prompts`.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final

import numpy as np
import openvino
import openvino_genai

from services.inference.adapters.engines.openvino_prompts import BLOCK_TOKENS
from services.inference.adapters.engines.wire import Event, Failed, Score, Scored

# More than the KV cache can hold sequences: whatever it still knows has its scores here.
_REMEMBERED: Final = 65_536


@dataclass(slots=True)
class _Scoring:
    """A prompt with its labels."""

    request: Score
    # A piece of the prompt on its way into the prefix cache, and how many tokens are in there with it.
    reading: Any = None
    read: int = 0
    # How often the prompt was moved out of reach of the prefix cache, which has no probabilities for what it holds.
    salt: int = 0
    found: dict[int, list[float]] = field(default_factory=dict)
    running: dict[int, Any] = field(default_factory=dict)


class LabelPipeline:
    """Scorings that share a pipeline, which `make` makes beside all else once there are any.

    Whoever owns it steps it.
    """

    def __init__(self, make: Callable[[], Any], eos_id: int | None, step_tokens: int) -> None:
        self._make = make
        self._eos_id = eos_id
        self._step_tokens = max(step_tokens, BLOCK_TOKENS)
        self._maker = ThreadPoolExecutor(1)
        self._making: Future[Any] | None = None
        self._numbers = count()
        self._scorings: dict[str, _Scoring] = {}
        self._remembered: OrderedDict[tuple[int, ...], list[float]] = OrderedDict()
        # The pipeline frees what a cancelled request held with its next step.
        self._freeing = False

    @property
    def busy(self) -> bool:
        return bool(self._scorings or self._freeing)

    def score(self, request: Score) -> None:
        self._scorings[request.request_id] = _Scoring(request)
        self._making = self._making or self._maker.submit(self._make)

    def cancel(self, request_id: str) -> None:
        if (scoring := self._scorings.pop(request_id, None)) is not None:
            self._give_up(scoring)

    def step(self, patience_s: float) -> Iterator[Event]:
        """One step of what there is; a pipeline that is not made yet is waited for so long."""
        if self._making is None or not wait([self._making], patience_s).done:
            return
        if error := self._making.exception():
            yield from self._cannot(error)
            return
        pipeline = self._making.result()
        # Unless a cancelled one is still to be freed.
        if not pipeline.has_non_finished_requests():
            self._advance(pipeline)
        if pipeline.has_non_finished_requests():
            pipeline.step()
        self._freeing = False
        yield from self._read()

    def _cannot(self, error: BaseException) -> Iterator[Event]:
        """Nobody's labels can be scored; the next ones try again."""
        self._making = None
        failed, self._scorings = list(self._scorings), {}
        for request_id in failed:
            yield Failed(request_id, f"the pipeline for labels cannot be made: {error}")

    def _read(self) -> Iterator[Event]:
        for request_id, scoring in list(self._scorings.items()):
            if scoring.reading and (status := scoring.reading.get_status()) != openvino_genai.GenerationStatus.RUNNING:
                scoring.reading = None
                if status == openvino_genai.GenerationStatus.IGNORED:
                    yield self._does_not_fit(request_id)
                    continue
            for label, handle in list(scoring.running.items()):
                # Another label of this step may have made all of them start over.
                started_over = scoring.running.get(label) is not handle
                status = handle.get_status()
                if started_over or status == openvino_genai.GenerationStatus.RUNNING:
                    continue
                if status == openvino_genai.GenerationStatus.IGNORED:
                    yield self._does_not_fit(request_id)
                    break
                del scoring.running[label]
                self._note(scoring, label, [p for out in _outputs(handle) for p in out.generated_log_probs])
            if len(scoring.found) == len(scoring.request.labels):
                del self._scorings[request_id]
                yield Scored(request_id, [scoring.found[label] for label in range(len(scoring.request.labels))])

    def close(self) -> None:
        """A pipeline that is being made is not waited for."""
        self._maker.shutdown(wait=False, cancel_futures=True)
        self._making = None

    def _does_not_fit(self, request_id: str) -> Failed:
        self.cancel(request_id)
        return Failed(request_id, "the prompt does not fit into the KV cache: raise resources.kv_cache_gb")

    def _advance(self, pipeline: Any) -> None:
        """A step's worth: labels of prompts that are read, or where there are none, the next blocks of prompts."""
        read = [each for each in self._scorings.values() if each.read == self._readable(each)]
        room = self._step_tokens
        for scoring in read:
            room = self._echo(pipeline, scoring, room)
        if read:
            return
        for scoring in self._scorings.values():
            if reads := min(self._readable(scoring) - scoring.read, room // BLOCK_TOKENS * BLOCK_TOKENS):
                scoring.read += reads
                scoring.reading = self._submit(pipeline, self._prompt(scoring)[: scoring.read], echo=False)
                room -= reads

    def _readable(self, scoring: _Scoring) -> int:
        """Whole blocks. The last token is left for the echo: there stand the probabilities of what comes behind it."""
        return (len(self._prompt(scoring)) - 1) // BLOCK_TOKENS * BLOCK_TOKENS

    def _echo(self, pipeline: Any, scoring: _Scoring, room: int) -> int:
        """The labels for which there is room, one at least in a step that is empty; the room that is left."""
        for label in range(len(scoring.request.labels)):
            if label in scoring.found:
                continue
            ids = self._sequence(scoring, label)
            if (known := self._remembered.get(tuple(ids))) is not None:
                scoring.found[label] = known
                continue
            reads = len(ids) - scoring.read
            if reads > room < self._step_tokens:
                return 0
            scoring.running[label] = self._submit(pipeline, ids, echo=True)
            room -= reads
        return room

    def _note(self, scoring: _Scoring, label: int, log_probabilities: list[float]) -> None:
        """Keep the label's own tokens. The prefix cache left some out? Then the prompt moves, and all starts over."""
        tail = len(scoring.request.labels[label]) + self._closing
        if len(log_probabilities) <= tail:
            scoring.salt += 1
            scoring.read = 0
            scoring.found.clear()
            self._give_up(scoring)
            return
        # The last one is of the token generated after the echo; before it the end marker, before that the label.
        own = log_probabilities[-tail - 1 : -1][: len(scoring.request.labels[label])]
        scoring.found[label] = own
        self._remembered[tuple(self._sequence(scoring, label))] = own
        if len(self._remembered) > _REMEMBERED:
            self._remembered.popitem(last=False)

    def _give_up(self, scoring: _Scoring) -> None:
        handles = [*scoring.running.values(), *filter(None, [scoring.reading])]
        for handle in handles:
            handle.cancel()
        self._freeing = self._freeing or bool(handles)
        scoring.reading = None
        scoring.running.clear()

    @property
    def _closing(self) -> int:
        return 0 if self._eos_id is None else 1

    def _sequence(self, scoring: _Scoring, label: int) -> list[int]:
        """The end marker keeps one label from being the beginning of another, which the prefix cache would hold."""
        end = [] if self._eos_id is None else [self._eos_id]
        return self._prompt(scoring) + scoring.request.labels[label] + end

    def _prompt(self, scoring: _Scoring) -> list[int]:
        salt = [] if self._eos_id is None else [self._eos_id] * scoring.salt
        return salt + scoring.request.prompt

    def _submit(self, pipeline: Any, ids: list[int], *, echo: bool) -> Any:
        config = openvino_genai.GenerationConfig()
        config.max_new_tokens = 1
        if echo:
            config.echo = True
            config.logprobs = 1
        return pipeline.add_request(next(self._numbers), openvino.Tensor(np.array([ids], dtype=np.int64)), config)


def _outputs(handle: Any) -> Iterator[Any]:
    while handle.can_read():
        yield from handle.read().values()
