"""What a reader makes of a document."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Converted:
    """A document as Markdown, with the title that it gives itself, if any."""

    title: str
    text: str


def escaped(line: str) -> str:
    """A line of prose that Markdown does not take for a heading, a fence or a rule."""
    return f"\\{line}" if line.startswith(("#", "```", "~~~", "---", "===", "***")) else line
