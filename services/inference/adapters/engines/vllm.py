"""vLLM's engine as a core, for machines with a GPU (https://docs.vllm.ai). It runs in an environment of its own.

Pinned in `infra/locks/vllm.in`: it wants other versions of transformers and xgrammar than the rest.
"""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from headrace.messaging.errors import Fatal
from headrace.models.convert import transformers_dir
from headrace.models.spec import ModelSpec
from services.inference.adapters.engines.lora import Adapter
from services.inference.adapters.engines.wire import Add, Event, Finish, Score, Scored, Tokens

_ENVIRONMENT: Final = {
    # This process is the engine's: one process to kill frees the GPU.
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
    # It reports its use to its makers unless told not to.
    "VLLM_NO_USAGE_STATS": "1",
    "DO_NOT_TRACK": "1",
    # Weights are here already, pinned; nothing is fetched on the way.
    "HF_HUB_OFFLINE": "1",
}
_GIGABYTE: Final = 1_000_000_000
# The part of a scoring that reads all labels of one token.
_SHORT: Final = "short"
_RANKS: Final = (8, 16, 32, 64, 128, 256, 320, 512)


@dataclass(slots=True)
class _Scoring:
    """A scoring at work: a row for each label, complete once none of its requests runs."""

    request: Score
    rows: list[list[float]] = field(init=False)
    running: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.rows = [[] for _ in self.request.labels]


