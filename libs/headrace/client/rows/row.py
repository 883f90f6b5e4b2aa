"""One row, whatever kind of file it stands in."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Fields:
    """Under which names a row holds what is wanted; a row without an id has its line number for one."""

    text: str = "text"
    id: str = "id"
    # Only where rows are to bring their class.
    label: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One text; `id` is the file's own, or its line number. Lines count from 1, the rows of Parquet too."""

    line: int
    id: str | int
    text: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that holds no text, and why."""

    line: int
    id: str | int
    reason: str


def row_of(line: int, content: Mapping[str, Any], fields: Fields) -> Row | BadRow:
    """The row's text, if it has one."""
    given = content.get(fields.id)
    own = given if isinstance(given, (str, int)) and not isinstance(given, bool) and given != "" else line
    text = content.get(fields.text)
    if not isinstance(text, str):
        return BadRow(line, own, f"no string under {fields.text!r}: name another field with --text-field")
    if not text.strip():
        return BadRow(line, own, f"{fields.text!r} is empty")
    if not fields.label:
        return Row(line, own, text)
    label = content.get(fields.label)
    if isinstance(label, bool) or not isinstance(label, (str, int)) or not str(label).strip():
        return BadRow(line, own, f"no class under {fields.label!r}: name another field with --label-field")
    return Row(line, own, text, str(label).strip())
