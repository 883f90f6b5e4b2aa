"""Headers that lie, and keys that are none."""

from collections.abc import Callable
from random import Random
from typing import Final

from headrace.messaging import headers as names
from headrace.messaging import topics

Headers = tuple[tuple[str, bytes], ...]
Fault = Callable[[Headers, Random], Headers]

_NUMBERS: Final = (
    b"", b"0", b"-1", b"1", b"9999", b"9999999999999999", b"-9223372036854775808", b"1e9", b"nan", b" 7 ", b"0x1F",
    b"9" * 400, b"9" * 5_000, b"\xff\xfe", "٣".encode(), b"1_000",
)  # fmt: skip
_NUMBERED: Final = (
    names.DEADLINE, names.ATTEMPT, names.REPLY_PARTITION, names.NOT_BEFORE, names.ORIGIN_PARTITION, names.ORIGIN_OFFSET,
    names.ORIGIN_TIMESTAMP,
)  # fmt: skip
_KINDS: Final = (
    b"", b"text/plain", b"application/json", b"application/x-protobuf", b"application/xml; type=headrace.v1.Turn",
    b"application/x-protobuf; type=headrace.v1.Nothing", b"application/json; type=headrace.v1.PromptSubmitted",
    b"application/x-protobuf; type=headrace.v1.Turn", b";;;=;type", b"\xff\xfe", b"APPLICATION/JSON;charset=utf-16",
    b"application/x-protobuf; type=" + b"x" * 9_000,
)  # fmt: skip
_TRACES: Final = (b"", b"00-zz-yy-01", b"\xff" * 55, b"00-" + b"0" * 32 + b"-" + b"0" * 16 + b"-01", b"a" * 9_000)


def lying_number(held: Headers, chance: Random) -> Headers:
    """A time, a partition or an offset that cannot be."""
    return with_header(held, chance.choice(_NUMBERED), chance.choice(_NUMBERS))


def lying_kind(held: Headers, chance: Random) -> Headers:
    """Another content type than the bytes have."""
    return with_header(held, names.CONTENT_TYPE, chance.choice(_KINDS))


def without_one(held: Headers, chance: Random) -> Headers:
    """One of them is missing."""
    gone = chance.choice([name for name, _ in held] or [""])
    return tuple((name, value) for name, value in held if name != gone)


def not_utf_8(held: Headers, chance: Random) -> Headers:
    """One whose bytes are no text."""
    name = chance.choice([name for name, _ in held] or ["colour"])
    return with_header(held, name, chance.choice((b"\xff", b"\xc3\x28", b"\xf0\x28\x8c\x28", b"a\x00\xed\xa0\x80")))


def twice(held: Headers, chance: Random) -> Headers:
    """One that comes twice, with two meanings."""
    name, value = chance.choice(held) if held else ("colour", b"blue")
    return (*held, (name, value[::-1]), (name, value))


def forged_return(held: Headers, chance: Random) -> Headers:
    """The marks of a message that waits for its next try, which on other topics mean nothing."""
    forged = {
        names.ATTEMPT: chance.choice((b"3", b"999999999", b"-7")),
        names.NOT_BEFORE: chance.choice((b"1", b"99999999999999", b"9" * 400)),
        names.ORIGIN_TOPIC: chance.choice((topics.PROMPTS.encode(), topics.DEAD_LETTERS.encode(), b"nowhere", b"\xff")),
        names.ORIGIN_PARTITION: chance.choice((b"0", b"-1", b"99999999999")),
        names.ORIGIN_OFFSET: chance.choice((b"0", b"-1", b"9" * 30)),
        names.ORIGIN_TIMESTAMP: chance.choice((b"0", b"-1", b"9" * 18)),
    }
    for name, value in forged.items():
        held = with_header(held, name, value)
    return held


def lying_trace(held: Headers, chance: Random) -> Headers:
    """A trace that is none."""
    return with_header(held, chance.choice((names.TRACEPARENT, names.TRACESTATE)), chance.choice(_TRACES))


def many(held: Headers, chance: Random) -> Headers:
    """More than anybody sends, or one of a size that nobody sends."""
    if chance.random() < 0.5:
        return (*held, *((f"x-{number}", b"v") for number in range(500)))
    return (*held, ("", b""), ("x" * 9_000, b"y" * 9_000))


def another_tenant(held: Headers, chance: Random) -> Headers:
    """A tenant or an id that nobody has."""
    name = chance.choice((names.TENANT, names.MESSAGE_ID, names.REDRIVEN_FROM))
    return with_header(held, name, chance.choice((b"", b"\x00\r\n", b"t" * 9_000, b"../..", b"{}")))


FAULTS: Final[tuple[Fault, ...]] = (
    lying_number, lying_number, lying_number, lying_kind, lying_kind, without_one, not_utf_8, not_utf_8, twice,
    forged_return, lying_trace, many, another_tenant,
)  # fmt: skip
KEYS: Final = (None, b"", b"\xff\xfe\x00", b"k" * 9_000, b"a/b", b"///", "schlüssel/ß/\u202e".encode())


def with_header(held: Headers, name: str, value: bytes) -> Headers:
    """With this one in place of any of its name."""
    return (*((key, content) for key, content in held if key != name), (name, value))
