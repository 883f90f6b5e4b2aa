"""Masks: what the model reads in place of a value, the same for the same value all through a turn."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from services.safety.domain.findings import Finding

MASK: Final = re.compile(r"<[A-Z][A-Z_]{1,30}_[0-9]{1,4}>")


@dataclass(slots=True)
class Masks:
    """Hands out masks like `<EMAIL_1>`, numbered by first appearance; none that a text already uses as its own."""

    taken: frozenset[str] = frozenset()
    _by_value: dict[tuple[str, str], str] = field(default_factory=dict)
    _values: dict[str, str] = field(default_factory=dict)

    def mask(self, kind: str, value: str) -> str:
        """The mask of this value."""
        known = self._by_value.get((kind, value))
        if known:
            return known
        number = 1
        while (mask := f"<{kind}_{number}>") in self._values or mask in self.taken:
            number += 1
        self._by_value[kind, value] = mask
        self._values[mask] = value
        return mask

    def apply(self, text: str, findings: Iterable[Finding]) -> str:
        """The text with every finding masked; the findings are in order and do not overlap."""
        parts: list[str] = []
        at = 0
        for finding in findings:
            parts += (text[at : finding.start], self.mask(finding.kind, text[finding.start : finding.end]))
            at = finding.end
        return "".join((*parts, text[at:]))

    @property
    def values(self) -> Mapping[str, str]:
        """From mask to the value that it hides."""
        return dict(self._values)


def masks_in(text: str) -> Iterator[str]:
    """Everything in a text that has the form of a mask."""
    return (match.group() for match in MASK.finditer(text))
