"""Fetched batches, read for whatever their headers are named.

aiokafka decodes the names of headers as UTF-8 and raises where they are not, before anybody sees the record: again and
again at the same offset, so that one record of a client in C or Go stops its partition for every reader. Such a batch
is read once more by aiokafka's own parser in Python, over bytes that decode leniently.
"""

import struct
from collections.abc import Iterator
from typing import Any, Final, SupportsIndex

from aiokafka.consumer import fetcher
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import MemoryRecords

# Of every batch, whatever its format: the offset of its first record, and how many bytes follow.
_HEAD: Final = struct.Struct(">qi")


class TolerantRecords:
    """In the place of aiokafka's `MemoryRecords`."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._records = MemoryRecords(data)
        self._begins = 0

    def size_in_bytes(self) -> int:
        """As the original says."""
        size: int = self._records.size_in_bytes()
        return size

    def has_next(self) -> bool:
        """As the original says."""
        return bool(self._records.has_next())

    def next_batch(self) -> Any:
        """The next batch; None at the end."""
        batch = self._records.next_batch()
        if batch is None:
            return None
        begins = self._begins
        self._begins += _HEAD.size + _HEAD.unpack_from(self._data, begins)[1]
        return _TolerantBatch(batch, memoryview(self._data)[begins : self._begins])


class _TolerantBatch:
    """A batch; what it says of itself is what the one that it stands for says."""

    def __init__(self, batch: Any, data: memoryview) -> None:
        self._batch = batch
        self._data = data

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __next__(self) -> Any:
        return next(self._batch)

    def __iter__(self) -> Iterator[Any]:
        given = 0
        try:
            for record in self._batch:
                yield record
                given += 1
        except UnicodeDecodeError:
            lenient = _DefaultRecordBatchPy(self._data)
            iter(lenient)
            lenient._buffer = _Lenient(lenient._buffer)  # noqa: SLF001 - there is no other way in
            for number, record in enumerate(lenient):
                if number >= given:
                    yield record


class _Lenient(bytearray):
    """Bytes whose parts become text whatever they are."""

    def __getitem__(self, place: SupportsIndex | slice) -> Any:
        found = super().__getitem__(place)
        return _Text(found) if isinstance(found, bytearray) else found


class _Text(bytes):
    def decode(self, encoding: str = "utf-8", errors: str = "replace") -> str:
        """Never fails."""
        return super().decode(encoding, "replace" if errors == "strict" else errors)


def tolerate() -> None:
    """For every consumer of this process. The fetcher has no other place where a reader could be given."""
    fetcher.MemoryRecords = TolerantRecords
