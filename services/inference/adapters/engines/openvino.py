"""The core for CPUs: openvino-genai with continuous batching and prefix caching, from a GGUF or from its own format."""

from collections.abc import Iterable, Iterator
from functools import partial
from itertools import count
from pathlib import Path
from time import monotonic
from typing import Any, Final

import numpy as np
import openvino
import openvino_genai

from headrace.models.requantize import openvino_weights
from headrace.models.spec import ModelSpec
from services.inference.adapters.engines.openvino_labels import LabelPipeline
from services.inference.adapters.engines.openvino_prompts import LEAST_ROOM, Piece, PromptQueue
from services.inference.adapters.engines.wire import Add, Event, Failed, Finish, Score, Tokens

# Left to itself, OpenVINO rounds activations and keys by what else is in the batch: fast, and not the same each time.
_PRECISION: Final[dict[str, dict[str, Any]]] = {
    "auto": {},
    "float32": {"INFERENCE_PRECISION_HINT": "f32", "KV_CACHE_PRECISION": "f32", "DYNAMIC_QUANTIZATION_GROUP_SIZE": 0},
    "bfloat16": {"INFERENCE_PRECISION_HINT": "bf16"},
    "float16": {"INFERENCE_PRECISION_HINT": "f16"},
}
# The part of the time that goes to labels while somebody is answered.
_LABELS_SHARE: Final = 0.25
# In one step of theirs: for so long the next word of an answer may have to wait.
_LABEL_TOKENS: Final = 128
# How often commands are looked for while the pipeline of the labels is made.
_LOOK_S: Final = 0.05


