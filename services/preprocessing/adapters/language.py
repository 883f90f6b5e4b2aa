"""Language detection by py3langid."""

from functools import cached_property

from py3langid.langid import MODEL_FILE, LanguageIdentifier

from services.preprocessing.ports import Language

# More than this says no more about the language, and the time grows with it.
_ENOUGH_CHARACTERS = 2_000
# "ok" is Serbian with 1 % and code is Walloon with 2 %: below this, no language is better than any.
_LEAST_CONFIDENCE = 0.3


class LangidDetector:
    """Knows 97 languages; loads its table of 5 MB with the first text."""

    def detect(self, text: str) -> Language:
        if not any(character.isalpha() for character in text[:_ENOUGH_CHARACTERS]):
            return Language("", 0.0)
        code, confidence = self._identifier.classify(text[:_ENOUGH_CHARACTERS])
        return Language(code if confidence >= _LEAST_CONFIDENCE else "", float(confidence))

    @cached_property
    def _identifier(self) -> LanguageIdentifier:
        return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
