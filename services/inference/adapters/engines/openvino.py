"""The core for CPUs: openvino-genai with continuous batching and prefix caching, from a GGUF or from its own format."""

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Final

import numpy as np
import openvino
import openvino_genai

from headrace.models.fetch import WEIGHTS_GGUF
from headrace.models.spec import ModelSpec
from services.inference.adapters.engines.wire import Add, Event, Failed, Finish, Score, Scored, Tokens

# Left to itself, OpenVINO rounds activations and keys by what else is in the batch: fast, and not the same each time.
_PRECISION: Final[dict[str, dict[str, Any]]] = {
    "auto": {},
    "float32": {"INFERENCE_PRECISION_HINT": "f32", "KV_CACHE_PRECISION": "f32", "DYNAMIC_QUANTIZATION_GROUP_SIZE": 0},
    "bfloat16": {"INFERENCE_PRECISION_HINT": "bf16"},
    "float16": {"INFERENCE_PRECISION_HINT": "f16"},
}
# Labels of one scoring that are read in one step; each is a sequence of the pipeline's.
_LABELS_TOGETHER: Final = 16
# More than the KV cache can hold sequences: whatever it still knows has its scores here.
_REMEMBERED: Final = 65_536


@dataclass(slots=True)
class _Scoring:
    """A prompt with its labels. The first goes ahead, so that the others find the prompt in the prefix cache."""

    request: Score
    # How often the prompt was moved out of reach of the prefix cache, which has no probabilities for what it holds.
    salt: int = 0
    found: dict[int, list[float]] = field(default_factory=dict)
    running: dict[int, Any] = field(default_factory=dict)


