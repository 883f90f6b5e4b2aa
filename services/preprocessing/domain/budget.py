"""How many tokens there are to spend, and on what."""

from dataclasses import dataclass

from services.preprocessing.domain.request import Rejected

# An answer shorter than this is not worth asking for; below it the prompt is what has to give.
LEAST_NEW_TOKENS = 64


@dataclass(frozen=True, slots=True)
class Window:
    """What one model can take."""

    context_window: int
    max_new_tokens: int


@dataclass(frozen=True, slots=True)
class Budget:
    """Tokens of the chosen model; `remaining` is what history and sources may fill."""

    context_window: int
    max_new_tokens: int
    used: int
    remaining: int


def budget(window: Window, used: int, *, asked: int | None, usual: int, field: str) -> Budget | Rejected:
    """Divide the window, or say what is too long.

    What the client asked for is kept or refused, never quietly cut; the template's usual length gives way to a long
    prompt down to `LEAST_NEW_TOKENS`.
    """
    if asked is not None and asked > window.max_new_tokens:
        name = "sampling.max_tokens"
        message = f"{name} is {asked:,}, this model's limit is {window.max_new_tokens:,}: ask for less"
        return Rejected("out_of_range", message, name)
    wanted = asked if asked is not None else min(usual, window.max_new_tokens)
    least = wanted if asked is not None else min(wanted, LEAST_NEW_TOKENS)
    if used + least > window.context_window:
        limit = max(window.context_window - least, 0)
        message = (
            f"{field} takes {used:,} tokens with its instructions, the limit is {limit:,} "
            f"(a window of {window.context_window:,} less {least:,} for the answer): shorten it"
        )
        return Rejected("too_long", message, field)
    new_tokens = min(wanted, window.context_window - used)
    return Budget(window.context_window, new_tokens, used, window.context_window - used - new_tokens)
