"""A record as it came from the log, before anyone has judged its bytes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple


class TopicPartition(NamedTuple):
    """Where offsets count."""

    topic: str
    partition: int


@dataclass(frozen=True, slots=True)
class Received:
    """One record. `value` is None for a tombstone; `timestamp_ms` is epoch milliseconds."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    raw_headers: tuple[tuple[str, bytes], ...] = ()
    # Decoded leniently: a header that is not UTF-8 must not make the record unreadable.
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def home(self) -> TopicPartition:
        """The partition that this record's offset belongs to."""
        return TopicPartition(self.topic, self.partition)

    @property
    def place(self) -> str:
        """Names the record where it does not name itself."""
        return f"{self.topic}/{self.partition}/{self.offset}"

    @property
    def key_text(self) -> str:
        """The key as text; bytes that are no UTF-8 are replaced, never refused."""
        return (self.key or b"").decode("utf-8", "replace")


def lenient(raw_headers: tuple[tuple[str, bytes], ...]) -> dict[str, str]:
    """Headers as text, the last of a name winning, undecodable bytes replaced."""
    return {name: (value or b"").decode("utf-8", "replace") for name, value in raw_headers}


def header_int(headers: Mapping[str, str], name: str, default: int = 0) -> int:
    """A header as an integer of 64 bits; the default where it is absent or is none."""
    try:
        number = int(headers.get(name, default))
    except ValueError:
        return default
    return number if -(2**63) <= number < 2**63 else default
