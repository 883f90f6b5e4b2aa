from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from headrace.messaging.records import Received, TopicPartition
from headrace.messaging.schedule import Schedule, Work


def work(key: str, offset: int, *, interactive: bool = True, topic: str = "t") -> Work:
    return Work(Received(topic, 0, offset, 0, key.encode(), b""), (topic, key), interactive)


def test_a_busy_key_waits_and_others_run() -> None:
    schedule = Schedule(capacity=4)
    for offset, key in enumerate("aab"):
        schedule.put(work(key, offset))
    first, second = schedule.take(), schedule.take()
    assert first is not None
    assert second is not None
    assert [first.record.offset, second.record.offset] == [0, 2]
    assert schedule.take() is None
    schedule.release(first)
    third = schedule.take()
    assert third is not None
    assert third.record.offset == 1


def test_a_question_overtakes_a_million_reviews() -> None:
    schedule = Schedule(capacity=8)
    for offset in range(1000):
        schedule.put(work(f"review{offset}", offset, interactive=False, topic="batch"))
    schedule.put(work("question", 0))
    first = schedule.take()
    assert first is not None
    assert first.interactive


def test_batch_work_leaves_slots_free_for_questions() -> None:
    schedule = Schedule(capacity=8)
    for offset in range(100):
        schedule.put(work(f"review{offset}", offset, interactive=False))
    taken = 0
    while schedule.take():
        taken += 1
    assert taken == 6
    schedule.put(work("question", 0, topic="prompts"))
    question = schedule.take()
    assert question is not None
    assert question.interactive


def test_what_may_have_killed_runs_alone_and_before_all_that_has_not_begun() -> None:
    schedule = Schedule(capacity=4)
    running, suspect = work("a", 0), work("b", 1)
    suspect.alone = True
    schedule.put(running)
    assert schedule.take() is running
    schedule.put(work("c", 2))
    schedule.put(suspect)
    assert schedule.take() is None
    schedule.release(running)
    assert schedule.take() is suspect
    assert schedule.take() is None
    schedule.release(suspect)
    assert schedule.take() is not None


def test_what_has_lived_through_a_try_need_not_be_alone_any_more() -> None:
    schedule = Schedule(capacity=4)
    suspect, other = work("a", 0), work("b", 1)
    suspect.alone = True
    schedule.put(suspect)
    schedule.put(other)
    assert schedule.take() is suspect
    schedule.accompany(suspect)
    assert schedule.take() is other


def test_what_runs_alone_keeps_the_order_of_its_key() -> None:
    schedule = Schedule(capacity=4)
    first, suspect, last = work("a", 0), work("a", 1), work("b", 2)
    suspect.alone = True
    for each in (first, suspect, last):
        schedule.put(each)
    assert [schedule.take(), schedule.take()] == [first, last]
    schedule.release(first)
    assert schedule.take() is None
    schedule.release(last)
    assert schedule.take() is suspect


def test_a_suspect_that_was_dropped_holds_nobody_up() -> None:
    schedule = Schedule(capacity=4)
    running, suspect, other = work("a", 0, topic="other"), work("b", 1), work("c", 2, topic="other")
    suspect.alone = True
    schedule.put(running)
    assert schedule.take() is running
    schedule.put(suspect)
    schedule.put(other)
    schedule.drop([TopicPartition("t", 0)])
    assert schedule.take() is other


def test_dropping_a_partition_forgets_what_waits_for_it() -> None:
    schedule = Schedule(capacity=1)
    running = work("a", 0)
    schedule.put(running)
    assert schedule.take() is running
    schedule.put(work("a", 1))
    schedule.put(work("b", 0, topic="other"))
    schedule.drop([TopicPartition("t", 0)])
    schedule.release(running)
    left = schedule.take()
    assert left is not None
    assert left.record.topic == "other"
    schedule.release(left)
    assert schedule.idle


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.booleans()), max_size=60), st.integers(1, 6), st.data())
def test_order_holds_within_every_key_and_nothing_is_lost(
    arrivals: list[tuple[str, bool]], capacity: int, data: st.DataObject
) -> None:
    schedule = Schedule(capacity)
    for offset, (key, interactive) in enumerate(arrivals):
        schedule.put(work(key, offset, interactive=interactive, topic="i" if interactive else "b"))
    running: list[Work] = []
    done: dict[object, list[int]] = defaultdict(list)
    while not schedule.idle:
        while taken := schedule.take():
            assert all(other.key != taken.key for other in running)
            running.append(taken)
        assert 0 < len(running) <= capacity
        finished = running.pop(data.draw(st.integers(0, len(running) - 1)))
        done[finished.key].append(finished.record.offset)
        schedule.release(finished)
    assert sum(map(len, done.values())) == len(arrivals)
    assert all(offsets == sorted(offsets) for offsets in done.values())


def test_what_runs_alone_does_not_wait_for_what_rests_in_its_place() -> None:
    schedule = Schedule(4)
    patient, suspect, other = work("patient", 0), work("suspect", 1), work("other", 2)
    suspect.alone = True
    schedule.put(patient)
    assert schedule.take() is patient
    for each in (suspect, other):
        schedule.put(each)
    assert schedule.take() is None
    patient.resting = True
    assert schedule.take() is suspect
    assert schedule.take() is None
    schedule.release(suspect)
    assert schedule.take() is other


def test_what_was_handed_out_again_does_not_rest_any_more() -> None:
    schedule = Schedule(4)
    patient, suspect = work("patient", 0), work("suspect", 1)
    suspect.alone = True
    # As what waited behind a breaker that has closed.
    patient.resting = True
    schedule.put(patient)
    assert schedule.take() is patient
    schedule.put(suspect)
    assert schedule.take() is None
    schedule.release(patient)
    assert schedule.take() is suspect
