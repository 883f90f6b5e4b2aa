"""The reference core: transformers with continuous batching; runs any hub model, on GPU and CPU."""

import copy
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final, cast

import torch
from transformers import AutoModelForCausalLM, ContinuousBatchingConfig, GenerationConfig
from transformers.utils.logging import disable_progress_bar

from headrace.models.convert import transformers_dir
from headrace.models.spec import ModelSpec
from services.inference.adapters.engines.label_scoring import LongScoring, score_batch
from services.inference.adapters.engines.lora import Adapter
from services.inference.adapters.engines.seeded_sampling import Drawing, Told, install
from services.inference.adapters.engines.token_masks import Masks
from services.inference.adapters.engines.wire import Add, Event, Failed, Score, Scored, Tokens

_PAGE_TOKENS: Final = 32
_SCORED_TOGETHER: Final = 8
# How long a step waits for a token; commands that come meanwhile wait as long.
_PATIENCE_SECONDS: Final = 0.05


class TransformersCore:
    """The manager generates in a thread of its own; a step hands over what it has made, or scores labels."""

    def __init__(
        self, spec: ModelSpec, folder: Path, *, eos_id: int | None, threads: int, adapter: Adapter | None = None
    ) -> None:
        torch.set_num_threads(threads)
        disable_progress_bar()
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        weights = transformers_dir(folder)
        dtype = torch.bfloat16 if spec.dtype == "auto" else cast("torch.dtype", getattr(torch, spec.dtype))
        load = cast("Any", AutoModelForCausalLM.from_pretrained)
        model = load(weights, dtype=dtype, attn_implementation="sdpa")
        if adapter:
            adapter.merge(model)
        model = model.to(self.device).eval()
        # The manager switches the attention of its model; scoring has a twin that shares every tensor.
        shared = {id(tensor): tensor for tensor in (*model.parameters(), *model.buffers())}
        self._scorer = copy.deepcopy(model, shared)
        stop = [token for token in (eos_id, *_listed(model.generation_config.eos_token_id)) if token is not None]
        self._eos_ids = sorted(set(stop)) or [-1]
        self._masks = Masks(folder, model.config.vocab_size, self._eos_ids)
        untyped: Any = GenerationConfig
        generation = untyped(do_sample=False, eos_token_id=self._eos_ids)
        self._manager = model.init_continuous_batching(
            generation_config=generation,
            continuous_batching_config=ContinuousBatchingConfig(
                page_size=_PAGE_TOKENS,
                num_blocks=_blocks(model.config, spec.resources.kv_cache_gb, dtype),
                max_batch_tokens=spec.resources.max_batched_tokens,
                # Batch work may have all slots, and people as many again.
                max_requests_per_batch=2 * spec.resources.max_running,
                # Both would run ahead of the sampler, which keeps its rows on the side.
                use_async_batching=False,
                use_cuda_graph=False,
            ),
        )
        install(self._manager)
        self._manager.start()
        self._told: dict[str, int] = {}
        # Where the answer of a request begins, and what its tokens' probabilities were, if they are wanted.
        self._likely: dict[str, tuple[int, Told]] = {}
        self._scores: dict[str, Score] = {}
        self._long: LongScoring | None = None
        self._step_tokens = spec.resources.max_batched_tokens

    @property
    def busy(self) -> bool:
        return bool(self._told or self._scores)

    def add(self, request: Add) -> None:
        mask = self._masks.mask(request.grammar, len(request.prompt)) if request.grammar else None
        told = None
        if request.logprobs is not None:
            told = self._likely[request.request_id] = (len(request.prompt), Told(request.logprobs))
        self._told[request.request_id] = 0
        self._manager.add_request(
            request.prompt,
            request_id=request.request_id,
            max_new_tokens=request.max_tokens,
            streaming=True,
            eos_token_id=self._eos_ids,
            drawing=Drawing(
                request.temperature, request.top_p, request.seed, request.repetition_penalty, mask, told and told[1]
            ),
        )

    def score(self, request: Score) -> None:
        self._scores[request.request_id] = request

    def cancel(self, request_id: str) -> None:
        self._scores.pop(request_id, None)
        if self._long is not None and self._long.request.request_id == request_id:
            self._long = None
        self._likely.pop(request_id, None)
        if self._told.pop(request_id, None) is not None:
            self._manager.cancel_request(request_id)

    def step(self) -> Iterable[Event]:
        scoring = bool(self._scores)
        for request_id, likelihoods in self._scored():
            del self._scores[request_id]
            yield Scored(request_id, likelihoods)
        output = self._manager.get_result(timeout=0 if scoring else _PATIENCE_SECONDS) if self._told else None
        while output is not None:
            yield from self._news(output)
            output = self._manager.get_result(timeout=0)
        if self._told and not self._manager.is_running():
            # The manager drops requests in silence once it has failed; a new process is the way back.
            os._exit(1)

    def close(self) -> None:
        self._manager.stop(block=True)

    def _scored(self) -> list[tuple[str, list[list[float]]]]:
        """A step's worth of scoring, and what is complete with it."""
        if self._long is None and self._scores:
            batch = self._together()
            if len(batch[0].prompt) <= self._step_tokens:
                return [
                    (request.request_id, likelihoods)
                    for request, likelihoods in zip(batch, score_batch(self._scorer, batch), strict=True)
                ]
            self._long = LongScoring(batch[0])
        if self._long is None or (likelihoods := self._long.advance(self._scorer, self._step_tokens)) is None:
            return []
        request_id = self._long.request.request_id
        self._long = None
        return [(request_id, likelihoods)]

    def _together(self) -> list[Score]:
        """The first that wait, as many as fit, padded to the longest, into what one step may take; one at least."""
        batch: list[Score] = []
        width = 0
        for request in self._scores.values():
            width = max(width, len(request.prompt))
            if batch and (len(batch) == _SCORED_TOGETHER or width * (len(batch) + 1) > self._step_tokens):
                break
            batch.append(request)
        return batch

    def _forget(self, request_id: str) -> None:
        del self._told[request_id]
        self._likely.pop(request_id, None)

    def _probable(self, request_id: str, drawn: range) -> tuple[list[float], list[list[tuple[int, float]]]]:
        if request_id not in self._likely:
            return [], []
        begin, told = self._likely[request_id]
        return told.at(range(begin + drawn.start, begin + drawn.stop))

    def _news(self, output: Any) -> Iterator[Event]:
        """What is new in an output, each of which carries all tokens so far."""
        told = self._told.get(output.request_id)
        if told is None:
            return
        fresh = list(output.generated_tokens[told:])
        logprobs, top = self._probable(output.request_id, range(told, told + len(fresh)))
        self._told[output.request_id] = told + len(fresh)
        if output.error:
            self._forget(output.request_id)
            yield Failed(output.request_id, output.error)
        elif output.is_finished():
            self._forget(output.request_id)
            ended = bool(output.generated_tokens) and output.generated_tokens[-1] in self._eos_ids
            yield Tokens(output.request_id, fresh, "stop" if ended else "length", logprobs, top)
        elif fresh:
            yield Tokens(output.request_id, fresh, None, logprobs, top)


def _listed(value: int | list[int] | None) -> list[int]:
    return [value] if isinstance(value, int) else list(value or [])


def _blocks(config: Any, gigabytes: float, dtype: torch.dtype) -> int:
    """How many pages of keys and values fit into the memory that the model may take for them."""
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    per_page = 2 * config.num_hidden_layers * heads * width * dtype.itemsize * _PAGE_TOKENS
    return max(16, int(gigabytes * 1e9 / per_page))
