"""What goes in: refused, masked, or let through."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from services.safety.domain.findings import Detectors, Finding, Verdict, without_overlaps
from services.safety.domain.injection import narrowest, windows
from services.safety.domain.masking import Masks, masks_in
from services.safety.domain.matching import matches
from services.safety.domain.policy import HiddenInstructionRule, InjectionRule, Policy, Rule
from services.safety.domain.reasons import reason

SYSTEM: Final = "system"
# What ends a turn before the model.
_ENDING: Final = frozenset({"refuse", "route"})
# Stands for an instruction that a source had no business to give. It is no mask: nothing is put back for it.
WITHHELD: Final = "[withheld]"


@dataclass(frozen=True, slots=True)
class Message:
    """One message that the model is to be given."""

    role: str
    content: str
    # An example of the template: like our instructions, nobody's words to be judged or masked.
    is_ours: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """What is judged: what somebody wrote, and the messages that were made of it (the question is the last)."""

    # What the client wrote now, and what it claims that was said before.
    written: Sequence[str]
    messages: Sequence[Message]
    # Retrieved passages, as they stand in the messages.
    sources: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Cleared:
    """The model gets the messages as they are."""

    verdicts: tuple[Verdict, ...]


@dataclass(frozen=True, slots=True)
class Masked:
    """The model gets these messages; `values` says what the masks stand for."""

    verdicts: tuple[Verdict, ...]
    messages: tuple[Message, ...]
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Routed:
    """The model gets nothing; a person gets these messages, and whoever asked reads the message."""

    verdicts: tuple[Verdict, ...]
    rule: str
    message: str
    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """The model gets nothing; the person reads the message."""

    verdicts: tuple[Verdict, ...]
    rule: str
    message: str


def judge(request: Request, policy: Policy, detectors: Detectors) -> Cleared | Masked | Routed | Refused:
    """The first rule that refuses or routes ends the turn; else every masking rule masks."""
    rules = [rule for rule in policy.rules if rule.looks_at("input")]
    verdicts = tuple(verdict for rule in rules for verdict in _verdicts(rule, request, policy, detectors))
    ending = next((verdict for verdict in verdicts if verdict.action in _ENDING), None)
    message = next((rule.message for rule in rules if ending and rule.name == ending.rule), "")
    if ending and ending.action == "refuse":
        return Refused(verdicts, ending.rule, message)
    masking = [rule for rule in rules if rule.action == "mask"]
    if ending:
        masked = _masked(verdicts, masking, request, policy, detectors)
        return Routed(verdicts, ending.rule, message, masked.messages)
    if any(verdict.action == "mask" for verdict in verdicts):
        return _masked(verdicts, masking, request, policy, detectors)
    return Cleared(verdicts)


def _verdicts(rule: Rule, request: Request, policy: Policy, detectors: Detectors) -> Iterator[Verdict]:
    for where, text in _places(rule, request, policy):
        for finding in matches(rule, text, detectors):
            why = rule.said(reason(finding.kind, where))
            yield Verdict(rule.name, rule.action, "input", why, finding.score, finding.start, finding.end)


def _places(rule: Rule, request: Request, policy: Policy) -> Iterator[tuple[str, str]]:
    """The texts that a rule judges. An injection is looked for in what somebody wrote, not in our own instructions."""
    if isinstance(rule, HiddenInstructionRule):
        for text in request.sources:
            yield "a source", text
        return
    if isinstance(rule, InjectionRule):
        for index, text in enumerate(request.written):
            yield ("the question" if index == 0 else "an earlier message"), text
        return
    last = len(request.messages) - 1
    for index, message in enumerate(request.messages):
        if message.is_ours:
            continue
        if message.role != SYSTEM:
            yield ("the question" if index == last else "an earlier message"), message.content
        elif rule.action == "mask" and policy.sources == "mask":
            yield "a source", message.content


def _masked(
    verdicts: tuple[Verdict, ...], rules: Sequence[Rule], request: Request, policy: Policy, detectors: Detectors
) -> Masked:
    masks = Masks(taken=frozenset(mask for message in request.messages for mask in masks_in(message.content)))
    messages: list[Message] = []
    hidden = [rule for rule in rules if isinstance(rule, HiddenInstructionRule)]
    rules = [rule for rule in rules if not isinstance(rule, HiddenInstructionRule)]
    for message in _without_hidden(hidden, request, detectors):
        open_to_masks = not message.is_ours and (message.role != SYSTEM or policy.sources == "mask")
        findings = _findings(rules, message.content, detectors) if open_to_masks else []
        messages.append(Message(message.role, masks.apply(message.content, findings)))
    return Masked(verdicts, tuple(messages), masks.values)


def _without_hidden(
    rules: Sequence[HiddenInstructionRule], request: Request, detectors: Detectors
) -> Iterator[Message]:
    """The messages, their sources without the sentences that tell the model what to do."""
    withheld: dict[str, str] = {}
    for rule in rules:
        for source in request.sources:
            text = source
            # The next may show only when the worst is gone.
            for _ in windows(source):
                found = narrowest(text, detectors.hidden, rule.threshold)
                if not found:
                    break
                text = f"{text[: found.start]}{WITHHELD} {text[found.end :]}"
            if text != source:
                withheld[source] = text
    for message in request.messages:
        content = message.content
        if message.role == SYSTEM:
            for source, text in withheld.items():
                content = content.replace(source, text)
        yield replace(message, content=content)


def _findings(rules: Sequence[Rule], text: str, detectors: Detectors) -> list[Finding]:
    return without_overlaps(finding for rule in rules for finding in matches(rule, text, detectors))
