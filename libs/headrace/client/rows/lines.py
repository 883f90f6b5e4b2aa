"""Lines of a file, none of which takes the memory of a machine."""

from collections.abc import Iterator
from typing import BinaryIO, Final

# Far more than a message may carry: whoever has more in a line has most likely lost a line break.
MAX_LINE_BYTES: Final = 16 << 20
_BOM: Final = b"\xef\xbb\xbf"


def lines_of(file: BinaryIO, limit: int = MAX_LINE_BYTES) -> Iterator[bytes]:
    """Each line with its break, cut after one byte more than `limit`: longer than that says that it was."""
    first = True
    while line := file.readline(limit + 1):
        if len(line) > limit and not line.endswith(b"\n"):
            _skip(file)
        yield line.removeprefix(_BOM) if first else line
        first = False


def _skip(file: BinaryIO) -> None:
    """Read on to the end of the line, in pieces."""
    while (rest := file.readline(1 << 20)) and not rest.endswith(b"\n"):
        pass
