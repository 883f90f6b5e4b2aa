"""Which of a client's earlier messages go, where not all of them fit: the oldest exchanges, whole."""

from collections.abc import Sequence

from headrace.prompts.template import Message
from services.preprocessing.domain.budget import Budget
from services.preprocessing.domain.request import Rejected

# What history gives way to: so many tokens stay free for sources, where the pipeline looks for some.
ROOM_FOR_SOURCES = 512


def beginnings(history: Sequence[Message]) -> list[int]:
    """Where a kept history may begin: at any question, first all of it; the last is its end, where none is kept."""
    return [0, *(at for at, message in enumerate(history) if at and message.role == "user"), len(history)]


def good(plan: Budget | Rejected, *, wanted: int, room: int) -> bool:
    """Whether nothing has to give way: the answer has the length that it usually has, and sources have their room."""
    return isinstance(plan, Budget) and plan.max_new_tokens >= wanted and plan.remaining >= room
