"""What a request asks of the sampler, within what the model allows."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sampling:
    """Resolved sampling of one request; `temperature` 0 is greedy, `seed` None draws one."""

    temperature: float = 0.0
    top_p: float = 1.0
    max_tokens: int = 256
    seed: int | None = None
    stop: tuple[str, ...] = ()
    # The model's own: how much less likely a token becomes once it stands in the prompt or the answer.
    repetition_penalty: float = 1.0
    # How many alternatives to each token are told, with the probabilities of all; None: no probabilities.
    logprobs: int | None = None

    @property
    def repeatable(self) -> bool:
        """Whether asking again gives the same answer, so that a cached one is as good."""
        return self.temperature == 0.0


def room(sampling: Sampling, *, prompt_tokens: int, context_window: int) -> int:
    """How many tokens the answer may have: what was asked for, cut at the end of the window; 0 or less: none fits."""
    return min(sampling.max_tokens, context_window - prompt_tokens)