class OpenVinoCore:
    """Answers share one pipeline, labels another, which is made when the first are to be scored; one thread steps both.

    Reviews fill the slack: labels get all the time that answers leave, and while somebody is answered a part of it.
    """

    device = "CPU"

    def __init__(self, spec: ModelSpec, folder: Path, *, eos_id: int | None, threads: int) -> None:
        self._eos_id = eos_id
        make = partial(make_pipeline, spec, folder, threads)
        self._pipeline = make()
        self._prompts = PromptQueue(max(spec.resources.max_batched_tokens, _most_sequences(spec) + LEAST_ROOM))
        self._pieces: list[Any] = []
        self._labels = LabelPipeline(make, eos_id, min(spec.resources.max_batched_tokens, _LABEL_TOKENS))
        # Seconds that labels may take while somebody is answered.
        self._credit_s = 0.0
        self._numbers = count()
        self._handles: dict[str, Any] = {}
        # Their prompts, and what they have said.
        self._contents: dict[str, tuple[list[int], list[int]]] = {}
        # Those of which the probabilities of tokens are wanted: for others the pipeline says zeros.
        self._telling: set[str] = set()
        # The pipeline frees what a cancelled request held with its next step.
        self._freeing = False

    @property
    def busy(self) -> bool:
        return self._answering or self._labels.busy

    @property
    def _answering(self) -> bool:
        return bool(self._prompts or self._handles or self._freeing)

    def add(self, request: Add) -> None:
        self._prompts.add(request)

    def _submit(self, request: Add) -> None:
        config = openvino_genai.GenerationConfig()
        config.max_new_tokens = request.max_tokens
        if self._eos_id is not None:
            config.eos_token_id = self._eos_id
        config.repetition_penalty = request.repetition_penalty
        if request.grammar:
            config.structured_output_config = openvino_genai.StructuredOutputConfig(grammar=request.grammar)
        if request.logprobs is not None:
            config.logprobs = 1
        if request.temperature > 0:
            config.do_sample = True
            config.temperature = request.temperature
            config.top_p = request.top_p
            config.rng_seed = request.seed
        self._handles[request.request_id] = self._enter(request.prompt, config)
        self._contents[request.request_id] = request.prompt, []
        if request.logprobs is not None:
            self._telling.add(request.request_id)

    def _read(self, piece: Piece) -> None:
        config = openvino_genai.GenerationConfig()
        config.max_new_tokens = 1
        self._pieces.append(self._enter(piece.ids, config))

    def _enter(self, ids: list[int], config: Any) -> Any:
        return self._pipeline.add_request(next(self._numbers), openvino.Tensor(np.array([ids], dtype=np.int64)), config)

    def score(self, request: Score) -> None:
        self._labels.score(request)

    def cancel(self, request_id: str) -> None:
        self._prompts.cancel(request_id)
        if (handle := self._handles.get(request_id)) is not None:
            self._forget(request_id)
            handle.cancel()
            self._freeing = True
        self._labels.cancel(request_id)

    def step(self) -> Iterable[Event]:
        began, answering = monotonic(), self._answering
        if answering:
            yield from self._take_on()
            if self._pipeline.has_non_finished_requests():
                self._pipeline.step()
            self._freeing = False
            yield from self._spoken()
            self._credit_s += (monotonic() - began) * _LABELS_SHARE / (1 - _LABELS_SHARE)
        if not self._labels.busy:
            # Nobody saves up for a time in which all would be labels.
            self._credit_s = 0.0
        elif self._credit_s > 0 or not answering:
            began = monotonic()
            yield from self._labels.step(0.0 if answering else _LOOK_S)
            self._credit_s = self._credit_s - (monotonic() - began) if answering else 0.0

    def close(self) -> None:
        self._labels.close()
        del self._pipeline

    def _take_on(self) -> Iterator[Failed]:
        """Let in what this step reads; nobody, while a piece found no room in the KV cache and waits for some."""
        self._pieces = [p for p in self._pieces if p.get_status() == openvino_genai.GenerationStatus.RUNNING]
        if self._pieces:
            return
        for each in self._prompts.due(decoding=len(self._handles)):
            if isinstance(each, Piece):
                self._read(each)
                continue
            try:
                self._submit(each)
            except Exception as exc:  # noqa: BLE001 - one bad request must not take the others with it
                yield Failed(each.request_id, f"{type(exc).__name__}: {exc}")

    def _forget(self, request_id: str) -> None:
        del self._handles[request_id]
        self._prompts.ended(*self._contents.pop(request_id))
        self._telling.discard(request_id)

    def _spoken(self) -> Iterator[Event]:
        for request_id, handle in list(self._handles.items()):
            ids: list[int] = []
            logprobs: list[float] = []
            finish: Finish | None = None
            while handle.can_read():
                for output in handle.read().values():
                    ids += output.generated_ids
                    self._contents[request_id][1].extend(output.generated_ids)
                    if request_id in self._telling:
                        logprobs += output.generated_log_probs
                    finish = _finish(output.finish_reason)
            if finish:
                self._forget(request_id)
            elif handle.get_status() == openvino_genai.GenerationStatus.IGNORED:
                self._forget(request_id)
                yield Failed(request_id, "the prompt does not fit into the KV cache: raise resources.kv_cache_gb")
                continue
            if ids or finish:
                yield Tokens(request_id, ids, finish, logprobs)


def make_pipeline(spec: ModelSpec, folder: Path, threads: int) -> Any:
    """A pipeline of its own, with its own copy of the weights; seconds. How much a step reads is for who submits it."""
    scheduler = openvino_genai.SchedulerConfig()
    scheduler.cache_size = max(1, round(spec.resources.kv_cache_gb))
    # Never so few that it would split a prompt by itself.
    scheduler.max_num_batched_tokens = spec.limits.context_window + _most_sequences(spec)
    # And a piece of a prompt.
    scheduler.max_num_seqs = _most_sequences(spec) + 1
    scheduler.dynamic_split_fuse = True
    scheduler.enable_prefix_caching = True
    properties = {"INFERENCE_NUM_THREADS": threads, **_PRECISION[spec.dtype]}
    return openvino_genai.ContinuousBatchingPipeline(str(openvino_weights(folder)), scheduler, "CPU", properties)


def _most_sequences(spec: ModelSpec) -> int:
    """That decode together: batch work may have all slots, and people as many again."""
    return 2 * spec.resources.max_running


def _finish(reason: Any) -> Finish | None:
    match reason:
        case openvino_genai.GenerationFinishReason.STOP:
            return "stop"
        case openvino_genai.GenerationFinishReason.LENGTH:
            return "length"
        case _:
            return None
