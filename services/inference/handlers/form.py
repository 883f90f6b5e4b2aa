"""Whether an answer has the form that was asked for: what the grammar passes over is checked when it is written."""

import json
from functools import cached_property
from typing import Any, Final

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend
from referencing.exceptions import Unresolvable

from services.inference.domain.constraint import Constraint, JsonSchema

# Keywords that a grammar follows, and those that say nothing about the answer.
_FOLLOWED: Final = frozenset(
    "type properties required additionalProperties items prefixItems enum const anyOf $ref $defs definitions "
    "minLength maxLength pattern minItems maxItems "
    "title description default examples $schema $id $comment deprecated readOnly writeOnly".split()
)
_NAMED: Final = frozenset({"properties", "$defs", "definitions", "patternProperties", "dependentSchemas"})
_SAYS_NOTHING: Final = frozenset({"enum", "const", "default", "examples", "required"})
_MOST: Final = 300


def _unchecked(_validator: Any, _pattern: Any, _instance: Any, _schema: Any) -> None:
    """A pattern is followed as a grammar; Python's search for it could take for ever, and holds all else up."""


# Not extended by `format`: it is an annotation unless a checker is given.
# Its stubs leave `extend` untyped.
_Validator: Any = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator, {"pattern": _unchecked, "patternProperties": _unchecked}
)


class Form:
    """One answer's form."""

    def __init__(self, constraint: Constraint) -> None:
        self.constraint = constraint

    @cached_property
    def followed(self) -> bool:
        """Whether the grammar alone makes sure of it: then the answer can be shown while it is written."""
        return not isinstance(self.constraint, JsonSchema) or _followed(json.loads(self.constraint.schema))

    def problem(self, text: str) -> str:
        """Why this is not what was asked for; empty if it is."""
        if not isinstance(self.constraint, JsonSchema):
            return ""
        try:
            answer = json.loads(text)
        except ValueError as exc:
            return f"it is no JSON ({exc})"
        try:
            wrong = next(iter(_Validator(json.loads(self.constraint.schema)).iter_errors(answer)), None)
        except (RecursionError, Unresolvable) as exc:
            return f"the schema cannot be applied to it ({type(exc).__name__})"
        return _reason(wrong) if wrong is not None else ""


def _reason(wrong: ValidationError) -> str:
    return f"{wrong.json_path}: {wrong.message}"[:_MOST]


def _followed(schema: Any) -> bool:
    """Whether every keyword in it, at any depth, is one that a grammar follows."""
    if isinstance(schema, list):
        return all(map(_followed, schema))
    if not isinstance(schema, dict):
        return True
    if not _FOLLOWED.issuperset(schema):
        return False
    return all(
        all(map(_followed, part.values())) if name in _NAMED and isinstance(part, dict) else _followed(part)
        for name, part in schema.items()
        if name not in _SAYS_NOTHING
    )