class OpenVinoCore:
    """All requests share one pipeline; one thread steps it and reads its handles.

    Answers and scorings never meet in a step of it: openvino-genai 2026.4.1 takes the logits of both from wrong rows
    where some sequences echo their prompt and others do not. People go first, so reviews are scored while nobody is
    answered, and an answer waits until the labels that are being read have been.
    """

    device = "CPU"

    def __init__(self, spec: ModelSpec, folder: Path, *, eos_id: int | None, threads: int) -> None:
        scheduler = openvino_genai.SchedulerConfig()
        scheduler.cache_size = max(1, round(spec.resources.kv_cache_gb))
        scheduler.max_num_batched_tokens = spec.resources.max_batched_tokens
        # Batch work may have all slots, and people as many again.
        scheduler.max_num_seqs = 2 * spec.resources.max_running
        scheduler.dynamic_split_fuse = True
        scheduler.enable_prefix_caching = True
        properties = {"INFERENCE_NUM_THREADS": threads, **_PRECISION[spec.dtype]}
        weights = gguf if (gguf := folder / WEIGHTS_GGUF).is_file() else folder
        self._pipeline = openvino_genai.ContinuousBatchingPipeline(str(weights), scheduler, "CPU", properties)
        self._eos_id = eos_id
        self._numbers = count()
        # Answers that wait for the pipeline, and those that it gives.
        self._waiting: dict[str, Add] = {}
        self._handles: dict[str, Any] = {}
        self._scorings: dict[str, _Scoring] = {}
        self._remembered: OrderedDict[tuple[int, ...], list[float]] = OrderedDict()
        # The pipeline frees what a cancelled request held with its next step.
        self._freeing = False

    @property
    def busy(self) -> bool:
        return bool(self._waiting or self._handles or self._scorings or self._freeing)

    def add(self, request: Add) -> None:
        self._waiting[request.request_id] = request

    def _begin(self, request: Add) -> None:
        config = self._config(request.max_tokens)
        config.repetition_penalty = request.repetition_penalty
        if request.temperature > 0:
            config.do_sample = True
            config.temperature = request.temperature
            config.top_p = request.top_p
            config.rng_seed = request.seed
        self._handles[request.request_id] = self._submit(request.prompt, config)

    def score(self, request: Score) -> None:
        self._scorings[request.request_id] = _Scoring(request)

    def cancel(self, request_id: str) -> None:
        self._waiting.pop(request_id, None)
        if (handle := self._handles.pop(request_id, None)) is not None:
            handle.cancel()
            self._freeing = True
        if (scoring := self._scorings.pop(request_id, None)) is not None:
            for handle in scoring.running.values():
                handle.cancel()
            self._freeing = True

    def step(self) -> Iterable[Event]:
        if not self._freeing:
            self._admit()
        if self._pipeline.has_non_finished_requests():
            self._pipeline.step()
        self._freeing = False
        yield from self._spoken()
        yield from self._scored()

    def close(self) -> None:
        del self._pipeline

    def _admit(self) -> None:
        """Answers, or else labels; neither while the pipeline still holds the other kind."""
        if self._waiting and not any(scoring.running for scoring in self._scorings.values()):
            for request in self._waiting.values():
                self._begin(request)
            self._waiting.clear()
        if not self._waiting and not self._handles:
            for scoring in self._scorings.values():
                self._advance(scoring)

    def _spoken(self) -> Iterator[Event]:
        for request_id, handle in list(self._handles.items()):
            ids: list[int] = []
            finish: Finish | None = None
            while handle.can_read():
                for output in handle.read().values():
                    ids += output.generated_ids
                    finish = _finish(output.finish_reason)
            if finish:
                del self._handles[request_id]
            elif handle.get_status() == openvino_genai.GenerationStatus.IGNORED:
                del self._handles[request_id]
                yield Failed(request_id, "the prompt does not fit into the KV cache: raise resources.kv_cache_gb")
                continue
            if ids or finish:
                yield Tokens(request_id, ids, finish)

    def _scored(self) -> Iterator[Event]:
        for request_id, scoring in list(self._scorings.items()):
            for label, handle in list(scoring.running.items()):
                # Another label of this step may have made all of them start over.
                started_over = scoring.running.get(label) is not handle
                if started_over or handle.get_status() == openvino_genai.GenerationStatus.RUNNING:
                    continue
                del scoring.running[label]
                self._note(scoring, label, [p for out in _outputs(handle) for p in out.generated_log_probs])
            if len(scoring.found) == len(scoring.request.labels):
                del self._scorings[request_id]
                yield Scored(request_id, [scoring.found[label] for label in range(len(scoring.request.labels))])

    def _advance(self, scoring: _Scoring) -> None:
        """Submit what may go now: the first label, then the others, not more at once than leave room for people."""
        if scoring.running and not scoring.found:
            return
        for label in range(len(scoring.request.labels)):
            if label in scoring.found or label in scoring.running:
                continue
            if len(scoring.running) >= _LABELS_TOGETHER:
                return
            ids = self._sequence(scoring, label)
            if (known := self._remembered.get(tuple(ids))) is not None:
                scoring.found[label] = known
                continue
            config = self._config(1)
            config.echo = True
            config.logprobs = 1
            scoring.running[label] = self._submit(ids, config)
            if not scoring.found:
                return

    def _note(self, scoring: _Scoring, label: int, log_probabilities: list[float]) -> None:
        """Keep the label's own tokens. The prefix cache left some out? Then the prompt moves, and all starts over."""
        tail = len(scoring.request.labels[label]) + self._closing
        if len(log_probabilities) <= tail:
            scoring.salt += 1
            scoring.found.clear()
            for handle in scoring.running.values():
                handle.cancel()
                self._freeing = True
            scoring.running.clear()
            return
        # The last one is of the token generated after the echo; before it the end marker, before that the label.
        own = log_probabilities[-tail - 1 : -1][: len(scoring.request.labels[label])]
        scoring.found[label] = own
        self._remembered[tuple(self._sequence(scoring, label))] = own
        if len(self._remembered) > _REMEMBERED:
            self._remembered.popitem(last=False)

    @property
    def _closing(self) -> int:
        return 0 if self._eos_id is None else 1

    def _sequence(self, scoring: _Scoring, label: int) -> list[int]:
        """The end marker keeps one label from being the beginning of another, which the prefix cache would hold."""
        end = [] if self._eos_id is None else [self._eos_id]
        return end * scoring.salt + scoring.request.prompt + scoring.request.labels[label] + end

    def _submit(self, ids: list[int], config: Any) -> Any:
        return self._pipeline.add_request(next(self._numbers), openvino.Tensor(np.array([ids], dtype=np.int64)), config)

    def _config(self, max_tokens: int) -> Any:
        config = openvino_genai.GenerationConfig()
        config.max_new_tokens = max_tokens
        if self._eos_id is not None:
            config.eos_token_id = self._eos_id
        return config


def _outputs(handle: Any) -> Iterator[Any]:
    while handle.can_read():
        yield from handle.read().values()


def _finish(reason: Any) -> Finish | None:
    match reason:
        case openvino_genai.GenerationFinishReason.STOP:
            return "stop"
        case openvino_genai.GenerationFinishReason.LENGTH:
            return "length"
        case _:
            return None
