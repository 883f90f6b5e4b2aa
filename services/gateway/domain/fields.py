"""Reading JSON from strangers: every complaint names the field, the limit and the remedy, as `Invalid`."""

import json
import math
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from headrace.messaging.errors import Invalid

MAX_DEPTH = 8
# Of a body that may hold a JSON schema.
MAX_SCHEMA_DEPTH = 40
INT32 = 2**31 - 1
INT64 = 2**63 - 1


def read_object(raw: str | bytes, *, max_bytes: int, what: str = "frame", max_depth: int = MAX_DEPTH) -> dict[str, Any]:
    """The JSON object in this text, or `Invalid`."""
    size = len(raw.encode("utf-8", "surrogatepass")) if isinstance(raw, str) else len(raw)
    if size > max_bytes:
        raise Invalid(
            f"this {what} has {size} bytes; the limit is {max_bytes}: send less", code="too_large", field=what
        )
    try:
        body = json.loads(raw, parse_constant=_no_constant)
    except UnicodeDecodeError as exc:
        raise Invalid(
            f"this {what} is not UTF-8 (byte {exc.start}): encode it as UTF-8", code="bad_json", field=what
        ) from exc
    except RecursionError as exc:
        raise _too_deep(what, max_depth) from exc
    except ValueError as exc:
        at = f" at character {exc.pos}" if isinstance(exc, json.JSONDecodeError) else ""
        raise Invalid(f"this {what} is not JSON{at}: send one JSON object", code="bad_json", field=what) from exc
    if not isinstance(body, dict):
        raise Invalid(f"this {what} is {_kind(body)}: send one JSON object", code="bad_json", field=what)
    if _deeper(body, max_depth):
        raise _too_deep(what, max_depth)
    return body


class Fields:
    """The fields of one object; `inside` is where it stands, for the names in complaints."""

    def __init__(self, body: Mapping[str, Any], *, inside: str = "") -> None:
        self._body = body
        self._inside = inside

    @property
    def content(self) -> Mapping[str, Any]:
        """All of it, for what has a language of its own."""
        return self._body

    def name(self, field: str) -> str:
        """The field as it is named in complaints: `sampling.top_p`."""
        return f"{self._inside}.{field}" if self._inside else field

    def only(self, known: Sequence[str]) -> None:
        """Refuse what nobody would read: a typo must not pass for a setting."""
        for field in self._body:
            if field not in known:
                name = self.name(field)[:64]
                raise Invalid(f"unknown field {name!r}: use {', '.join(known)}", code="unknown_field", field=name)

    def has(self, field: str) -> bool:
        """Whether the field is there and not null."""
        return self._body.get(field) is not None

    def text(self, field: str, *, max_chars: int, required: bool = False) -> str:
        """A string that UTF-8 can carry; absent: empty."""
        value = self._body.get(field)
        if value is None and not required:
            return ""
        if not isinstance(value, str):
            raise self._wrong(field, "a string", value)
        if len(value) > max_chars:
            raise self.invalid(
                field, f"{self.name(field)} has {len(value)} characters; the limit is {max_chars}", code="too_long"
            )
        if not value.isascii():
            try:
                value.encode()
            except UnicodeEncodeError as exc:
                message = (
                    f"{self.name(field)} holds half a character at {exc.start} (a lone surrogate): send valid Unicode"
                )
                raise self.invalid(field, message) from exc
        return value

    def turn_id(self, field: str) -> str:
        """A UUID in its usual form, 8-4-4-4-12 hexadecimal digits, in lower case."""
        value = self.text(field, max_chars=64, required=True)
        try:
            parsed = str(uuid.UUID(value))
        except ValueError as exc:
            raise self._no_uuid(field) from exc
        if parsed != value.lower():
            raise self._no_uuid(field)
        return parsed

    def integer(self, field: str, low: int, high: int) -> int | None:
        """A whole number within limits; None where absent."""
        value = self._body.get(field)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int):
            raise self._wrong(field, "a whole number", value)
        if not low <= value <= high:
            raise self.invalid(field, f"{self.name(field)} must lie between {low} and {high}")
        return value

    def number(self, field: str) -> float | None:
        """A finite number; None where absent."""
        value = self._body.get(field)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._wrong(field, "a number", value)
        if (isinstance(value, int) and abs(value) > INT64) or not math.isfinite(value):
            raise self.invalid(field, f"{self.name(field)} is too large to be meant")
        return float(value)

    def flag(self, field: str) -> bool:
        """True or false; absent: false."""
        value = self._body.get(field, False)
        if value is None:
            return False
        if not isinstance(value, bool):
            raise self._wrong(field, "true or false", value)
        return value

    def nested(self, field: str) -> "Fields":
        """The object in this field; absent: an empty one."""
        value = self._body.get(field)
        if value is None:
            value = {}
        if not isinstance(value, dict):
            raise self._wrong(field, "an object", value)
        return Fields(value, inside=self.name(field))

    def items(self, field: str, *, max_items: int) -> list[Any]:
        """The array in this field; absent: an empty one."""
        value = self._body.get(field)
        if value is None:
            return []
        if not isinstance(value, list):
            raise self._wrong(field, "an array", value)
        if len(value) > max_items:
            raise self.invalid(
                field, f"{self.name(field)} has {len(value)} items; the limit is {max_items}", code="too_long"
            )
        return value

    def strings(self, field: str, *, max_items: int, max_chars: int) -> tuple[str, ...]:
        """Strings, each within its limit."""
        entries = self.items(field, max_items=max_items)
        each = {f"{field}[{number}]": entry for number, entry in enumerate(entries)}
        inner = Fields(each, inside=self._inside)
        return tuple(inner.text(number, max_chars=max_chars, required=True) for number in each)

    def texts(self, field: str, *, max_items: int, max_chars: int) -> dict[str, str]:
        """An object whose values are strings, each within its limit."""
        inner = self.nested(field)
        if len(inner.content) > max_items:
            raise self.invalid(
                field, f"{self.name(field)} has {len(inner.content)} entries; the limit is {max_items}", code="too_long"
            )
        return {name: inner.text(name, max_chars=max_chars, required=True) for name in inner.content}

    def invalid(self, field: str, message: str, *, code: str = "invalid_field") -> Invalid:
        """A complaint about a field."""
        return Invalid(message, code=code, field=self.name(field))

    def _wrong(self, field: str, wanted: str, value: object) -> Invalid:
        if value is None:
            return self.invalid(field, f"{self.name(field)} is missing: send {wanted}", code="missing_field")
        return self.invalid(field, f"{self.name(field)} is {_kind(value)}: send {wanted}")

    def _no_uuid(self, field: str) -> Invalid:
        return self.invalid(
            field, f"{self.name(field)} is no UUID: send 36 characters such as those of crypto.randomUUID()"
        )


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _too_deep(what: str, limit: int) -> Invalid:
    return Invalid(
        f"this {what} is nested deeper than {limit} levels: send a flatter object", code="too_deep", field=what
    )


def _deeper(body: object, limit: int) -> bool:
    deepest = 0
    level: list[Any] = [body]
    while level and deepest <= limit:
        deepest += 1
        level = [
            child
            for parent in level
            for child in (parent.values() if isinstance(parent, dict) else parent)
            if isinstance(child, dict | list)
        ]
    return deepest > limit


def _kind(value: object) -> str:
    kinds = {
        dict: "an object",
        list: "an array",
        str: "a string",
        bool: "a boolean",
        int: "a number",
        float: "a number",
    }
    return kinds.get(type(value), "null")
