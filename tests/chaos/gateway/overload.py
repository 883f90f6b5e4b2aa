"""What an overload looked like, and whether that is what is promised. Pure, so that it can be shown to fail."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tests.chaos.gateway.comparing import percentile
from tests.chaos.gateway.crowd import Outcome

GOODPUT: Final = 0.9
REFUSAL_S: Final = 0.010
REFUSED_IN_TIME: Final = 0.99
# What the gateway may take on top of what it had when the path was full: places, answers kept at hand, the allocator.
GROWTH_BYTES: Final = 64 * 1024 * 1024
# In the second half of the overload nothing new is learnt: whatever grows there would grow for ever.
LATE_GROWTH_BYTES: Final = 8 * 1024 * 1024
RECOVERY_S: Final = 5.0
# Normal is what it was before: half of the answers as soon as then, give or take a fifth and a tick of the machine.
SLACK: Final = 1.2
SLACK_S: Final = 0.1


@dataclass(frozen=True, slots=True)
class Phase:
    """The questions of a phase, and when their asking began and ended."""

    began: float
    ended: float
    outcomes: Sequence[Outcome]


@dataclass(frozen=True, slots=True)
class Overload:
    """One run. `refusals` is the gateway's own histogram over the overload: upper bound in seconds to count."""

    phases: Mapping[str, Phase]
    capacity: float
    lateness: Sequence[tuple[float, float]]
    refusals: Mapping[float, int]
    # When, and how many bytes the gateway held.
    memory: Sequence[tuple[float, int]]
    # How long the gateway was ready to run during the overload and had no processor: the machine's part in it.
    waited_s: float = 0.0
    # Which part of the machine's processors its host gave to others during the overload.
    stolen: float = 0.0

    @property
    def flood(self) -> Phase:
        return self.phases["overload"]

    @property
    def goodput(self) -> float:
        """Answers per second while ten times as much was asked for, from the first that could come on."""
        ended = [each.ended_at for each in _answered(self.flood.outcomes) if each.ended_at <= self.flood.ended]
        return len(ended) / (self.flood.ended - min(ended)) if len(ended) > 1 else 0.0

    @property
    def refused_in_time(self) -> float:
        """Which part of the refusals took the gateway 10 ms or less."""
        return self.refusals[REFUSAL_S] / total if (total := self.refusals[math.inf]) else 0.0

    def refusal_p99_s(self, by: str = "") -> float:
        """As the clients saw it; those of one interface, or all."""
        refused = [each for each in _refused(self.flood.outcomes) if not by or each.by == by]
        return percentile([each.ended_at - each.asked_at for each in refused], 0.99)

    @property
    def lateness_p99_s(self) -> float:
        """How late the machine woke the client's own timers meanwhile."""
        return percentile([late for at, late in self.lateness if self.flood.began <= at <= self.flood.ended], 0.99)

    def growth(self, begin: float, end: float) -> int:
        """The most that was held within a time, beyond what was held when it began."""
        held = [size for at, size in self.memory if begin <= at <= end]
        return max(held) - held[0] if held else 0

    def answer_p50_s(self, phase: str, since_s: float = 0.0) -> float:
        """The median time to the whole answer."""
        those = [each for each in self.phases[phase].outcomes if each.due_at >= self.phases[phase].began + since_s]
        return percentile([each.ended_at - each.asked_at for each in _answered(those)], 0.5)


def violations(seen: Overload) -> Iterator[str]:
    """Each in a sentence."""
    flood = seen.flood
    for name, phase in seen.phases.items():
        for what in sorted({each.what for each in phase.outcomes} - {"answered", "refused"}):
            number = sum(each.what == what for each in phase.outcomes)
            yield f"{number} questions of the phase '{name}' were neither answered nor refused: {what}"
    if not _refused(flood.outcomes):
        yield "nobody was refused: this was no overload"
        return
    if seen.goodput < GOODPUT * seen.capacity:
        yield f"{seen.goodput:.2f} answers/s under overload, {GOODPUT} of {seen.capacity:.2f}/s must hold"
    if seen.refused_in_time < REFUSED_IN_TIME:
        yield f"{1 - seen.refused_in_time:.1%} of the refusals took the gateway more than {REFUSAL_S * 1000:.0f} ms"
    # A client measures the machine as well: what its own timers are late by is not the gateway's.
    if seen.refusal_p99_s() > REFUSAL_S + seen.lateness_p99_s:
        yield (
            f"clients waited {seen.refusal_p99_s() * 1000:.1f} ms (p99) for a refusal, "
            f"with timers that were {seen.lateness_p99_s * 1000:.1f} ms late"
        )
    if any(each.retry_after < 1 for each in _refused(flood.outcomes)):
        yield "a refusal did not say when to come back"
    if (grown := seen.growth(flood.began, math.inf)) > GROWTH_BYTES:
        yield f"the gateway grew by {grown / 2**20:.0f} MiB"
    if (grown := seen.growth((flood.began + flood.ended) / 2, flood.ended)) > LATE_GROWTH_BYTES:
        yield f"the gateway still grew by {grown / 2**20:.1f} MiB in the second half of the overload"
    yield from _recovery(seen)


def _recovery(seen: Overload) -> Iterator[str]:
    after = seen.phases["after"]
    late = [each for each in _refused(after.outcomes) if each.due_at > after.began + RECOVERY_S]
    if late:
        yield f"{len(late)} questions were refused more than {RECOVERY_S:.0f} s after the overload"
    before_s, after_s = seen.answer_p50_s("normal"), seen.answer_p50_s("after", RECOVERY_S)
    if not after_s <= before_s * SLACK + SLACK_S:
        yield f"{RECOVERY_S:.0f} s after the overload answers took {after_s:.2f} s (median), before it {before_s:.2f} s"


def _answered(outcomes: Sequence[Outcome]) -> list[Outcome]:
    return [each for each in outcomes if each.what == "answered"]


def _refused(outcomes: Sequence[Outcome]) -> list[Outcome]:
    return [each for each in outcomes if each.what == "refused"]
