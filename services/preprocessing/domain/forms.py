"""Forms of an answer that can be kept to: the first thing that is wrong with one."""

import json
import re
from collections.abc import Iterator
from typing import Any, Final

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

from services.preprocessing.domain.request import Form, Refusal, Rejected

_TYPES: Final = ("text", "json_object", "json_schema", "choice")
_FIELD: Final = "response_format"
_SCHEMA: Final = f"{_FIELD}.json_schema"
_CHOICES: Final = f"{_FIELD}.choices"
# Such a number becomes as many copies in a grammar.
_COUNTS: Final = ("minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties")
_RANGES: Final = (
    ("minItems", "maxItems"),
    ("minLength", "maxLength"),
    ("minProperties", "maxProperties"),
    ("minimum", "maximum"),
)
_MOST: Final = 1000
_MOST_PATTERN_CHARACTERS: Final = 256
_REPEATED: Final = re.compile(r"\{(\d*),?(\d*)\}")
_LEAST_CHOICES: Final = 2


def check_form(
    form: Form, *, max_schema_characters: int, max_choices: int, max_choice_characters: int
) -> Iterator[Refusal]:
    """What is wrong, if anything is."""
    if form.type and form.type not in _TYPES:
        yield Rejected("invalid_format", f"{_FIELD}.type is none of {', '.join(_TYPES)}", f"{_FIELD}.type")
    if form.type == "choice":
        yield from _choices(form.choices, max_choices, max_choice_characters)
    elif form.choices:
        yield Rejected("ambiguous", f'{_CHOICES} is set: it belongs to the type "choice"', _CHOICES)
    if form.type == "json_schema":
        yield from _schema(form.json_schema, max_schema_characters)
    elif form.json_schema:
        yield Rejected("ambiguous", f'{_SCHEMA} is set: it belongs to the type "json_schema"', _SCHEMA)


def _choices(choices: tuple[str, ...], most: int, most_characters: int) -> Iterator[Refusal]:
    if not _LEAST_CHOICES <= len(choices) <= most:
        message = f"{_CHOICES} has {len(choices)} entries: a choice needs {_LEAST_CHOICES} to {most}"
        yield Rejected("out_of_range", message, _CHOICES)
    for index, choice in enumerate(choices):
        name = f"{_CHOICES}[{index}]"
        if not choice.strip() or len(choice) > most_characters:
            message = f"{name} has {len(choice)} characters: it must have 1 to {most_characters}"
            yield Rejected("out_of_range", message, name)
    if len(set(choices)) < len(choices):
        yield Rejected("not_unique", f"{_CHOICES} repeats an entry: leave it out", _CHOICES)


def _schema(text: str, most_characters: int) -> Iterator[Refusal]:
    if len(text) > most_characters:
        message = f"{_SCHEMA} has {len(text):,} characters, the limit is {most_characters:,}: shorten it"
        yield Rejected("too_long", message, _SCHEMA)
        return
    try:
        schema = json.loads(text)
    except (ValueError, RecursionError):
        schema = None
    if not isinstance(schema, dict):
        yield _invalid("it must be a JSON object, as text")
        return
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as exc:
        yield _invalid(f"{exc.json_path}: {exc.message[:200]}")
    except RecursionError:
        yield _invalid("it is nested too deep")
    else:
        yield from _followed(schema)


def _followed(schema: dict[str, Any]) -> Iterator[Refusal]:
    """What is a schema and yet nothing that a grammar could be made of."""
    waiting: list[Any] = [schema]
    while waiting:
        part = waiting.pop()
        waiting += part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
        if not isinstance(part, dict):
            continue
        reference = part.get("$ref")
        if isinstance(reference, str) and not reference.startswith("#"):
            yield _invalid(f"$ref {reference[:80]!r} points out of it: put what it means under $defs")
        for name in _COUNTS:
            if isinstance(count := part.get(name), int | float) and count > _MOST:
                yield _invalid(f"{name} is {count}, at most {_MOST} can be kept to: lower it")
        if reason := _unsatisfiable(part):
            yield _invalid(reason)
        pattern = part.get("pattern")
        if isinstance(pattern, str) and not _plain(pattern):
            yield _invalid(f"pattern {pattern[:80]!r} is too long, or repeats more than {_MOST} times: simplify it")


def _unsatisfiable(part: dict[str, Any]) -> str:
    """Why nothing at all fits this part, where that is plain to see."""
    if part.get("enum") == []:
        return "an enum is empty, and nothing is one of none: list its values"
    if part.get("not") in ({}, True):
        return "a `not` forbids everything: say what it is to forbid"
    for least, most in _RANGES:
        low, high = part.get(least), part.get(most)
        if isinstance(low, int | float) and isinstance(high, int | float) and low > high:
            return f"{least} is {low} and {most} is {high}: nothing is both"
    return ""


def _plain(pattern: str) -> bool:
    counts = (int(count) for found in _REPEATED.findall(pattern) for count in found if count)
    return len(pattern) <= _MOST_PATTERN_CHARACTERS and all(count <= _MOST for count in counts)


def _invalid(reason: str) -> Rejected:
    return Rejected("invalid_schema", f"{_SCHEMA} cannot be followed: {reason}", _SCHEMA)