class VllmCore:
    """One step of vLLM's scheduler a step: prompts in chunks, and a token of each answer."""

    def __init__(
        self, spec: ModelSpec, folder: Path, *, eos_id: int | None, threads: int, adapter: Adapter | None = None
    ) -> None:
        os.environ.update(_ENVIRONMENT)
        # What its host says of the engine is in our own log.
        os.environ.setdefault("VLLM_LOGGING_LEVEL", "WARNING")
        # On a CPU: all of the threads that it may use.
        os.environ.setdefault("VLLM_CPU_NUM_OF_RESERVED_CPU", "0")
        os.environ.setdefault("OMP_NUM_THREADS", str(threads))
        import vllm
        from vllm.lora.request import LoRARequest
        from vllm.platforms import current_platform
        from vllm.v1.engine.llm_engine import LLMEngine

        self._vllm = vllm
        self.device = str(current_platform.device_type)
        if not self.device:
            raise Fatal("vLLM finds no GPU that it knows here: use engine openvino or transformers, or auto")
        adapted = {"enable_lora": True, "max_lora_rank": _rank(adapter.rank)} if adapter else {}
        arguments = vllm.EngineArgs(
            model=str(transformers_dir(folder)),
            dtype="bfloat16" if spec.dtype == "auto" else spec.dtype,
            max_model_len=spec.limits.context_window,
            # Batch work may have all slots, and people as many again.
            max_num_seqs=2 * spec.resources.max_running,
            max_num_batched_tokens=max(spec.resources.max_batched_tokens, 2 * spec.resources.max_running),
            kv_cache_memory_bytes=int(spec.resources.kv_cache_gb * _GIGABYTE),
            # What is not said in a request is the template's or the registry's to say, not the weights'.
            generation_config="vllm",
            # What was drawn from, as the other cores tell it.
            logprobs_mode="processed_logprobs",
            disable_log_stats=True,
            # Compiling pays on a GPU; a CPU is for tests.
            enforce_eager=self.device == "cpu",
            **adapted,
        )
        self._engine: Any = LLMEngine.from_engine_args(arguments)
        self._adapter = LoRARequest("adapter", 1, str(adapter.weights.parent)) if adapter else None
        self._stop = [eos_id] if eos_id is not None else []
        self._wanted: dict[str, Add] = {}
        self._scorings: dict[str, _Scoring] = {}

    @property
    def busy(self) -> bool:
        return bool(self._wanted or self._scorings)

    def add(self, request: Add) -> None:
        constraint = self._vllm.sampling_params.StructuredOutputsParams
        self._submit(
            request.request_id,
            request.prompt,
            max_tokens=request.max_tokens,
            temperature=request.temperature,
            top_p=request.top_p,
            seed=request.seed,
            repetition_penalty=request.repetition_penalty,
            stop_token_ids=self._stop,
            logprobs=request.logprobs,
            structured_outputs=constraint(grammar=request.grammar) if request.grammar else None,
        )
        self._wanted[request.request_id] = request

    def score(self, request: Score) -> None:
        """Labels of one token are read from one step's probabilities; a longer one is read as part of a prompt."""
        scoring = self._scorings[request.request_id] = _Scoring(request)
        try:
            self._read_labels(scoring, request)
        except Exception:
            # Else what is left of it would keep the engine stepping for nobody.
            self.cancel(request.request_id)
            raise

    def _read_labels(self, scoring: _Scoring, request: Score) -> None:
        if short := sorted({label[0] for label in request.labels if len(label) == 1}):
            self._read(scoring, _SHORT, request.prompt, logprob_token_ids=short)
        for index, label in enumerate(request.labels):
            if len(label) > 1:
                self._read(scoring, str(index), [*request.prompt, *label], prompt_logprobs=0)

    def cancel(self, request_id: str) -> None:
        scoring = self._scorings.pop(request_id, None)
        running = list(scoring.running) if scoring else []
        if self._wanted.pop(request_id, None):
            running.append(request_id)
        if running:
            self._engine.abort_request(running)

    def step(self) -> Iterable[Event]:
        for output in self._engine.step():
            if output.request_id in self._wanted:
                yield from self._news(output)
            elif output.finished:
                yield from self._scored(output)

    def close(self) -> None:
        self._engine.engine_core.shutdown()

    def _submit(self, number: str, prompt: list[int], **sampling: Any) -> None:
        kind = self._vllm.sampling_params.RequestOutputKind.DELTA
        params = self._vllm.SamplingParams(output_kind=kind, detokenize=False, **sampling)
        self._engine.add_request(number, {"prompt_token_ids": prompt}, params, lora_request=self._adapter)

    def _read(self, scoring: _Scoring, part: str, prompt: list[int], **sampling: Any) -> None:
        number = f"{scoring.request.request_id}|{part}"
        self._submit(number, prompt, max_tokens=1, temperature=0.0, **sampling)
        scoring.running.add(number)

    def _news(self, output: Any) -> Iterator[Event]:
        (said,) = output.outputs
        request = self._wanted[output.request_id]
        finish: Finish | None = None
        if output.finished:
            finish = "stop" if said.finish_reason == "stop" else "length"
            del self._wanted[output.request_id]
        ids = list(said.token_ids)
        places = list(said.logprobs or ()) if request.logprobs is not None else []
        drawn = [place[token].logprob for token, place in zip(ids, places, strict=bool(places))]
        top = [_most_likely(place, request.logprobs or 0) for place in places]
        if ids or finish:
            yield Tokens(output.request_id, ids, finish, drawn, top)

    def _scored(self, output: Any) -> Iterator[Event]:
        """Take in one of a scoring's requests; the last completes it."""
        request_id, _, part = output.request_id.rpartition("|")
        if (scoring := self._scorings.get(request_id)) is None:
            return
        labels = scoring.request.labels
        if part == _SHORT:
            (place,) = output.outputs[0].logprobs
            for index, label in enumerate(labels):
                if len(label) == 1:
                    scoring.rows[index] = [place[label[0]].logprob]
        else:
            label = labels[int(part)]
            read = output.prompt_logprobs[-len(label) :]
            scoring.rows[int(part)] = [place[token].logprob for token, place in zip(label, read, strict=True)]
        scoring.running.discard(output.request_id)
        if not scoring.running:
            del self._scorings[request_id]
            yield Scored(request_id, scoring.rows)


def _most_likely(place: Any, count: int) -> list[tuple[int, float]]:
    ranked = sorted(place.items(), key=lambda item: item[1].rank)
    return [(token, told.logprob) for token, told in ranked[:count]]


def _rank(rank: int) -> int:
    """The least of the ranks that vLLM has room for."""
    return next((room for room in _RANKS if rank <= room), rank)
