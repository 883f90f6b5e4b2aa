from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.messaging.ahead import LONGEST, Ahead, written
from headrace.messaging.offsets import PartitionProgress


def to_commit(progress: PartitionProgress) -> int | None:
    """What there is to commit."""
    said = progress.committable(noted=False)
    return said[0] if said else None


def test_nothing_is_committed_before_the_first_is_finished() -> None:
    progress = PartitionProgress()
    for offset in (4, 5, 6):
        assert progress.start(offset)
    progress.finish(5)
    progress.finish(6)
    assert to_commit(progress) == 4
    progress.finish(4)
    assert to_commit(progress) == 7


def test_a_gap_in_the_offsets_holds_nothing_back() -> None:
    """INVARIANT: transaction markers and compaction leave gaps; waiting for such an offset stops a partition."""
    progress = PartitionProgress()
    for offset in (0, 3, 9):
        progress.start(offset)
        progress.finish(offset)
    assert to_commit(progress) == 10


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
    assert to_commit(progress) == 1


def test_what_is_committed_is_not_offered_again() -> None:
    progress = PartitionProgress()
    progress.start(0)
    progress.finish(0)
    progress.committed(1)
    assert to_commit(progress) is None


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
        committable = to_commit(progress)
        assert committable is not None
        assert all(open_offset >= committable for open_offset in unfinished)
    assert to_commit(progress) == offsets[-1] + 1
    assert progress.outstanding == 0


def test_what_is_finished_behind_something_open_is_said_in_the_note() -> None:
    progress = PartitionProgress()
    for offset in (5, 6, 7, 9, 10, 12):
        progress.start(offset)
    for offset in (6, 7, 9, 12):
        progress.finish(offset)
    assert progress.committable(noted=True) == (5, "5:1-4,7")
    assert progress.committable(noted=False) == (5, "")
    progress.committed(5, "5:1-4,7")
    assert progress.committable(noted=True) is None
    progress.finish(5)
    assert progress.committable(noted=True) == (10, "10:2")
    progress.finish(10)
    assert progress.committable(noted=True) == (13, "")


@given(st.lists(st.booleans(), min_size=1, max_size=200), st.integers(0, 10**12), st.integers(1, 3))
def test_whoever_reads_the_note_passes_over_what_was_finished_and_nothing_else(
    done: list[bool], base: int, gap: int
) -> None:
    progress = PartitionProgress()
    offsets = [base + gap * index for index in range(len(done))]
    for offset in offsets:
        progress.start(offset)
    finished = {offset for offset, is_done in zip(offsets, done, strict=True) if is_done}
    for offset in sorted(finished, reverse=True):
        progress.finish(offset)
    said = progress.committable(noted=True)
    assert said is not None
    ahead = Ahead(*said)
    assert [offset for offset in offsets if offset >= said[0] and ahead.passes(offset)] == [
        offset for offset in offsets if offset >= said[0] and offset in finished
    ]


def test_a_note_has_a_limit_and_what_does_not_fit_is_done_again() -> None:
    note = written(10**12, ((10**12 + 2 * n, 10**12 + 2 * n) for n in range(1, 10_000)))
    assert len(note) <= LONGEST
    ahead = Ahead(10**12, note)
    passed = [n for n in range(1, 10_000) if ahead.passes(10**12 + 2 * n)]
    assert passed == list(range(1, len(passed) + 1))
    assert len(passed) > 500


@pytest.mark.parametrize(
    "note", ["", "x", "7:", "7:1", "5:1,", "5:-1", "5:1-", "5:" + "9" * 30, "5:1,٣", "of somebody else"]
)
def test_a_note_of_another_commit_or_of_somebody_else_says_nothing(note: str) -> None:
    assert not Ahead(5, note).passes(6)


def test_what_is_at_work_is_said_in_the_note_until_it_is_finished_or_left() -> None:
    progress = PartitionProgress()
    for offset in (5, 6, 7):
        progress.start(offset)
        progress.begin(offset)
    assert progress.committable(noted=True) == (5, "5:;0*1,1*1,2*1")
    progress.finish(6)
    assert progress.committable(noted=True) == (5, "5:1;0*1,2*1")
    progress.leave(7)
    assert progress.committable(noted=True) == (5, "5:1;0*1")
    progress.finish(5)
    assert progress.committable(noted=True) == (7, "")


def test_whoever_comes_after_a_crash_counts_on() -> None:
    ahead = Ahead(5, "5:1;0*2,3*1")
    assert [offset for offset in range(5, 10) if ahead.passes(offset)] == [6]
    progress = PartitionProgress(ahead.begun)
    progress.start(5)
    progress.begin(5)
    # What has not been delivered yet keeps its count.
    assert progress.committable(noted=True) == (5, "5:;0*3,3*1")
    progress.leave(5)
    assert progress.begun(5) == 2
    progress.finish(5)
    progress.start(8)
    assert progress.begun(8) == 1


def test_a_note_of_an_earlier_version_is_understood_and_nonsense_is_not() -> None:
    assert Ahead(7, "7:2,4-9").begun == {}
    assert Ahead(7, "7:;1*4").begun == {8: 4}
    for nonsense in ("7:;", "7:;1", "7:2;1*", "7;1*2", "8:;1*4", ":;1*1"):
        assert Ahead(7, nonsense).begun == {}


def test_what_is_at_work_has_its_place_in_a_note_that_is_full() -> None:
    base = 10**12
    begun = {base + n: 10**5 for n in range(500)}
    note = written(base, ((base + 2 * n, base + 2 * n) for n in range(1, 10_000)), begun)
    assert len(note) <= LONGEST
    assert len(Ahead(base, note).begun) == 128
