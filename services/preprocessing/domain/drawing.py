"""What is drawn in the end: what the client asked for, then what the template usually takes."""

from dataclasses import replace
from typing import assert_never

from headrace.prompts.template import Cache, Sampling


def drawn(asked: Sampling, usual: Sampling, max_new_tokens: int) -> Sampling:
    """What the client asked for, then what the template usually takes."""
    return replace(
        asked,
        temperature=asked.temperature if asked.temperature is not None else usual.temperature,
        top_p=asked.top_p if asked.top_p is not None else usual.top_p,
        seed=asked.seed if asked.seed is not None else usual.seed,
        stop=asked.stop or usual.stop,
        max_tokens=max_new_tokens,
    )


def cacheable(cache: Cache, asked: Sampling, drawing: Sampling) -> bool:
    """Whether the answer may be kept: a client that asks for randomness itself gets a fresh draw each time."""
    greedy = drawing.temperature == 0
    match cache:
        case "never":
            return False
        case "greedy":
            return greedy
        case "always":
            return greedy or not asked.temperature or asked.seed is not None
        case never:
            assert_never(never)
