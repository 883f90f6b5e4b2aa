"""What does not fit in a file that people write, on one line: the place, and what should stand there."""

from typing import Final

from pydantic import ValidationError

_TOLD: Final = 5
_PREFIX: Final = "Value error, "


def misfit(error: Exception) -> str:
    """The places and reasons of a file that was read and does not fit, without what a parser says to programmers."""
    if not isinstance(error, ValidationError):
        return " ".join(str(error).split())
    found = error.errors(include_url=False, include_context=False, include_input=False)
    told = [
        f"{'.'.join(map(str, each['loc']))}: {reason}" if each["loc"] else reason
        for each in found[:_TOLD]
        for reason in [each["msg"].removeprefix(_PREFIX)]
    ]
    return "; ".join(told) + (f"; and {more} more" if (more := len(found) - _TOLD) > 0 else "")
