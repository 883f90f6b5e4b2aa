"""Sampling with a seed and a penalty per request, for transformers' continuous batching, which knows one for all.

The batch stays greedy; noise is added to the scores beforehand. The highest of log-probability plus Gumbel noise is an
exact draw from the distribution (Gumbel-max: Maddison, Tarlow and Minka, https://arxiv.org/abs/1411.0030), and the
noise depends on seed and position alone, so neighbours in the batch change nothing.
"""

from dataclasses import dataclass
from typing import Any

import torch
from transformers.generation.continuous_batching.cb_logits_processors import (
    ContinuousBatchingLogitsProcessor,
    ContinuousBatchingLogitsProcessorList,
)
from transformers.generation.logits_process import LogitsProcessorList

from services.inference.adapters.engines.token_masks import Mask

# Spreads (seed, position) over the generator's seeds; any large odd number does.
_STRIDE = 1_000_003


@dataclass(frozen=True, slots=True)
class Drawing:
    """How one request samples; temperature 0 leaves its scores alone."""

    temperature: float
    top_p: float
    seed: int
    repetition_penalty: float = 1.0
    mask: Mask | None = None


class SeededSampling(ContinuousBatchingLogitsProcessor):
    """Takes each request's drawing from the argument `drawing` of `add_request`."""

    def __init__(self) -> None:
        self.supported_kwargs = {"drawing": Drawing}
        self.ignored_kwargs = ()
        self._rows: list[tuple[Drawing, list[int]]] = []

    def fill_defaults(self, int32_tensor: torch.Tensor) -> None:
        """Nothing of a drawing fits into an int32; the rows are kept here, in the order of the scores."""

    def prepare_tensor_args(self, requests_with_new_token: list[Any]) -> torch.Tensor:
        states = [request.state for request in requests_with_new_token]
        # Prompt and answer together: the same after a request was put back and its answer became prompt.
        self._rows = [
            (state.logit_processor_kwargs["drawing"], state.initial_tokens + state.generated_tokens) for state in states
        ]
        return torch.zeros(len(states), dtype=torch.int32)

    def __call__(self, scores: torch.Tensor, tensor_arg: torch.Tensor) -> torch.Tensor:
        del tensor_arg
        for row, (drawing, tokens) in enumerate(self._rows):
            if drawing.mask is not None:
                drawing.mask.apply(scores[row], tokens)
            if drawing.repetition_penalty > 1:
                scores[row] = penalised(scores[row], tokens, drawing.repetition_penalty)
            if drawing.temperature > 0:
                scores[row] = draw(scores[row], drawing, len(tokens))
        return scores


def penalised(scores: torch.Tensor, tokens: list[int], penalty: float) -> torch.Tensor:
    """Scores with less for what stands there already (Keskar et al., https://arxiv.org/abs/1909.05858)."""
    seen = torch.tensor(sorted(set(tokens)), device=scores.device)
    own = scores[seen]
    return scores.index_put((seen,), torch.where(own > 0, own / penalty, own * penalty))


def draw(scores: torch.Tensor, drawing: Drawing, position: int) -> torch.Tensor:
    """Scores whose highest is a draw: of temperature and nucleus, decided by seed and position."""
    log_probabilities = torch.log_softmax(scores.float() / drawing.temperature, dim=-1)
    if drawing.top_p < 1.0:
        ordered, order = log_probabilities.sort(descending=True)
        before = ordered.exp().cumsum(-1) - ordered.exp()
        log_probabilities[order[before >= drawing.top_p]] = -torch.inf
    generator = torch.Generator(scores.device).manual_seed(drawing.seed * _STRIDE + position)
    uniform = torch.rand(scores.shape, generator=generator, device=scores.device)
    return log_probabilities - torch.log(-torch.log(uniform.clamp_min(torch.finfo(uniform.dtype).tiny)))


def seeded_processors() -> Any:
    """The processors of a manager that samples by request."""
    return ContinuousBatchingLogitsProcessorList(LogitsProcessorList(), per_request_processors=True)


def install(manager: Any) -> None:
    """Put seeded sampling into a manager that has not started yet."""
    processors = seeded_processors()
    processors.logits_processor.append(SeededSampling())
    processors.tensors_required = 1
    processors.do_processing = True
    processors._retrieve_processors_kwargs()  # noqa: SLF001 - the list has no public way to take a processor of ours
    manager.logit_processor = processors
