"""Texts that wait for a classifier's next step."""

from collections.abc import Iterator
from typing import Final

from services.inference.adapters.engines.wire import Classify

# So many go through a classifier in one step; a person's text waits for one at most.
_TOGETHER: Final = 16


class WaitingTexts:
    """First come, first served."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}

    def __bool__(self) -> bool:
        return bool(self._texts)

    def add(self, request: Classify) -> None:
        """Take one on."""
        self._texts[request.request_id] = request.text

    def drop(self, request_id: str) -> None:
        """Forget one; an unknown id is no error."""
        self._texts.pop(request_id, None)

    def take(self) -> Iterator[tuple[str, str]]:
        """The next ones, with their ids; they are no longer here."""
        for request_id in list(self._texts)[:_TOGETHER]:
            yield request_id, self._texts.pop(request_id)
