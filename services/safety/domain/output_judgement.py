"""What comes out: released segment by segment, each only after a verdict that covers it; or stopped before a leak.

The gate and the judgement over the whole answer are the same fold: the gate feeds it piece by piece, the output stage
all at once, and the segments come out alike.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from services.safety.domain.findings import Detectors, Verdict
from services.safety.domain.groundedness import statements
from services.safety.domain.matching import matches
from services.safety.domain.policy import GroundednessRule, Policy
from services.safety.domain.reasons import reason
from services.safety.domain.segments import cut
from services.safety.domain.unfinished import begins

UNJUDGED: Final = "unjudged"
# What a person is to look at first is not shown before.
_STOPPING: Final = frozenset({"refuse", "route"})
# The gate stopped the answer in the middle, and the rules of today do not: what is there was shown to be no answer.
_CHANGED: Final = Verdict(UNJUDGED, "refuse", "output", "the rule that stopped the answer has changed", 1.0, 0, 0)
_FAILED: Final = Verdict(UNJUDGED, "refuse", "output", "the answer could not be judged", 1.0, 0, 0)


@dataclass(frozen=True, slots=True)
class Progress:
    """Where the judgement of one answer stands."""

    # The last released segment: a finding may need what stood before it.
    context: str = ""
    # Segments that something unfinished keeps from being released.
    waiting: tuple[str, ...] = ()
    rest: str = ""
    released_chars: int = 0
    released: int = 0
    verdicts: tuple[Verdict, ...] = ()
    # The rule's verdict that stopped the answer.
    stop: Verdict | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """The segments that may be shown now, and where the judgement stands after them."""

    segments: tuple[str, ...]
    progress: Progress


@dataclass(frozen=True, slots=True)
class Answered:
    """A whole answer, the passages that it could cite by their markers, and the question."""

    text: str
    passages: Mapping[str, str] = field(default_factory=dict)
    question: str = ""


@dataclass(frozen=True, slots=True)
class Whole:
    """The judgement over a whole answer."""

    segments: tuple[str, ...]
    verdicts: tuple[Verdict, ...]
    stop: Verdict | None

    @property
    def text(self) -> str:
        """What may be shown."""
        return "".join(self.segments)


def advance(progress: Progress, text: str, policy: Policy, detectors: Detectors, *, last: bool) -> Judged:
    """Judge what has come in. INVARIANT: whatever goes wrong stops the answer; nothing passes unjudged."""
    if progress.stop:
        return Judged((), progress)
    pieces = cut(progress.rest + text, policy.hold_chars, last=last)
    progress = replace(progress, rest=pieces.rest)
    shown: list[str] = []
    for index, segment in enumerate(pieces.segments):
        final = last and index == len(pieces.segments) - 1
        try:
            judged = _segment(progress, segment, policy, detectors, final=final)
        except Exception:  # noqa: BLE001 - fail closed: an answer that cannot be judged is not shown
            judged = Judged((), replace(progress, stop=_FAILED, verdicts=(*progress.verdicts, _FAILED)))
        progress = judged.progress
        shown += judged.segments
        if progress.stop:
            break
    return Judged(tuple(shown), progress)


def judge_whole(text: str, policy: Policy, detectors: Detectors, *, stopped: bool = False) -> Whole:
    """The same over an answer that is there all at once.

    `stopped`: the gate stopped it while it was generated, so that it ends somewhere behind the stop. Its text begins
    with all that the gate has judged, hence the same rules stop it in the same place, whatever follows.
    """
    judged = advance(Progress(), text, policy, detectors, last=True)
    if stopped and judged.progress.stop is None:
        return Whole((), (*judged.progress.verdicts, _CHANGED), _CHANGED)
    return Whole(judged.segments, judged.progress.verdicts, judged.progress.stop)


def ungrounded(answer: Answered, policy: Policy) -> list[Verdict]:
    """What the answer states and its sources do not bear out. The score says how much is missing."""
    why = reason("UNGROUNDED", "the answer")
    return [
        Verdict(rule.name, rule.action, "output", rule.said(why), 1 - stated.support, stated.start, stated.end)
        for rule in policy.rules
        if isinstance(rule, GroundednessRule)
        for stated in statements(answer.text, answer.passages, answer.question)
        if stated.support < rule.threshold
    ]


def _segment(progress: Progress, segment: str, policy: Policy, detectors: Detectors, *, final: bool) -> Judged:
    waiting = (*progress.waiting, segment)
    window = progress.context + "".join(waiting)
    origin = progress.released_chars - len(progress.context)
    new = len(progress.context) + sum(map(len, progress.waiting))
    found = _verdicts(window, origin, len(progress.context), policy, detectors)
    stop = next((verdict for verdict in found if verdict.action in _STOPPING), None)
    if stop:
        return _stopped(progress, waiting, stop)
    # A finding that ended before this segment was noted with the segment in which it ended.
    noted = (*progress.verdicts, *(verdict for verdict in found if verdict.end > origin + new))
    safe = len(window) if final else begins(window, policy)
    return _released(replace(progress, verdicts=noted), waiting, safe - len(progress.context))


def _verdicts(window: str, origin: int, judged: int, policy: Policy, detectors: Detectors) -> list[Verdict]:
    """Findings that reach beyond the characters that are judged already."""
    found = [
        Verdict(
            rule.name,
            rule.action,
            "output",
            rule.said(reason(finding.kind, "the answer")),
            finding.score,
            origin + finding.start,
            origin + finding.end,
        )
        for rule in policy.rules
        if rule.looks_at("output")
        for finding in matches(rule, window, detectors)
        if finding.end > judged
    ]
    return sorted(found, key=lambda verdict: verdict.start)


def _released(progress: Progress, waiting: tuple[str, ...], safe_chars: int) -> Judged:
    """Release the segments that end before what is unfinished."""
    count = chars = 0
    while count < len(waiting) and chars + len(waiting[count]) <= safe_chars:
        chars += len(waiting[count])
        count += 1
    after = replace(
        progress,
        context=waiting[count - 1] if count else progress.context,
        waiting=waiting[count:],
        released=progress.released + count,
        released_chars=progress.released_chars + chars,
    )
    return Judged(waiting[:count], after)


def _stopped(progress: Progress, waiting: tuple[str, ...], stop: Verdict) -> Judged:
    """Release what ends before the leak begins, and nothing after it."""
    judged = _released(progress, waiting, stop.start - progress.released_chars)
    return Judged(judged.segments, replace(judged.progress, stop=stop, verdicts=(*progress.verdicts, stop), waiting=()))
