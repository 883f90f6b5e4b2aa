"""The metadata of a GGUF file, and of its tensors; their numbers are left to the engines.

The layout: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md (little-endian, versions 2 and 3).
"""

import contextlib
import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from headrace.messaging.errors import Fatal

Value = int | float | bool | str | list["Value"]

_MAGIC: Final = b"GGUF"
# By the format's type number; 8 is a string, 9 an array.
_SCALARS: Final = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}
_STRING: Final = 8
_ARRAY: Final = 9


def read_metadata(path: Path) -> dict[str, Value]:
    """Every key of the file's header; `Fatal` where the file is no GGUF."""
    with _opened(path) as file:
        return _header(file, path)[0]


def read_tensor_types(path: Path) -> frozenset[int]:
    """The quantisations of the file's tensors, by the format's type numbers; `Fatal` where the file is no GGUF."""
    with _opened(path) as file:
        _keys, tensors = _header(file, path)
        return frozenset(_tensor_type(file) for _ in range(tensors))


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        with path.open("rb") as file:
            yield file
    except (struct.error, UnicodeDecodeError, KeyError) as exc:
        raise Fatal(f"the header of {path} is damaged: fetch it again with `headrace models pull --force`") from exc


def _header(file: BinaryIO, path: Path) -> tuple[dict[str, Value], int]:
    """The keys, and how many tensors are described behind them."""
    if file.read(4) != _MAGIC:
        raise Fatal(f"{path} is no GGUF file: fetch it again with `headrace models pull --force`")
    _version, tensors, keys = struct.unpack("<IQQ", file.read(20))
    return {_string(file): _value(file) for _ in range(keys)}, tensors


def _tensor_type(file: BinaryIO) -> int:
    _string(file)
    (dimensions,) = struct.unpack("<I", file.read(4))
    file.seek(8 * dimensions, os.SEEK_CUR)
    kind: int
    kind, _offset = struct.unpack("<IQ", file.read(12))
    return kind


def _value(file: BinaryIO) -> Value:
    (kind,) = struct.unpack("<I", file.read(4))
    if kind != _ARRAY:
        return _scalar(file, kind)
    kind, length = struct.unpack("<IQ", file.read(12))
    return [_scalar(file, kind) for _ in range(length)]


def _scalar(file: BinaryIO, kind: int) -> Value:
    if kind == _STRING:
        return _string(file)
    layout = _SCALARS[kind]
    (value,) = struct.unpack(layout, file.read(struct.calcsize(layout)))
    scalar: int | float | bool = value
    return scalar


def _string(file: BinaryIO) -> str:
    (length,) = struct.unpack("<Q", file.read(8))
    data = file.read(length)
    if len(data) < length:
        raise struct.error("the file ends within a string")
    return data.decode("utf-8")
