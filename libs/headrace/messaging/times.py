"""Moments on the wire, read and written for every value that the bytes can hold. Pure."""

from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp

# What a timestamp may name: the years 1 to 9999, in epoch milliseconds. Anybody may send seconds beyond them.
FIRST_MS: Final = -62_135_596_800_000
LAST_MS: Final = 253_402_300_799_999


def epoch_ms(stamp: Timestamp) -> int:
    """Epoch milliseconds; absurd moments are drawn to the first or the last that can be named."""
    return max(FIRST_MS, min(LAST_MS, stamp.seconds * 1000 + stamp.nanos // 1_000_000))


def timestamp(moment_ms: int) -> Timestamp:
    """Epoch milliseconds as the wire's timestamp, within what it can name."""
    stamp = Timestamp()
    stamp.FromMilliseconds(max(FIRST_MS, min(LAST_MS, moment_ms)))
    return stamp
