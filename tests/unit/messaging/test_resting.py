from hypothesis import given
from hypothesis import strategies as st

from headrace.messaging.records import Received, TopicPartition
from headrace.messaging.resting import Resting
from headrace.messaging.schedule import Work


def work(offset: int, partition: int = 0) -> Work:
    return Work(Received("retries", partition, offset, 0, b"k", b""), ("t", b"k"), interactive=True)


@given(st.lists(st.integers(0, 50), max_size=30), st.lists(st.integers(0, 60), max_size=10))
def test_each_comes_out_once_not_before_its_time_and_in_order(dues: list[int], looks: list[int]) -> None:
    resting = Resting()
    for offset, due in enumerate(dues):
        resting.put(work(offset), due)
    out: list[int] = []
    for now in [*sorted(looks), 100]:
        found = [each.record.offset for each in resting.due(now)]
        assert all(dues[offset] <= now for offset in found)
        assert found == sorted(found, key=lambda offset: (dues[offset], offset))
        out += found
        assert resting.next_ms is None or resting.next_ms > now
    assert sorted(out) == list(range(len(dues)))
    assert resting.count(TopicPartition("retries", 0)) == 0


def test_dropping_a_partition_forgets_what_rests_of_it() -> None:
    resting = Resting()
    resting.put(work(0), 10)
    resting.put(work(1, partition=1), 20)
    resting.drop([TopicPartition("retries", 0)])
    assert resting.next_ms == 20
    assert [each.record.offset for each in resting.due(50)] == [1]
