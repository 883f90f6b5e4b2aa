import math

import pytest

from headrace.bench.asking import Answered, Load, questions, socket_url
from headrace.bench.figures import machine, markdown, percentile


@pytest.mark.parametrize(("percent", "expected"), [(50, 5), (90, 9), (95, 10), (100, 10), (1, 1)])
def test_a_percentile_is_a_value_that_was_measured(percent: float, expected: float) -> None:
    assert percentile([3, 1, 2, 10, 9, 8, 7, 6, 5, 4], percent) == expected


def test_a_percentile_of_one_is_it_and_of_none_is_no_figure() -> None:
    assert percentile([7.5], 95) == 7.5
    assert math.isnan(percentile([], 50))


def test_a_table_is_markdown_and_aligned() -> None:
    assert markdown(("part", "RSS MB"), [("kafka", "210"), ("gateway", "95")]).splitlines() == [
        "| part    | RSS MB |",
        "|---------|-------:|",
        "| kafka   |    210 |",
        "| gateway |     95 |",
    ]


def test_the_machine_is_told_in_words() -> None:
    assert "cores" in machine()
    assert "GiB" in machine()


def test_no_two_questions_are_alike_so_that_none_is_answered_from_the_cache() -> None:
    asked = [*questions(20), *questions(20)]
    assert len(set(asked)) == 40


@pytest.mark.parametrize(
    ("url", "socket"),
    [
        ("http://127.0.0.1:8080/", "ws://127.0.0.1:8080/v1/chat/ws"),
        ("https://chat.example.org", "wss://chat.example.org/v1/chat/ws"),
    ],
)
def test_the_socket_is_found_from_the_page(url: str, socket: str) -> None:
    assert socket_url(url) == socket


def test_a_run_is_told_by_what_answered_and_how_long_it_took() -> None:
    answers = (
        Answered("answered", 200.0, 50.0, 30),
        Answered("answered", 300.0, 70.0, 20, cached=True),
        Answered("overloaded", 4.0),
    )
    figures = Load(2, 2.0, answers).as_json()
    assert figures["outcomes"] == {"answered": 2, "overloaded": 1}
    assert figures["first_token_ms"] == {"p50": 50.0, "p95": 70.0}
    # A refusal is quick: it would make the answers look so.
    assert figures["done_ms"] == {"p50": 200.0, "p95": 300.0}
    assert figures["tokens_per_second"] == 25.0
    assert figures["cached"] == 1
