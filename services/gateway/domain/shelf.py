"""Which finished turns are kept at hand: the latest used, within a number of bytes."""

from collections import OrderedDict


class Shelf:
    """Names and sizes in order of use; what falls off can still be read from Kafka."""

    def __init__(self, max_size: int) -> None:
        self._max_size = max_size
        self._sizes: OrderedDict[str, int] = OrderedDict()
        self._total = 0

    def put(self, turn_id: str, size: int) -> list[str]:
        """Keep a turn; the names that had to go are returned, its own among them where it does not fit alone."""
        self._total += size - self._sizes.pop(turn_id, 0)
        self._sizes[turn_id] = size
        gone = []
        while self._total > self._max_size:
            oldest, freed = self._sizes.popitem(last=False)
            self._total -= freed
            gone.append(oldest)
        return gone

    def touch(self, turn_id: str) -> None:
        """Note that a turn was used."""
        if turn_id in self._sizes:
            self._sizes.move_to_end(turn_id)
