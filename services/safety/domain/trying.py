"""What a policy makes of one text, from the side on which it stands: for examples, and for whoever asks beforehand."""

from collections.abc import Sequence
from typing import Final, Literal, assert_never

from services.safety.domain.findings import Detectors, Finding, Verdict
from services.safety.domain.injection import highest
from services.safety.domain.input_judgement import SYSTEM, Cleared, Masked, Message, Refused, Request, Routed, judge
from services.safety.domain.matching import matches
from services.safety.domain.output_judgement import Answered, judge_whole, ungrounded
from services.safety.domain.policy import HiddenInstructionRule, InjectionRule, Policy

Place = Literal["input", "output", "source"]
Outcome = Literal["cleared", "warned", "masked", "refused", "routed"]

_QUESTION: Final = "What does the source say?"


def judged(
    text: str, side: Place, policy: Policy, detectors: Detectors, sources: Sequence[str] = ()
) -> tuple[Outcome, tuple[Verdict, ...]]:
    """What follows, and the verdicts that say why. `sources` are what an answer cites as [1], [2] and so on."""
    if side == "output":
        return _of_an_answer(text, policy, detectors, sources)
    request = Request([text], [Message("user", text)])
    if side == "source":
        request = Request([_QUESTION], [Message(SYSTEM, text), Message("user", _QUESTION)], [text])
    found = judge(request, policy, detectors)
    match found:
        case Refused():
            return "refused", found.verdicts
        case Routed():
            return "routed", found.verdicts
        case Masked():
            return "masked", found.verdicts
        case Cleared():
            return _cleared(found.verdicts), found.verdicts
        case never:
            assert_never(never)


def findings(text: str, side: Place, policy: Policy, detectors: Detectors) -> list[tuple[str, Finding]]:
    """Every place that a rule has found, with the rule's name; what the rule makes of it aside."""
    rules = (rule for rule in policy.rules if rule.looks_at("output" if side == "output" else "input"))
    return [
        (rule.name, finding)
        for rule in rules
        if isinstance(rule, HiddenInstructionRule) <= (side == "source")
        for finding in matches(rule, text, detectors)
    ]


def scores(text: str, side: Place, policy: Policy, detectors: Detectors) -> dict[str, float]:
    """How sure the classifiers of attacks are, below their thresholds too."""
    kind, score = (
        (HiddenInstructionRule, detectors.hidden) if side == "source" else (InjectionRule, detectors.injection)
    )
    return {rule.name: highest(text, score) for rule in policy.rules if isinstance(rule, kind)}


def _of_an_answer(
    text: str, policy: Policy, detectors: Detectors, sources: Sequence[str]
) -> tuple[Outcome, tuple[Verdict, ...]]:
    whole = judge_whole(text, policy, detectors)
    if whole.stop:
        return ("routed" if whole.stop.action == "route" else "refused"), whole.verdicts
    passages = {f"[{number}]": source for number, source in enumerate(sources, start=1)}
    verdicts = (*whole.verdicts, *ungrounded(Answered(text, passages), policy))
    return _cleared(verdicts), verdicts


def _cleared(verdicts: Sequence[Verdict]) -> Outcome:
    actions = {verdict.action for verdict in verdicts}
    if "route" in actions:
        return "routed"
    return "warned" if "warn" in actions else "cleared"
