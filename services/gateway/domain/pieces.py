"""The texts that make up an answer, in order. Once nothing follows they are kept as one, with where each ends."""

from array import array
from itertools import accumulate, pairwise


class Pieces:
    """Texts by index. A string object each costs more than the few characters in it, so `seal` puts them together."""

    __slots__ = ("_ends", "_open", "_sealed")

    def __init__(self) -> None:
        self._open: list[str] = []
        self._sealed = ""
        self._ends: array[int] | None = None

    def __len__(self) -> int:
        return len(self._open) if self._ends is None else len(self._ends)

    def append(self, text: str) -> None:
        """Add the next one; not after `seal`."""
        self._open.append(text)

    def clear(self) -> None:
        """Forget all; not after `seal`."""
        self._open.clear()

    def since(self, first: int) -> list[str]:
        """Those from this index on."""
        if self._ends is None:
            return self._open[first:]
        begin = self._ends[first - 1] if 0 < first <= len(self._ends) else 0
        return [self._sealed[start:end] for start, end in pairwise((begin, *self._ends[first:]))]

    def join(self) -> str:
        """All of them as one text."""
        return "".join(self._open) if self._ends is None else self._sealed

    def seal(self, text: str) -> None:
        """Nothing follows. `text` is likely the same as all pieces together and need not be kept twice then."""
        whole = self.join()
        self._ends = array("I", accumulate(map(len, self._open)))
        self._sealed = text if text == whole else whole
        self._open = []
