"""Messages that parse, with values in them that nobody means: by the descriptors, so that no field is left out."""

from collections.abc import Iterator
from random import Random
from typing import Any, Final, cast

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

_HUGE: Final = 60_000
# Of each of many.
_LISTED: Final = 600
_TEXTS: Final = (
    "", " ", "\x00", "a\x00b\x1b[31m\r\n", "../../etc/passwd", "{{ sources }}", "%s%n{0}", "\u202e\u200f",
    "\U0001f4a7" * 300, "x" * 5_000, "-1", "nan", "null", "headrace.prompts.v1", "interactive", "default", "f" * 36,
    "*", "a/b/c/d",
)  # fmt: skip
_NUMBERS: Final = {
    FieldDescriptor.CPPTYPE_INT32: (0, -1, 1, 2**31 - 1, -(2**31), 100_000),
    FieldDescriptor.CPPTYPE_INT64: (0, -1, 2**63 - 1, -(2**63), 2**53),
    FieldDescriptor.CPPTYPE_UINT32: (0, 1, 2**32 - 1),
    FieldDescriptor.CPPTYPE_UINT64: (0, 1, 2**64 - 1),
    FieldDescriptor.CPPTYPE_DOUBLE: (0.0, -1.0, float("nan"), float("inf"), float("-inf"), 1e308, 5e-324),
    FieldDescriptor.CPPTYPE_FLOAT: (0.0, -1.0, float("nan"), float("inf")),
    FieldDescriptor.CPPTYPE_BOOL: (True, False),
    FieldDescriptor.CPPTYPE_ENUM: (0, 1, 2, 3, 4, 5, 99, -1, 2**31 - 1),
}
_SECONDS: Final = (0, -1, 1, 2**62, -(2**62), 253_402_300_800, -62_135_596_801, 10**15)
_NANOS: Final = (0, -1, 999_999_999, 2**31 - 1, -(2**31))


def absurd(message: Message, chance: Random) -> str:
    """Change one field somewhere in the message; its path."""
    places = list(_places(message, ""))
    holder, field, path = chance.choice(places)
    _change(holder, field, chance)
    return path


def _places(message: Message, path: str) -> Iterator[tuple[Message, FieldDescriptor, str]]:
    for field in cast("list[FieldDescriptor]", message.DESCRIPTOR.fields):
        here = f"{path}{field.name}"
        yield message, field, here
        if field.cpp_type != FieldDescriptor.CPPTYPE_MESSAGE or _is_map(field):
            continue
        if field.is_repeated:
            for index, below in enumerate(getattr(message, field.name)):
                yield from _places(below, f"{here}[{index}].")
        elif message.HasField(field.name):
            yield from _places(getattr(message, field.name), f"{here}.")


def _change(holder: Message, field: FieldDescriptor, chance: Random) -> None:
    if chance.random() < 0.15:
        holder.ClearField(field.name)
    elif _is_map(field):
        _change_map(getattr(holder, field.name), field, chance)
    elif field.is_repeated:
        _change_list(getattr(holder, field.name), field, chance)
    elif field.cpp_type == FieldDescriptor.CPPTYPE_MESSAGE:
        _change_message(getattr(holder, field.name), chance)
    else:
        setattr(holder, field.name, _value(field, chance))


def _change_message(below: Message, chance: Random) -> None:
    if isinstance(below, Timestamp):
        below.seconds, below.nanos = chance.choice(_SECONDS), chance.choice(_NANOS)
        return
    # There, and nothing in it.
    below.Clear()
    below.SetInParent()


def _change_map(entries: Any, field: FieldDescriptor, chance: Random) -> None:
    value = cast("Descriptor", field.message_type).fields_by_name["value"]
    for _ in range(chance.choice((1, 40, 300))):
        key = chance.choice(_TEXTS) + str(chance.getrandbits(16))
        if value.cpp_type == FieldDescriptor.CPPTYPE_MESSAGE:
            entries[key].SetInParent()
        else:
            entries[key] = _value(value, chance)


def _change_list(items: Any, field: FieldDescriptor, chance: Random) -> None:
    count = chance.choice((1, 3, 40, 300))
    if field.cpp_type != FieldDescriptor.CPPTYPE_MESSAGE:
        value = _value(field, chance)
        items.extend([value[:_LISTED] if isinstance(value, str | bytes) else value] * count)
        return
    first = items[0] if len(items) else None
    for _ in range(count):
        added = items.add()
        if first is not None:
            added.CopyFrom(first)


def _value(field: FieldDescriptor, chance: Random) -> Any:
    if field.cpp_type != FieldDescriptor.CPPTYPE_STRING:
        return chance.choice(_NUMBERS[field.cpp_type])
    text = "y" * _HUGE if chance.random() < 0.03 else chance.choice(_TEXTS)
    return text.encode() if field.type == FieldDescriptor.TYPE_BYTES else text


def _is_map(field: FieldDescriptor) -> bool:
    return bool(field.message_type and field.message_type.GetOptions().map_entry)
