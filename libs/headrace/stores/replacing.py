"""A file that is there when all of it is written."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

_NOT_YET: Final = ".writing"


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Write beside it; what was there before stands until the block has ended well."""
    beside = path.with_name(path.name + _NOT_YET)
    try:
        with beside.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
