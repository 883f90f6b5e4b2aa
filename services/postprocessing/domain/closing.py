"""What is missing at the end of an answer that was cut: the marks that close what it had opened."""

import re
from typing import Final

_FENCE: Final = re.compile(r" {0,3}(`{3,}|~{3,})[^\n]*")
_LINK: Final = re.compile(r"\[[^\[\]\n]*\]\([^()\s]*\Z")
_CODE: Final = re.compile(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)", re.DOTALL)


def closing(text: str) -> str:
    """What to add to Markdown that ends in the middle, so that what follows it on a page is not drawn as part of it."""
    if fence := _open_fence(text):
        return fence if text.endswith("\n") else f"\n{fence}"
    # Marks pair within a paragraph; code within it holds none.
    paragraph = re.split(r"\n[ \t]*\n", text)[-1]
    prose = _CODE.sub("", paragraph)
    if run := re.search(r"`+", prose):
        # On a line of nothing else it would open a block.
        return run.group() if text.rpartition("\n")[2].strip(" `") else ""
    if _LINK.search(prose):
        return ")"
    row = paragraph.rpartition("\n")[2].lstrip()
    if row.startswith("|") and not row.endswith("|"):
        return " |"
    return "**" if prose.count("**") % 2 else ""


def _open_fence(text: str) -> str:
    """The fence that the text leaves open; a fence is closed by one as long or longer, with nothing behind it."""
    fence = ""
    for line in text.split("\n"):
        if (found := _FENCE.fullmatch(line)) is None:
            continue
        mark = found.group(1)
        if not fence:
            # Of backticks none may follow on the line: those would be code within a line.
            fence = "" if "`" in mark and "`" in line.strip()[len(mark) :] else mark
        elif mark[0] == fence[0] and len(mark) >= len(fence) and line.strip() == mark:
            fence = ""
    return fence
