"""PromQL, as far as a test must read it: which series an expression asks for, and by which labels."""

import re
from collections.abc import Iterator

_STRING = r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'"
_STRINGS = re.compile(_STRING)
_SELECTOR = re.compile(rf"([a-zA-Z_:][\w:]*)\s*\{{((?:{_STRING}|[^{{}}])*)\}}")
_MATCHER = re.compile(r"([a-zA-Z_]\w*)\s*(?:=~|!~|!=|=)")
_GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^()]*)\)")
_RANGE = re.compile(r"\[[^\]]*\]|\boffset\s+\w+")
_NAME = re.compile(r"(?<![\w:.$])([a-zA-Z_:][\w:]*)(?!\s*\()(?![\w:])")
_KEYWORDS = frozenset({"and", "or", "unless", "bool", "group_left", "group_right"})


def metrics_of(expression: str) -> set[str]:
    """The names of the series that an expression asks for."""
    text = _STRINGS.sub("", _RANGE.sub("", _GROUPING.sub("", _SELECTOR.sub(r"\1", expression))))
    return {name for name in _NAME.findall(text) if name not in _KEYWORDS}


def matchers_of(expression: str) -> Iterator[tuple[str, set[str]]]:
    """Each selector: the name of its series and the labels that it matches."""
    for name, inside in _SELECTOR.findall(expression):
        yield name, set(_MATCHER.findall(_STRINGS.sub("", inside)))


def grouped_by(expression: str) -> set[str]:
    """The labels that an expression groups or joins by."""
    return {label.strip() for inside in _GROUPING.findall(expression) for label in inside.split(",") if label.strip()}
