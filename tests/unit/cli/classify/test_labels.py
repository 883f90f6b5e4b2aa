"""Classes from the command line."""

from pathlib import Path

import pytest

from headrace.cli.classify.labels import labels_of
from headrace.messaging.errors import Invalid

TWO = [("late", "It came too late."), ("broken", "")]


def named(given: list[str]) -> list[tuple[str, str]]:
    return [(label.name, label.description) for label in labels_of(given)]


def test_none_are_the_models_own() -> None:
    assert named([]) == []


@pytest.mark.parametrize("given", [["late=It came too late., broken"], ["late=It came too late.", "broken"]])
def test_classes_are_named_by_commas_or_one_by_one(given: list[str]) -> None:
    assert named(given) == TWO


@pytest.mark.parametrize(
    "content",
    [
        "late: It came too late.\nbroken:\n",
        "- {name: late, description: It came too late.}\n- broken\n",
        '{"late": "It came too late.", "broken": ""}',
    ],
)
def test_a_file_may_name_them_with_commas_in_what_they_say(tmp_path: Path, content: str) -> None:
    path = tmp_path / "labels.yaml"
    path.write_text(content, encoding="utf-8")
    assert named([str(path)]) == TWO


@pytest.mark.parametrize("given", [["good"], ["good,Good"], ["a=x,a=y"]])
def test_one_class_is_no_choice(given: list[str]) -> None:
    with pytest.raises(Invalid, match="at least 2 classes"):
        labels_of(given)


@pytest.mark.parametrize("content", ["a string", "- 1\n- {name: x, colour: red}\n", "{"])
def test_a_file_that_holds_none_says_how_to_write_them(tmp_path: Path, content: str) -> None:
    path = tmp_path / "labels.yaml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(Invalid, match="holds no classes"):
        labels_of([str(path)])
    with pytest.raises(Invalid, match="cannot be read"):
        labels_of([str(tmp_path / "none.yaml")])
