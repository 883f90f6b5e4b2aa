"""Which dead letters are meant: by their ids, or by what is known of them. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Final

from headrace.messaging.errors import Invalid
from headrace.messaging.letters import Letter
from headrace.v1.dead_letters_pb2 import DeadLetterDisposition

# A shorter beginning of an id is more likely a slip of the hand.
SHORTEST_PREFIX: Final = 4
_NAMED: Final = 5


class State(StrEnum):
    """What was done with a letter."""

    OPEN = "open"
    REDRIVEN = "redriven"
    PURGED = "purged"


@dataclass(frozen=True, slots=True)
class Filter:
    """What a letter must be; an empty field asks nothing. Texts are patterns such as `turns.*`, in any case."""

    stage: str = ""
    error: str = ""
    tenant: str = ""
    topic: str = ""
    since_ms: int | None = None
    until_ms: int | None = None

    @property
    def empty(self) -> bool:
        """Whether every letter fits."""
        return self == Filter()

    def fits(self, letter: Letter) -> bool:
        """Whether this letter is meant."""
        return (
            (self.since_ms is None or letter.dead_ms >= self.since_ms)
            and (self.until_ms is None or letter.dead_ms < self.until_ms)
            and _matches(self.stage, letter.stage)
            and _matches(self.error, letter.error)
            and _matches(self.tenant, letter.tenant)
            and _matches(self.topic, letter.origin_topic)
        )


def state_of(disposition: DeadLetterDisposition | None) -> State:
    """What was done, in a word."""
    if disposition is None:
        return State.OPEN
    return State.PURGED if disposition.action == DeadLetterDisposition.PURGED else State.REDRIVEN


def filtered(
    letters: Iterable[Letter],
    done: Mapping[str, DeadLetterDisposition],
    wanted: Filter,
    *,
    states: frozenset[State] = frozenset({State.OPEN}),
) -> list[Letter]:
    """The letters that fit, in their order."""
    return [letter for letter in letters if state_of(done.get(letter.id)) in states and wanted.fits(letter)]


def named(letters: Sequence[Letter], ids: Iterable[str]) -> list[Letter]:
    """The letters of these ids, or beginnings of ids, each once; `Invalid` for one that names none or several."""
    chosen: dict[str, Letter] = {}
    for given in ids:
        wanted = given.strip().lower()
        if len(wanted) < SHORTEST_PREFIX:
            raise Invalid(f"{given!r} is too short: give at least {SHORTEST_PREFIX} characters of an id", field="id")
        found = [letter for letter in letters if letter.id.startswith(wanted)]
        if not found:
            raise Invalid(f"no dead letter {given!r}: `headrace dlq list --all` shows what there is", field="id")
        if len(found) > 1:
            some = ", ".join(letter.id for letter in found[:_NAMED])
            raise Invalid(f"{given!r} begins {len(found)} ids ({some}): give more of it", field="id")
        chosen[found[0].id] = found[0]
    return list(chosen.values())


def _matches(pattern: str, text: str) -> bool:
    return not pattern or fnmatchcase(text.lower(), pattern.lower())
