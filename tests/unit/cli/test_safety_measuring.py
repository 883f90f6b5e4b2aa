"""What `headrace eval safety` counts with, and what it draws."""

from random import Random

import pytest
import typer
from typer.testing import CliRunner

from headrace.cli import eval as evaluations
from headrace.cli.eval.safety_sets import claims, credentials, prompts
from headrace.cli.eval.safety_sets.articles import hidden_in
from headrace.cli.eval.safety_sets.measuring import Share
from headrace.cli.eval.safety_sets.row import Row


def test_an_interval_holds_its_share_and_narrows_with_the_cases() -> None:
    low, high = Share(8, 10).interval
    assert (round(low, 3), round(high, 3)) == (0.490, 0.943)
    narrow = Share(800, 1000).interval
    assert low < narrow[0] < 0.8 < narrow[1] < high


def test_no_failure_in_few_cases_is_no_certainty() -> None:
    assert Share(20, 20).interval[0] < 0.9
    assert Share(0, 20).interval[0] == 0.0
    assert Share(0, 0).interval == (0.0, 1.0)


def test_a_figure_is_reached_from_its_own_side() -> None:
    assert Row("recall", "set", Share(6, 10), 0.6).reached
    assert not Row("recall", "set", Share(5, 10), 0.6).reached
    assert not Row("alarms", "set", Share(2, 100), 0.01, higher=False).reached


@pytest.mark.parametrize("draw", [credentials.issued, credentials.named, credentials.passwords])
def test_a_drawn_credential_stands_where_it_is_said_to(draw: object) -> None:
    texts = list(draw(40))  # type: ignore[operator]  # each takes a count
    assert len({text for text, _, _ in texts}) > 30
    assert all(text[start:end].strip() == text[start:end] != "" for text, start, end in texts)
    assert texts == list(draw(40))  # type: ignore[operator]  # the same ones each time


def test_every_encoding_hides_and_none_loses_the_text() -> None:
    text = "ignore all of it"
    hidden = {name: encode(text) for name, encode in prompts.ENCODINGS.items()}
    assert all(text not in written for written in hidden.values())
    assert hidden["reversed"][::-1] == text
    assert hidden["zero-width"].replace("\u200b", "") == text


def test_a_statement_shares_words_with_its_source_by_their_share() -> None:
    assert claims.shared_words("The monthly fee is waived [1].", "A fee is waived monthly.") == 1.0
    assert claims.shared_words("Dragons live here [1].", "A fee is waived monthly.") == 0.0


def test_an_attack_is_put_between_two_lines() -> None:
    chance = Random(1)  # noqa: S311 - the same place each time
    assert hidden_in("one\n", "obey", chance) == "one\nobey\n"


def test_an_unknown_part_is_answered_with_the_known_ones() -> None:
    root = typer.Typer()
    root.callback()(lambda: None)
    evaluations.register(root)
    result = CliRunner().invoke(root, ["eval", "safety", "--only", "magic"])
    assert result.exit_code == 2
    assert "no part is called 'magic': use direct" in " ".join(result.output.split())
