"""Grammar and tone by Harper, which reads Markdown and leaves code and links alone. English only."""

import threading
from collections.abc import Mapping
from typing import Any, Final

import harper

from services.postprocessing.domain.formatting import Style

# What is put right unasked. Spelling is not: it would turn the names of products into other words.
_KINDS: Final[Mapping[Style, frozenset[str]]] = {
    "grammar": frozenset({"Agreement", "Grammar", "Punctuation", "Repetition", "WordChoice"}),
    "formal": frozenset({"Agreement", "Grammar", "Punctuation", "Repetition", "Style", "WordChoice"}),
}
_RULES: Final[Mapping[Style, Mapping[str, bool]]] = {
    "grammar": {"SpellCheck": False, "LongSentences": False, "AvoidContractions": False, "AvoidCurses": False},
    "formal": {"SpellCheck": False, "LongSentences": False, "AvoidContractions": True, "AvoidCurses": True},
}


class HarperPolisher:
    """Loads in a second or two, when first asked. Call it off the event loop: texts take milliseconds."""

    def __init__(self) -> None:
        self._linters: dict[Style, Any] = {}
        # A linter serves one caller at a time.
        self._lock = threading.Lock()

    def load(self, style: Style) -> None:
        """Be ready for the first text."""
        with self._lock:
            self._linter(style)

    def polish(self, text: str, style: Style) -> str:
        """The text with what is surely wrong put right; the same text gives the same."""
        with self._lock:
            linter = self._linter(style)
            if not linter.is_likely_english(text):
                return text
            lints = linter.lint(text, language=harper.Language.MARKDOWN)
        at = len(text)
        for lint in sorted(lints, key=lambda lint: lint.span.start, reverse=True):
            span = lint.span
            if lint.lint_kind not in _KINDS[style] or span.end > at or not lint.suggestions:
                continue
            text = text[: span.start] + _better(text[span.start : span.end], lint.suggestions[0]) + text[span.end :]
            at = span.start
        return text

    def _linter(self, style: Style) -> Any:
        if style not in self._linters:
            linter = harper.Linter()
            linter.set_lint_config({**linter.get_lint_config(), **_RULES[style]})
            self._linters[style] = linter
        return self._linters[style]


def _better(wrong: str, suggestion: Any) -> str:
    match suggestion.kind:
        case harper.SuggestionKind.REPLACE:
            return str(suggestion.replacement_text)
        case harper.SuggestionKind.INSERT_AFTER:
            return wrong + str(suggestion.replacement_text)
        case _:
            return ""
