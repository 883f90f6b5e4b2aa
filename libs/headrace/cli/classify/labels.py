"""The classes as they are named on the command line, or in a file."""

from pathlib import Path
from typing import Final

import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from headrace.messaging.errors import Invalid
from headrace.v1.reviews_pb2 import Label

_LEAST: Final = 2


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    description: str = ""


_FILE: Final = TypeAdapter(dict[str, str | None] | list[_Entry | str])


def labels_of(given: list[str]) -> list[Label]:
    """`name` or `name=what such a text says`, by commas; or a YAML file of them. `Invalid` unless they are a choice."""
    labels = [label for text in given for label in _labels(text)]
    if given and len({label.name.casefold() for label in labels}) < max(len(labels), _LEAST):
        raise Invalid("--labels needs at least 2 classes with different names, such as good,bad")
    return labels


def _labels(text: str) -> list[Label]:
    if text.endswith((".yaml", ".yml", ".json")):
        return _read(Path(text))
    parts = [part.strip() for part in text.split(",") if part.strip()]
    named = (part.partition("=") for part in parts)
    return [Label(name=name.strip(), description=description.strip()) for name, _, description in named]


def _read(path: Path) -> list[Label]:
    try:
        found = _FILE.validate_python(yaml.safe_load(path.read_text(encoding="utf-8")))
    except OSError as exc:
        raise Invalid(f"the classes in {path} cannot be read: {exc.strerror}") from exc
    except (ValidationError, UnicodeDecodeError, yaml.YAMLError) as exc:
        raise Invalid(f"{path} holds no classes: write a line `name: what such a text says` for each") from exc
    if isinstance(found, dict):
        return [Label(name=name.strip(), description=(said or "").strip()) for name, said in found.items()]
    entries = [_Entry(name=entry) if isinstance(entry, str) else entry for entry in found]
    return [Label(name=entry.name.strip(), description=entry.description.strip()) for entry in entries]
