"""Small files of text that a command is given: read whole, bounded, and refused in a sentence."""

from pathlib import Path

from headrace.cli.output import Exit, fail


def read_text(path: Path, most_bytes: int) -> str:
    """The words of a file; what is no regular file, too large or no UTF-8 ends the command."""
    try:
        if path.exists() and not path.is_file():
            fail(f"{path} is no regular file: save it as one", Exit.USAGE)
        with path.open("rb") as file:
            content = file.read(most_bytes + 1)
    except OSError as exc:
        fail(f"{path} cannot be read ({exc.strerror}): correct the path", Exit.USAGE)
    return decoded(content, str(path), most_bytes)


def decoded(content: bytes, name: str, most_bytes: int) -> str:
    """The words in these bytes, of which there may be so many."""
    if len(content) > most_bytes:
        fail(f"{name} has more than {most_bytes:,} bytes: give it in parts", Exit.USAGE)
    try:
        return content.decode()
    except UnicodeDecodeError as exc:
        fail(f"{name} is no UTF-8 text (byte {exc.start:,}): convert it, or take the text out of it first", Exit.USAGE)
