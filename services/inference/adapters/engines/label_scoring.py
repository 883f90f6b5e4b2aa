"""Label scoring with torch: prompts in one padded batch, then their labels in another on the same cache."""

from collections.abc import Sequence
from typing import Any

import torch

from services.inference.adapters.engines.wire import Score


@torch.inference_mode()
def score_batch(model: Any, batch: Sequence[Score]) -> list[list[list[float]]]:
    """Log-probabilities by request, label and token. Each prompt is read once, however many labels it has."""
    prompts, mask = _padded([request.prompt for request in batch], left=True, device=model.device)
    positions = (mask.cumsum(-1) - 1).clamp_min(0)
    read = model(input_ids=prompts, attention_mask=mask, position_ids=positions, use_cache=True, logits_to_keep=1)
    return _likelihoods(model, batch, read, mask)


class LongScoring:
    """One prompt of more tokens than a step may take, read piece by piece, so that others get their steps between."""

    def __init__(self, request: Score) -> None:
        self.request = request
        self._at = 0
        self._cache: Any = None

    @torch.inference_mode()
    def advance(self, model: Any, tokens: int) -> list[list[float]] | None:
        """Read as many tokens more; the log-probabilities once all are read."""
        ids = torch.tensor([self.request.prompt], dtype=torch.long, device=model.device)
        piece = ids[:, self._at : self._at + tokens]
        read = model(input_ids=piece, past_key_values=self._cache, use_cache=True, logits_to_keep=1)
        self._at += tokens
        self._cache = read.past_key_values
        if self._at < len(self.request.prompt):
            return None
        return _likelihoods(model, [self.request], read, torch.ones_like(ids))[0]


def _likelihoods(model: Any, batch: Sequence[Score], read: Any, mask: torch.Tensor) -> list[list[list[float]]]:
    """From the prompts as they were read to the labels' tokens."""
    owners = [row for row, request in enumerate(batch) for _ in request.labels]
    labels = [label for request in batch for label in request.labels]
    picked = torch.tensor(owners, device=mask.device)
    first = torch.log_softmax(read.logits[picked, -1].float(), dim=-1)
    found = [[float(first[row, label[0]])] for row, label in enumerate(labels)]
    if max(map(len, labels)) > 1:
        read.past_key_values.batch_select_indices(picked)
        _continue(model, labels, found, read.past_key_values, mask[picked])
    answers = iter(found)
    return [[next(answers) for _ in request.labels] for request in batch]


def _continue(model: Any, labels: list[list[int]], found: list[list[float]], cache: Any, mask: torch.Tensor) -> None:
    """The second and later tokens of every label, all at once."""
    inputs, label_mask = _padded([label[:-1] or [label[0]] for label in labels], left=False, device=mask.device)
    lengths = mask.sum(-1, keepdim=True)
    positions = lengths + torch.arange(inputs.shape[1], device=mask.device)
    written = model(
        input_ids=inputs,
        attention_mask=torch.cat([mask, label_mask], dim=-1),
        position_ids=positions,
        past_key_values=cache,
        use_cache=True,
    )
    for row, label in enumerate(labels):
        steps = torch.log_softmax(written.logits[row, : len(label) - 1].float(), dim=-1)
        found[row] += [float(steps[step, token]) for step, token in enumerate(label[1:])]


def _padded(rows: list[list[int]], *, left: bool, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    width = max(map(len, rows))
    ids = torch.zeros((len(rows), width), dtype=torch.long, device=device)
    mask = torch.zeros_like(ids)
    for row, values in enumerate(rows):
        place = slice(width - len(values), width) if left else slice(0, len(values))
        ids[row, place] = torch.tensor(values, device=device)
        mask[row, place] = 1
    return ids, mask
