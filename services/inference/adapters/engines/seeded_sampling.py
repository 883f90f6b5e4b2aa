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


class Told:
    """Log-probabilities of one answer: kept by the manager's thread, told by the core's."""

    def __init__(self, alternatives: int) -> None:
        self._alternatives = alternatives
        # By position, since one that was put back comes by the same positions again.
        self._kept: dict[int, tuple[float, list[tuple[int, float]]]] = {}

    def keep(self, position: int, probable: torch.Tensor, drawn: int) -> None:
        """Log-probabilities (vocabulary,) at a position, and the token that is drawn there."""
        values, tokens = probable.topk(self._alternatives)
        top = [
            (token, value) for token, value in zip(tokens.tolist(), values.tolist(), strict=True) if value > -torch.inf
        ]
        self._kept[position] = (float(probable[drawn]), top)

    def at(self, positions: range) -> tuple[list[float], list[list[tuple[int, float]]]]:
        """Of the drawn tokens, and of the likeliest at their places."""
        kept = [self._kept.pop(position) for position in positions]
        return [logprob for logprob, _ in kept], [top for _, top in kept]


@dataclass(frozen=True, slots=True)
class Drawing:
    """How one request samples; temperature 0 leaves its scores alone."""

    temperature: float
    top_p: float
    seed: int
    repetition_penalty: float = 1.0
    mask: Mask | None = None
    # Where the probabilities of what was drawn are kept, if somebody asked for them.
    told: Told | None = None


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
            if drawing.temperature > 0 or drawing.told is not None:
                probable = log_probabilities(scores[row], drawing)
                if drawing.temperature > 0:
                    scores[row] = probable + noise(scores[row], drawing.seed, len(tokens))
                if drawing.told is not None:
                    drawing.told.keep(len(tokens), probable, int(scores[row].argmax()))
        return scores


def penalised(scores: torch.Tensor, tokens: list[int], penalty: float) -> torch.Tensor:
    """Scores with less for what stands there already (Keskar et al., https://arxiv.org/abs/1909.05858)."""
    seen = torch.tensor(sorted(set(tokens)), device=scores.device)
    own = scores[seen]
    return scores.index_put((seen,), torch.where(own > 0, own / penalty, own * penalty))


def log_probabilities(scores: torch.Tensor, drawing: Drawing) -> torch.Tensor:
    """Of what is drawn from: at the temperature, within the nucleus; those of a greedy answer at temperature 1."""
    found = torch.log_softmax(scores.float() / (drawing.temperature or 1.0), dim=-1)
    if drawing.temperature > 0 and drawing.top_p < 1.0:
        ordered, order = found.sort(descending=True)
        before = ordered.exp().cumsum(-1) - ordered.exp()
        found[order[before >= drawing.top_p]] = -torch.inf
        found = torch.log_softmax(found, dim=-1)
    return found


def noise(scores: torch.Tensor, seed: int, position: int) -> torch.Tensor:
    """Gumbel noise in the shape of the scores, decided by seed and position."""
    generator = torch.Generator(scores.device).manual_seed(seed * _STRIDE + position)
    uniform = torch.rand(scores.shape, generator=generator, device=scores.device)
    return -torch.log(-torch.log(uniform.clamp_min(torch.finfo(uniform.dtype).tiny)))


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
