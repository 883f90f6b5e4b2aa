"""Damage to a message in JSON: wrong types, wrong names, numbers that no field holds."""

import json
from collections.abc import Callable
from random import Random
from typing import Any, Final

# A document as `json` knows it, or the bytes of one that it would never write.
Fault = Callable[[dict[str, Any], Random], dict[str, Any] | bytes]
_TYPES: Final[tuple[Any, ...]] = (
    None, True, 0, -1, 1.5, 2**31, 2**63, -(2**70), "", "text", "1e400", "NaN", [], ["a", 1, None], {},
    {"a": {"b": []}}, "\x00\x1b", "2026-02-31T25:61:61Z", "9999999-01-01T00:00:00Z",
)  # fmt: skip


def wrong_type(document: dict[str, Any], chance: Random) -> dict[str, Any]:
    """A field of another type than it has."""
    holder, name = _place(document, chance)
    holder[name] = chance.choice(_TYPES)
    return document


def unknown_name(document: dict[str, Any], chance: Random) -> dict[str, Any]:
    """A field that there is none of."""
    holder, _ = _place(document, chance)
    holder[chance.choice(("colour", "@type", "", "turn-id", "__proto__"))] = chance.choice(_TYPES)
    return document


def missing(document: dict[str, Any], chance: Random) -> dict[str, Any]:
    """A field is gone."""
    holder, name = _place(document, chance)
    del holder[name]
    return document


def deep(_document: dict[str, Any], chance: Random) -> bytes:
    """Lists within lists, at the end of the text or without one."""
    depth = chance.choice((40, 500, 5_000, 100_000))
    return b'{"text":' + b"[" * depth + (b"]" * depth + b"}" if chance.random() < 0.5 else b"")


def twice(document: dict[str, Any], chance: Random) -> bytes:
    """A name that comes twice."""
    name = json.dumps(chance.choice(list(document) or ["text"]))
    return f'{{{name}: "first", {name}: "second"}}'.encode()


def lone_surrogate(_document: dict[str, Any], _chance: Random) -> bytes:
    """A text that no encoding can write."""
    return b'{"text": "\\ud800", "turnId": "\\udfff"}'


def no_number(_document: dict[str, Any], chance: Random) -> bytes:
    """Numbers that JSON has not, or that fit nowhere."""
    number = chance.choice((b"NaN", b"-Infinity", b"1e999", b"9" * 5_000, b"0x10", b"01"))
    return b'{"sampling": {"seed": ' + number + b', "temperature": ' + number + b"}}"


def no_object(document: dict[str, Any], chance: Random) -> bytes:
    """JSON, but not a message."""
    whole = _text(document)
    return chance.choice((b"[" + whole + b"]", b'"text"', b"null", b"17", whole + whole, whole + b" and more"))


def marked(document: dict[str, Any], _chance: Random) -> bytes:
    """With the mark that some editors put before a text."""
    return b"\xef\xbb\xbf" + _text(document)


def latin(document: dict[str, Any], _chance: Random) -> bytes:
    """In the encoding of another time."""
    return _text({**document, "user": "Zoë"}).decode().encode("latin-1", "replace")


FAULTS: Final[tuple[Fault, ...]] = (
    wrong_type, wrong_type, wrong_type, wrong_type, unknown_name, missing, deep, twice, lone_surrogate, no_number,
    no_object, marked, latin,
)  # fmt: skip


def damaged(value: bytes, fault: Fault, chance: Random) -> bytes:
    """The bytes of a document with this fault."""
    made = fault(json.loads(value), chance)
    return made if isinstance(made, bytes) else _text(made)


def _text(document: dict[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _place(document: dict[str, Any], chance: Random) -> tuple[dict[str, Any], str]:
    """A field somewhere in the document."""
    holder = document
    while True:
        name = chance.choice(list(holder) or [""])
        below = holder.get(name)
        if isinstance(below, list) and below and chance.random() < 0.6:
            below = chance.choice(below)
        if not isinstance(below, dict) or not below or chance.random() < 0.4:
            holder.setdefault(name, "")
            return holder, name
        holder = below
