"""What the conversion of one document may take: whoever publishes a document chooses its bytes."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one conversion. A text beyond its own is refused, never cut in silence."""

    # Of the Markdown that comes out.
    text_bytes: int = 1_000_000
    pages: int = 2_000
    # Of a packed document, once unpacked.
    unpacked_bytes: int = 100_000_000
    parts: int = 5_000
    rows: int = 50_000
    # Of the process that converts.
    seconds: int = 60
    memory_bytes: int = 2_000_000_000
