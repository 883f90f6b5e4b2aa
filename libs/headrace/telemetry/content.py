"""Whether the words of users may appear in spans and logs, and under which names they would come."""

import os
from functools import lru_cache
from typing import Final

# The last part of a key (`gen_ai.input.messages` counts as `messages`) under which people's words travel.
CONTENT_KEYS: Final = frozenset(
    {
        "answer",
        "body",
        "comment",
        "completion",
        "content",
        "correction",
        "delta",
        "instructions",
        "messages",
        "prompt",
        "query",
        "question",
        "system_instructions",
        "text",
    }
)


def content_allowed() -> bool:
    """Return what `HEADRACE_TRACE_CONTENT` says: off unless it is "1", "true", "yes" or "on"."""
    return os.environ.get("HEADRACE_TRACE_CONTENT", "").strip().lower() in {"1", "true", "yes", "on"}


@lru_cache(maxsize=4096)
def carries_content(key: str) -> bool:
    """Tell whether a log key or span attribute of this name would hold somebody's words."""
    return key.rpartition(".")[2].lower() in CONTENT_KEYS
