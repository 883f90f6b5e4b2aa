from collections import Counter

from tests.chaos.path.load import Load


def test_a_seed_gives_the_same_load_and_another_seed_none_of_its_ids() -> None:
    first, again, other = ([sent.id for sent in Load(20, 50, seed).all()] for seed in (1, 1, 2))
    assert first == again
    assert not set(first) & set(other)


def test_a_load_holds_what_it_says_and_each_id_once() -> None:
    load = Load(turns=30, reviews=100, seed=7)
    sent = list(load.all())
    assert len(sent) == load.events == 160
    assert Counter(each.id for each in sent).most_common(1)[0][1] == 1


def test_the_kinds_are_mixed_over_the_whole() -> None:
    halves = list(Load(turns=100, reviews=1000, seed=7).all())
    first = Counter(sent.topic for sent in halves[: len(halves) // 2])
    assert all(abs(count - other / 2) <= other * 0.05 for count, other in zip(
        (first[topic] for topic in sorted(first)), (100, 100, 1000), strict=True
    ))  # fmt: skip


def test_the_turns_of_a_conversation_are_sent_in_their_order() -> None:
    load = Load(turns=40, reviews=0, seed=3)
    sent = [each.id for each in load.all()]
    assert sent.index(load.turn_id(0)) < sent.index(load.turn_id(4)) < sent.index(load.turn_id(8))
    assert load.conversation_of(0) == load.conversation_of(4) == load.conversation_of(8)
