"""Words of others on a terminal: cut to size, and unable to command it. Pure."""

from datetime import datetime
from typing import Final

_PREFIX: Final = "headrace."
_SUFFIX: Final = ".v1"


def harmless(text: str) -> str:
    """The text with every control character made visible: an escape sequence could rewrite the screen."""
    return "".join(char if char.isprintable() or char == "\n" else _shown(char) for char in text)


def one_line(text: str, most: int) -> str:
    """The text in one line of at most so many characters."""
    line = harmless(" ".join(text.split()))
    return line if len(line) <= most else line[: most - 1] + "…"


def short_topic(topic: str) -> str:
    """A topic of ours without what all of them share."""
    return topic.removeprefix(_PREFIX).removesuffix(_SUFFIX) if topic.startswith(_PREFIX) else topic


def local(epoch_ms: int) -> str:
    """A moment in this machine's zone."""
    return f"{datetime.fromtimestamp(epoch_ms / 1000).astimezone():%Y-%m-%d %H:%M:%S}"


def _shown(char: str) -> str:
    return " " if char == "\t" else char.encode("unicode_escape").decode()
