"""Whether the words of users may appear in spans and logs."""

import os


def content_allowed() -> bool:
    """Return what `HEADRACE_TRACE_CONTENT` says: off unless it is "1", "true", "yes" or "on"."""
    return os.environ.get("HEADRACE_TRACE_CONTENT", "").strip().lower() in {"1", "true", "yes", "on"}
