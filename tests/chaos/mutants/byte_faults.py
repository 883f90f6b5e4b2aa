"""Damage that needs no knowledge of a message: what disks, networks and other programs do to bytes."""

from collections.abc import Callable
from random import Random
from typing import Final

Fault = Callable[[bytes, Random], bytes]
# Beyond any limit of depth that a parser has.
_DEEP: Final = 5_000


def flip_bits(value: bytes, chance: Random) -> bytes:
    """One bit or several."""
    damaged = bytearray(value)
    for _ in range(chance.choice((1, 1, 1, 2, 4, 16)) if value else 0):
        damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
    return bytes(damaged)


def truncate(value: bytes, chance: Random) -> bytes:
    """The beginning only."""
    return value[: chance.randrange(len(value))] if value else value


def lose_the_beginning(value: bytes, chance: Random) -> bytes:
    """The end only."""
    return value[chance.randrange(1, len(value)) :] if len(value) > 1 else b""


def insert(value: bytes, chance: Random) -> bytes:
    """Bytes of chance in the middle."""
    at = chance.randrange(len(value) + 1)
    return value[:at] + chance.randbytes(chance.randint(1, 16)) + value[at:]


def cut_out(value: bytes, chance: Random) -> bytes:
    """A part is missing."""
    at = chance.randrange(len(value) + 1)
    return value[:at] + value[at + chance.randint(1, 16) :]


def repeat(value: bytes, chance: Random) -> bytes:
    """A part comes twice, maybe all of it: in Protobuf, every field once more."""
    if chance.random() < 0.3:
        return value + value
    at = chance.randrange(len(value) + 1)
    return value[:at] + value[at : at + 32] + value[at:]


def noise(value: bytes, chance: Random) -> bytes:
    """Nothing but chance."""
    return chance.randbytes(chance.choice((1, 7, 64, len(value) or 1)))


def nothing(_value: bytes, _chance: Random) -> bytes:
    """An empty value, which in Protobuf is a message without a field."""
    return b""


def zeros(value: bytes, chance: Random) -> bytes:
    """As from a page that was never written."""
    at = chance.randrange(len(value) + 1)
    return value[:at] + bytes(len(value) - at)


def utf_16(value: bytes, _chance: Random) -> bytes:
    """Another encoding of text than the one that was agreed on."""
    return value.decode("latin-1").encode("utf-16")


def unknown_fields(value: bytes, _chance: Random) -> bytes:
    """Fields that a later version might have: a reader keeps them and goes on."""
    return value + b"\xfa\x7f\x05hello" + b"\xf8\x7f\x2a"


def endless_length(value: bytes, chance: Random) -> bytes:
    """A field that says it is longer than all that comes."""
    return value + b"\x0a\xff\xff\xff\xff\x07" + chance.randbytes(8)


def endless_number(value: bytes, _chance: Random) -> bytes:
    """A number whose end never comes."""
    return value + b"\x08" + b"\xff" * 12


def wrong_wire_type(value: bytes, chance: Random) -> bytes:
    """A text's field as a number, which readers take for a field they do not know."""
    return bytes([chance.randint(1, 15) << 3 | chance.choice((0, 1, 3, 4, 5, 6, 7))]) + value


def deep_groups(value: bytes, _chance: Random) -> bytes:
    """Groups within groups."""
    return value + b"\x9b\x06" * _DEEP + b"\x9c\x06" * _DEEP


def deep_messages(value: bytes, _chance: Random) -> bytes:
    """Messages within messages, each in the first field of the one around it."""
    inner = b"\x0a\x00"
    for _ in range(200):
        inner = b"\x0a" + _varint(len(inner)) + inner
    return value + inner


def not_utf_8(value: bytes, _chance: Random) -> bytes:
    """A text whose bytes are none."""
    return value + b"\x0a\x04\xff\xfe\xc3\x28"


FAULTS: Final[tuple[Fault, ...]] = (
    flip_bits, flip_bits, flip_bits, truncate, truncate, lose_the_beginning, insert, cut_out, repeat, noise, nothing,
    zeros, utf_16, unknown_fields, endless_length, endless_number, wrong_wire_type, deep_groups, deep_messages,
    not_utf_8,
)  # fmt: skip


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes((*out, number))
