"""Probabilities of labels, from the model's log-likelihoods."""

import math
from collections.abc import Sequence


def among(log_likelihoods: Sequence[Sequence[float]]) -> tuple[float, ...]:
    """Probability of each label among the labels, summing to 1; one sequence of token log-probabilities a label.

    A label's likelihood is that of all its tokens: the tail of a word is near certain once it has begun, so a longer
    label pays next to nothing for its length, whereas a mean per token would favour long labels.
    """
    totals = [math.fsum(tokens) for tokens in log_likelihoods]
    highest = max(totals)
    weights = [math.exp(total - highest) for total in totals]
    whole = math.fsum(weights)
    return tuple(weight / whole for weight in weights)
