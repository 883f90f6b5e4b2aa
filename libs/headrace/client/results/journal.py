"""Results as they come, in a file beside the output: what a run that was cut off goes on from."""

import fcntl
import os
import uuid
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final, Self

import orjson

from headrace.messaging.errors import Invalid

_BESIDE: Final = ".partial"
_FORM: Final = 1


@dataclass(frozen=True, slots=True)
class Asked:
    """What a run is about. A run goes on only from one that was about the same."""

    file: str
    options: Mapping[str, Any]

    def otherwise(self, kept: Mapping[str, Any]) -> list[str]:
        """In what the kept run differs."""
        mine = {"file": self.file, **self.options}
        return sorted(name for name in {*mine, *kept} if mine.get(name) != kept.get(name))


class Journal:
    """One JSON object a line: what was asked, from where on the log has its results, then the results themselves.

    Leaving it lets go of the file, which stays.
    """

    def __init__(self, path: Path, file: BinaryIO, batch_id: str) -> None:
        self.path = path
        self.batch_id = batch_id
        # The first offset of each partition that may hold a result; none before the first row was sent.
        self.since: dict[int, int] = {}
        self._file = file
        # Where the result of each line of the input stands.
        self._places: dict[int, int] = {}

    @classmethod
    def open(cls, output: Path, asked: Asked, *, restart: bool = False) -> Self:
        """The journal of the run that was cut off, or a new one; `Invalid` where it is another's, or in use."""
        path = output.with_name(output.name + _BESIDE)
        file = path.open("r+b" if path.exists() else "w+b")
        try:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as exc:
                raise Invalid(f"another run is writing {path}: wait for it, or name another output") from exc
            if restart:
                file.truncate(0)
            journal = cls(path, file, str(uuid.uuid4()))
            journal._read(asked)
        except BaseException:
            file.close()
            raise
        return journal

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        # On a full disk it tries once more to write what it could not: that was told when it was written.
        with suppress(OSError):
            self._file.close()

    def __len__(self) -> int:
        return len(self._places)

    def __iter__(self) -> Iterator[int]:
        return iter(self._places)

    def __contains__(self, line: int) -> bool:
        return line in self._places

    def __getitem__(self, line: int) -> dict[str, Any]:
        """The result of this line of the input."""
        self._file.seek(self._places[line])
        result: dict[str, Any] = orjson.loads(self._file.readline())["result"]
        return result

    def begin(self, since: Mapping[int, int]) -> None:
        """Note from where on results can come: before the first row is sent."""
        if not self.since:
            self.since = dict(since)
            self._append({"since": {str(partition): offset for partition, offset in since.items()}})

    def add(self, line: int, result: Mapping[str, Any]) -> bool:
        """Keep the result of a line; False where it has one."""
        if line in self._places:
            return False
        self._places[line] = self._append({"line": line, "result": result})
        return True

    def drop(self) -> None:
        """The output is written: nothing is left to go on from."""
        self.path.unlink(missing_ok=True)

    def _append(self, content: Mapping[str, Any]) -> int:
        place = self._file.seek(0, os.SEEK_END)
        self._file.write(orjson.dumps(content) + b"\n")
        # To the system, which keeps it when this process is killed.
        self._file.flush()
        return place

    def _read(self, asked: Asked) -> None:
        self._file.seek(0)
        first = self._next()
        if first is None:
            self._file.truncate(0)
            self._append({"form": _FORM, "batch": self.batch_id, "file": asked.file, **asked.options})
            return
        kept = {name: value for name, value in first.items() if name not in {"form", "batch"}}
        differing = asked.otherwise(kept) if first.get("form") == _FORM else ["its form"]
        if differing:
            raise Invalid(
                f"{self.path} is of a run that was about something else ({', '.join(differing)}): finish that one "
                "with its own command, or give --restart to begin anew"
            )
        self.batch_id = first["batch"]
        place = self._file.tell()
        while (content := self._next()) is not None:
            if "since" in content:
                self.since = {int(partition): offset for partition, offset in content["since"].items()}
            else:
                self._places[content["line"]] = place
            place = self._file.tell()
        # What a kill left half written.
        self._file.truncate(place)

    def _next(self) -> dict[str, Any] | None:
        """The next whole line."""
        line = self._file.readline()
        if not line.endswith(b"\n"):
            return None
        try:
            content = orjson.loads(line)
        except orjson.JSONDecodeError:
            return None
        return content if isinstance(content, dict) else None
