"""Writes what the contracts' comments say to a file that code can read: descriptors in Python have none.

`python infra/proto/describe.py` reads `proto/` and writes `libs/headrace/v1/descriptions.json`; `make proto` runs it.
"""

import json
import sys
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from tempfile import TemporaryDirectory

from google.protobuf.descriptor_pb2 import DescriptorProto, FileDescriptorProto, FileDescriptorSet
from grpc_tools import protoc  # type: ignore[import-untyped]  # has no types

_CONTRACTS = Path(__file__).parents[2] / "proto"
_OUT = _CONTRACTS.parent / "libs/headrace/v1/descriptions.json"
# Numbers of fields in descriptor.proto, of which a comment's path is made.
_MESSAGES, _FIELDS, _NESTED = 4, 2, 3


def main(out: Path = _OUT) -> None:
    """Write the comments by full name, sorted."""
    found = dict(line for file in _files() for line in _described(file))
    out.write_text(json.dumps(found, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")


def _files() -> list[FileDescriptorProto]:
    sources = sorted(str(path.relative_to(_CONTRACTS)) for path in _CONTRACTS.glob("headrace/v1/*.proto"))
    with TemporaryDirectory() as folder:
        compiled = Path(folder) / "contracts.binpb"
        # Timestamp and its like come with the compiler.
        paths = [f"-I{_CONTRACTS}", f"-I{resources.files('grpc_tools') / '_proto'}"]
        if protoc.main(["protoc", *paths, "--include_source_info", f"--descriptor_set_out={compiled}", *sources]):
            raise SystemExit("the contracts cannot be compiled: protoc says above why")
        return list(FileDescriptorSet.FromString(compiled.read_bytes()).file)


def _described(file: FileDescriptorProto) -> Iterator[tuple[str, str]]:
    said = {
        tuple(place.path): " ".join(line.strip() for line in place.leading_comments.strip().splitlines())
        for place in file.source_code_info.location
        if place.leading_comments.strip()
    }
    for number, message in enumerate(file.message_type):
        yield from _of_message(message, f"{file.package}.{message.name}", (_MESSAGES, number), said)


def _of_message(
    message: DescriptorProto, name: str, path: tuple[int, ...], said: dict[tuple[int, ...], str]
) -> Iterator[tuple[str, str]]:
    if path in said:
        yield name, said[path]
    for number, field in enumerate(message.field):
        if text := said.get((*path, _FIELDS, number)):
            yield f"{name}.{field.name}", text
    for number, nested in enumerate(message.nested_type):
        yield from _of_message(nested, f"{name}.{nested.name}", (*path, _NESTED, number), said)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
