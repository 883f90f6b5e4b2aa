"""How often each prompt is asked."""

from collections import Counter

from headrace.bench.caching import asked_often


def test_a_few_are_asked_often_and_most_seldom_as_people_do() -> None:
    asked = Counter(asked_often([f"p{rank}" for rank in range(1, 11)], 293))
    # 293 is a hundred times the sum of 1/1 to 1/10.
    assert [asked[f"p{rank}"] for rank in (1, 2, 5, 10)] == [100, 50, 20, 10]


def test_it_is_the_same_each_time_and_spread_evenly() -> None:
    first = asked_often(["a", "b"], 30)
    assert first == asked_often(["a", "b"], 30)
    assert all("b" in first[start : start + 3] for start in range(28))
