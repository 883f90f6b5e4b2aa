"""Sampling with a seed per request, for transformers' continuous batching, which knows one seed for all.

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

# Spreads (seed, position) over the generator's seeds; any large odd number does.
_STRIDE = 1_000_003


@dataclass(frozen=True, slots=True)
class Drawing:
    """How one request samples; temperature 0 leaves its scores alone."""

    temperature: float
    top_p: float
    seed: int


class SeededSampling(ContinuousBatchingLogitsProcessor):
    """Takes each request's drawing from the argument `drawing` of `add_request`."""

    def __init__(self) -> None:
        self.supported_kwargs = {"drawing": Drawing}
        self.ignored_kwargs = ()
        self._rows: list[tuple[Drawing, int]] = []

    def fill_defaults(self, int32_tensor: torch.Tensor) -> None:
        """Nothing of a drawing fits into an int32; the rows are kept here, in the order of the scores."""

    def prepare_tensor_args(self, requests_with_new_token: list[Any]) -> torch.Tensor:
        states = [request.state for request in requests_with_new_token]
        # Counted from the start of the prompt: the same after a request was put back and its tokens became prompt.
        self._rows = [
            (state.logit_processor_kwargs["drawing"], len(state.initial_tokens) + len(state.generated_tokens))
            for state in states
        ]
        return torch.zeros(len(states), dtype=torch.int32)

    def __call__(self, scores: torch.Tensor, tensor_arg: torch.Tensor) -> torch.Tensor:
        del tensor_arg
        for row, (drawing, position) in enumerate(self._rows):
            if drawing.temperature > 0:
                scores[row] = draw(scores[row], drawing, position)
        return scores


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
