"""Forms of an answer, judged before any model sees them."""

import json
from typing import Any

import pytest

from services.preprocessing.domain.forms import check_form
from services.preprocessing.domain.request import Form, Rejected

PERSON = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}


def first(form: Form) -> Rejected | None:
    found = next(check_form(form, max_schema_characters=2_000, max_choices=3, max_choice_characters=10), None)
    assert found is None or isinstance(found, Rejected)
    return found


def of(schema: Any) -> Form:
    return Form("json_schema", json.dumps(schema))


@pytest.mark.parametrize(
    "form",
    [
        *(Form(), Form("text"), Form("json_object"), of(PERSON), Form("choice", choices=("yes", "no"))),
        of({"$ref": "#/$defs/x", "$defs": {"x": {"type": "string", "pattern": "[a-z]{1,9}", "maxLength": 9}}}),
        # A property may have any name.
        of({"type": "object", "properties": {"pattern": {"type": "string"}, "$ref": {"type": "integer"}}}),
    ],
)
def test_what_can_be_kept_to_passes(form: Form) -> None:
    assert first(form) is None


@pytest.mark.parametrize(
    ("form", "field", "reason"),
    [
        (Form("yaml"), "response_format.type", "none of text, json_object, json_schema, choice"),
        (Form("json_object", json_schema="{}"), "response_format.json_schema", 'belongs to the type "json_schema"'),
        (Form("text", choices=("a",)), "response_format.choices", 'belongs to the type "choice"'),
        (Form("choice", choices=("a",)), "response_format.choices", "1 entries: a choice needs 2 to 3"),
        (Form("choice", choices=("a", "b" * 11)), "response_format.choices[1]", "11 characters"),
        (Form("choice", choices=("a", " ")), "response_format.choices[1]", "must have 1 to 10"),
        (Form("choice", choices=("a", "a")), "response_format.choices", "repeats an entry"),
        (Form("json_schema"), "response_format.json_schema", "it must be a JSON object"),
        (Form("json_schema", "[1]"), "response_format.json_schema", "it must be a JSON object"),
        (Form("json_schema", "[" * 1_900), "response_format.json_schema", "it must be a JSON object"),
        (of({"x": "y" * 2_000}), "response_format.json_schema", "the limit is 2,000"),
        (of({"type": "strange"}), "response_format.json_schema", "$.type: 'strange' is not valid"),
        (of({"$ref": "https://x.test/s"}), "response_format.json_schema", "points out of it"),
        (of({"items": {"maxLength": 5000}}), "response_format.json_schema", "maxLength is 5000, at most 1000"),
        (of({"pattern": "a{1,90000}"}), "response_format.json_schema", "repeats more than 1000 times"),
        (of({"properties": {"a": {"enum": []}}}), "response_format.json_schema", "an enum is empty"),
        (of({"items": {"not": {}}}), "response_format.json_schema", "forbids everything"),
        (of({"minLength": 5, "maxLength": 2}), "response_format.json_schema", "minLength is 5 and maxLength is 2"),
        (of({"minimum": 1.5, "maximum": 1}), "response_format.json_schema", "nothing is both"),
        (of({"pattern": "a" * 300}), "response_format.json_schema", "is too long"),
    ],
)
def test_what_cannot_be_kept_to_is_named_with_the_reason(form: Form, field: str, reason: str) -> None:
    refused = first(form)
    assert refused is not None
    assert refused.field == field
    assert reason in refused.message
