from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from headrace.messaging.times import FIRST_MS, LAST_MS, epoch_ms, timestamp


@given(st.integers(-(2**63), 2**63 - 1), st.integers(-(2**31), 2**31 - 1))
def test_every_timestamp_that_bytes_can_hold_is_a_moment(seconds: int, nanos: int) -> None:
    assert FIRST_MS <= epoch_ms(Timestamp(seconds=seconds, nanos=nanos)) <= LAST_MS


@given(st.integers())
def test_every_moment_can_be_written(moment_ms: int) -> None:
    written = timestamp(moment_ms)
    assert epoch_ms(written) == min(LAST_MS, max(FIRST_MS, moment_ms))
    assert written.ToDatetime().year >= 1
