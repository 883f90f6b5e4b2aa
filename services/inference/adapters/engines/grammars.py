"""A constraint as a grammar (EBNF) that engines follow token by token."""

import json
from typing import assert_never

from headrace.messaging.errors import Invalid
from services.inference.domain.constraint import AnyJson, Choice, Constraint, JsonSchema


def grammar_of(constraint: Constraint) -> str:
    """The grammar; `Invalid` where a schema cannot be followed.

    Blocks, so call it off the event loop. It is written in the dialect of the xgrammar that openvino-genai carries:
    pinned to the same version. What that one passes over without a word (`allOf`, `not` and their like) is for whoever
    reads the answer to check.
    """
    # With it comes torch: only a process that is asked for a constraint pays for that.
    from xgrammar.grammar import Grammar

    match constraint:
        case AnyJson():
            return str(Grammar.builtin_json_grammar())
        case Choice(options):
            return "root ::= " + " | ".join(map(_quoted, options))
        case JsonSchema(schema):
            try:
                # Its own spacing: left free, a small model can end in white space without end.
                return str(Grammar.from_json_schema(schema, any_whitespace=False))
            except RuntimeError as exc:
                raise Invalid(
                    f"this JSON schema cannot be followed: {_reason(exc)}. Write that part more simply",
                    code="invalid_schema",
                    field="response_format.json_schema",
                ) from None
        case never:
            assert_never(never)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _reason(exc: RuntimeError) -> str:
    """Its own words without the time and the place in its source."""
    first = (str(exc).strip().splitlines() or ["no reason given"])[0]
    return first.rpartition(": ")[2] if "Check failed" in first else first.split(": ", 1)[-1].removesuffix(".")
