"""Follow-up questions: what a question leaves unsaid is carried over from the one before, without asking a model.

"And how long is that kept?" finds nothing by itself. Which question needs another to be understood is told by its
words, in English; one that says what it is about is left alone, since words of an old topic would only mislead it.
"""

import re
from collections.abc import Sequence
from typing import Final

from services.grounding.domain.analysis import stems

_POINTING: Final = re.compile(
    r"\b(?:it|its|they|them|their|theirs|that|this|these|those|he|him|his|she|her|there|one|ones|former|latter|same|"
    r"such|both|either|neither|else|instead|otherwise|then(?=\W*$))\b",
    re.IGNORECASE,
)
# "That" and "there" point at nothing where they join clauses or begin one.
_JOINING: Final = re.compile(
    r"\b(?:is|are|was|were|if)\s+there\b|\bthere\s+(?:is|are|was|were)\b|\b(?:so|such|says?|said|know|think|sure|means?|"
    r"ensure|find|files?|documents?|messages?|turns?|people|something|anything|one)\s+that\b|\bone\s+of\b"
    r"|\bit\s+(?:possible|ok|okay|safe|true)\b|\bboth\s+\w+\s+and\b|\beither\s+\w+\s+or\b",
    re.IGNORECASE,
)
# After so many words that count, "it" stands for one of them.
_NAMED_BEFORE: Final = 2
_CONTINUING: Final = re.compile(
    r"\s*(?:(?:and|but|or|so|then|also|ok|okay|yes|no|what about|how about|what if|why not|why|how so|when|where|who"
    r"|how|really|for example|in which case|which)\b[\s,]*)+",
    re.IGNORECASE,
)
_MORE: Final = re.compile(r"\s*(?:and|but|or|so|then|also|what about|how about|why not|in which case)\b", re.IGNORECASE)
_LEAST_OF_ITS_OWN: Final = 1
# Who writes more says what it is about.
_LONG_WORDS: Final = 25
# A question further back is another topic more often than not.
_BACK: Final = 3


def leans(question: str) -> bool:
    """Whether the question needs the one before to be understood."""
    if len(question.split()) > _LONG_WORDS:
        return False
    own = stems(_CONTINUING.sub("", question, count=1)) if _CONTINUING.match(question) else stems(question)
    if len(own) < _LEAST_OF_ITS_OWN or _MORE.match(question):
        return True
    plain = _JOINING.sub(" ", question)
    pointing = _POINTING.search(plain)
    return pointing is not None and len(stems(plain[: pointing.start()])) < _NAMED_BEFORE


def condensed(question: str, before: Sequence[str]) -> str:
    """The question with what it leans on; `before` are the questions asked so far, the last one last."""
    if not leans(question):
        return question
    leant_on: list[str] = []
    for earlier in reversed(before[-_BACK:]):
        leant_on.insert(0, earlier.strip())
        if not leans(earlier):
            break
    return " ".join([*leant_on, question.strip()])
