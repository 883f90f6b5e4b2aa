"""Answers and the form that was asked for."""

import json
from typing import Any

import pytest

from services.inference.domain.constraint import AnyJson, Choice, JsonSchema
from services.inference.handlers.form import Form


def form(**schema: Any) -> Form:
    return Form(JsonSchema(json.dumps(schema)))


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "properties": {"not": {"type": "string"}, "allOf": {"enum": [{"if": 1}]}}},
        {"$ref": "#/$defs/a", "$defs": {"a": {"anyOf": [{"const": {"oneOf": 1}}, {"type": "null"}]}}},
        {"type": "array", "items": {"type": "string", "minLength": 1, "pattern": "a+"}, "maxItems": 3},
    ],
)
def test_a_schema_of_plain_keywords_is_followed_whatever_its_properties_are_called(schema: dict[str, Any]) -> None:
    assert form(**schema).followed


@pytest.mark.parametrize(
    "schema",
    [
        {"allOf": [{"type": "string"}]},
        {"type": "object", "properties": {"a": {"not": {"const": 1}}}},
        {"type": "array", "uniqueItems": True},
        {"$defs": {"a": {"type": "integer", "minimum": 3}}, "$ref": "#/$defs/a"},
    ],
)
def test_a_schema_that_says_more_is_not(schema: dict[str, Any]) -> None:
    assert not form(**schema).followed


def test_forms_without_a_schema_are_followed_and_have_no_problem() -> None:
    for constraint in (AnyJson(), Choice(("yes", "no"))):
        assert Form(constraint).followed
        assert Form(constraint).problem("{}") == ""


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ('["a", "b"]', ""),
        ('["a", "a"]', "$: ['a', 'a'] has non-unique elements"),
        ('[1, "a"]', "$[0]: 1 is not of type 'string'"),
        ("[", "it is no JSON"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(answer: str, problem: str) -> None:
    found = form(type="array", uniqueItems=True, items={"type": "string"}).problem(answer)
    assert found.startswith(problem) if problem else not found


def test_a_pattern_that_would_search_for_ever_is_left_to_the_grammar() -> None:
    """INVARIANT: no schema of a client's can hold the event loop."""
    assert form(type="string", pattern="(a+)+$", uniqueItems=True).problem(json.dumps("a" * 60 + "b")) == ""


def test_a_reference_that_leads_nowhere_is_a_problem_and_no_error() -> None:
    assert "cannot be applied" in form(**{"$ref": "#/$defs/none"}).problem("1")
