from random import Random

from hypothesis import given
from hypothesis import strategies as st

from headrace.messaging.offsets import PartitionProgress


def test_nothing_is_committed_before_the_first_is_finished() -> None:
    progress = PartitionProgress()
    for offset in (4, 5, 6):
        assert progress.start(offset)
    progress.finish(5)
    progress.finish(6)
    assert progress.committable() == 4
    progress.finish(4)
    assert progress.committable() == 7


def test_a_gap_in_the_offsets_holds_nothing_back() -> None:
    """INVARIANT: transaction markers and compaction leave gaps; waiting for such an offset stops a partition."""
    progress = PartitionProgress()
    for offset in (0, 3, 9):
        progress.start(offset)
        progress.finish(offset)
    assert progress.committable() == 10


def test_a_repeat_of_what_was_delivered_is_refused() -> None:
    progress = PartitionProgress()
    assert progress.start(0)
    assert progress.start(1)
    progress.finish(0)
    assert not progress.start(0)
    assert not progress.start(1)
    assert progress.start(2)


def test_finishing_twice_is_harmless() -> None:
    progress = PartitionProgress()
    progress.start(0)
    progress.start(1)
    for _ in range(2):
        progress.finish(0)
    assert progress.committable() == 1


def test_what_is_committed_is_not_offered_again() -> None:
    progress = PartitionProgress()
    progress.start(0)
    progress.finish(0)
    progress.committed(1)
    assert progress.committable() is None


@given(st.lists(st.integers(0, 200), unique=True, min_size=1), st.randoms(use_true_random=False))
def test_a_commit_never_passes_an_unfinished_offset(offsets: list[int], order: Random) -> None:
    offsets.sort()
    progress = PartitionProgress()
    for offset in offsets:
        progress.start(offset)
    unfinished = set(offsets)
    shuffled = list(offsets)
    order.shuffle(shuffled)
    for offset in shuffled:
        progress.finish(offset)
        unfinished.discard(offset)
        committable = progress.committable()
        assert committable is not None
        assert all(open_offset >= committable for open_offset in unfinished)
    assert progress.committable() == offsets[-1] + 1
    assert progress.outstanding == 0
