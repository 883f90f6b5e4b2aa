"""Which answers are worth learning from, and what an example of one looks like."""

import hashlib
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from statistics import fmean
from typing import Any, Literal, assert_never

Shape = Literal["prompt", "chat"]
_ANSWERED = "answered"


class Skipped(StrEnum):
    """Why an answer makes no example."""

    NO_CONSENT = "no_consent"
    BELOW_RATING = "below_rating"
    EMPTY = "empty"
    DUPLICATE = "duplicate"


@dataclass(frozen=True, slots=True)
class Said:
    """One feedback on an answer. `worth` is from 0 to 1; `None` without a rating."""

    user: str
    worth: float | None
    correction: str
    consent_to_train: bool
    submitted_at_ms: int


@dataclass(frozen=True, slots=True)
class Rated:
    """An answer with all that was said of it, the earliest first."""

    question: str
    answer: str
    status: str
    said: tuple[Said, ...]


@dataclass(frozen=True, slots=True)
class Example:
    """What a model is to say to a prompt; `corrected` where a person wrote it."""

    prompt: str
    completion: str
    corrected: bool

    @property
    def digest(self) -> str:
        """The same for texts that differ in case, spaces and Unicode form alone."""
        content = f"{_normalised(self.prompt)}\0{_normalised(self.completion)}"
        return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()

    def shaped(self, shape: Shape) -> dict[str, Any]:
        """As trainers read it."""
        match shape:
            case "prompt":
                return {"prompt": self.prompt, "completion": self.completion}
            case "chat":
                turns = (("user", self.prompt), ("assistant", self.completion))
                return {"messages": [{"role": role, "content": content} for role, content in turns]}
            case never:
                assert_never(never)


def example_of(rated: Rated, least_worth: float) -> Example | Skipped:
    """The example that an answer makes. A correction is what should have been said, whatever the rating.

    Each person's last word on consent holds for all that they said of the answer: it may be taken back.
    """
    heard = [said for said in _by_person(rated.said) if said.consent_to_train]
    if not heard:
        return Skipped.NO_CONSENT
    corrections = [said for said in heard if said.correction]
    if corrections:
        latest = max(corrections, key=lambda said: said.submitted_at_ms)
        return _example(rated.question, latest.correction, corrected=True)
    worths = [said.worth for said in heard if said.worth is not None]
    if not worths or fmean(worths) < least_worth or rated.status != _ANSWERED:
        return Skipped.BELOW_RATING
    return _example(rated.question, rated.answer, corrected=False)


def _by_person(said: Sequence[Said]) -> Iterable[Said]:
    """What each person said in the end: the last rating, the last correction, and the last word on consent."""
    people: dict[str, Said] = {}
    for number, each in enumerate(said):
        # Those without a name are not known to be one person.
        person = each.user or f"\0{number}"
        before = people.get(person, each)
        people[person] = replace(
            each,
            worth=before.worth if each.worth is None else each.worth,
            correction=each.correction or before.correction,
        )
    return people.values()


def _example(prompt: str, completion: str, *, corrected: bool) -> Example | Skipped:
    if not prompt.strip() or not completion.strip():
        return Skipped.EMPTY
    return Example(prompt.strip(), completion.strip(), corrected)


def _normalised(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
