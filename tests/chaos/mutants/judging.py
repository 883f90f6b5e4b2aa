"""What must hold of valid messages, of mutants and of repaired ones. Pure: what was sent and what became of it."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import assert_never

from google.protobuf.message import Message

from headrace.messaging import topics
from headrace.v1.responses_pb2 import ResponseCompleted
from headrace.v1.turns_pb2 import ClearedDelta, GeneratedDelta, Turn
from tests.chaos.mutants.ends import Buried, Ends, ids_of
from tests.chaos.mutants.messages import Sample
from tests.chaos.mutants.mutant import Mutant
from tests.chaos.mutants.parseable import Nobodys, Parses, Unparseable, judged

_READERS_ONLY = frozenset(
    {
        topics.RESPONSES,
        topics.RESPONSE_DELTAS,
        topics.REVIEWS_CLASSIFIED,
        topics.DEAD_LETTERS,
        topics.DISPOSITIONS,
        topics.CANCELLATIONS,
    }
)
_ANSWERED_TO = frozenset({topics.PROMPTS, topics.REVIEWS})


@dataclass(frozen=True, slots=True)
class Kept:
    """What is in the stores, by id, and what the readers without a group have read."""

    feedback: Collection[str] = ()
    turns: Collection[str] = ()
    documents: Collection[str] = ()
    read: Collection[str] = ()


@dataclass(slots=True)
class Tally:
    """What was seen of the mutants."""

    unparseable: int = 0
    # Where nobody makes dead letters: read over.
    unreadable: int = 0
    parsed: int = 0
    nobodys: int = 0
    refused: int = 0
    wrong: list[str] = field(default_factory=list)


def valid_ones(samples: Iterable[Sample], ends: Ends, kept: Kept) -> list[str]:
    """A sentence for each valid message that did not come to its end, or not in the right way."""
    return [f"{sample.topic}: {sample.id} {wrong}" for sample in samples if (wrong := _wrong_with(sample, ends, kept))]


def mutants(sent: Sequence[Mutant], ends: Ends, seed: int) -> Tally:
    """What the mutants should have led to, against what they led to."""
    tally = Tally()
    by_tag: dict[str, list[Buried]] = {}
    for buried in ends.buried:
        by_tag.setdefault(buried.tag, []).append(buried)
    for mutant in sent:
        letters = by_tag.pop(str(mutant.number), [])
        errors = [letter.error for letter in letters]
        wrong = _judge(mutant, errors, ends, tally)
        if wrong:
            told = letters[0].letter.error.message[:200] if letters else ""
            tally.wrong.append(f"mutant {mutant.number} on {mutant.topic} ({', '.join(mutant.faults)}) {wrong} {told}"
                               f" [python -m tests.chaos.mutants --seed {seed} --number {mutant.number}]")  # fmt: skip
    # What stages wrote for mutants that parse, and later stages refused: with a reason, or it is a defect.
    later = Counter(each.error for letters in by_tag.values() for each in letters)
    tally.refused += later["Invalid"]
    for letters in by_tag.values():
        tally.wrong += [
            f"{each.letter.stage} gave up what came of a mutant: {each.error}: {each.letter.error.message[:200]}"
            for each in letters
            if each.error != "Invalid"
        ]
    return tally


def _judge(mutant: Mutant, errors: Sequence[str], ends: Ends, tally: Tally) -> str:
    expected = judged(mutant)
    if mutant.topic in _READERS_ONLY:
        tally.parsed += isinstance(expected, Parses)
        tally.unreadable += not isinstance(expected, Parses)
        return f"led to a dead letter: {errors[0]}" if errors else ""
    match expected:
        case Unparseable():
            tally.unparseable += 1
            right = list(errors) == ["Undecodable"]
            return "" if right else f"cannot be parsed and led to {errors or 'no dead letter'}"
        case Nobodys():
            tally.nobodys += 1
            return "" if len(errors) == 1 else f"is nobody's message and led to {errors or 'no dead letter'}"
        case Parses(message):
            tally.parsed += 1
            tally.refused += list(errors) == ["Invalid"]
            return _judge_parsed(mutant.topic, message, errors, ends)
        case never:
            assert_never(never)


def _judge_parsed(topic: str, message: Message | None, errors: Sequence[str], ends: Ends) -> str:
    if errors and (list(errors) != ["Invalid"] or topic in _ANSWERED_TO):
        return f"parses and led to dead letters: {errors}"
    if message is None or topic not in _ANSWERED_TO:
        return ""
    names = ids_of(message)
    found = any(name in ends.finals or name in ends.conversations or name in ends.classes for name in names)
    return "" if found or not names else "parses and was never answered"


def _wrong_with(sample: Sample, ends: Ends, kept: Kept) -> str:
    message = sample.message
    match message:
        case GeneratedDelta() | ClearedDelta():
            text = ends.text_of(sample.id)
            return "" if text == message.text else f"was shown as {text!r}"
        case Turn() if not message.slip.remaining:
            return "" if sample.id in kept.turns else "was not kept"
        case Turn() if message.WhichOneof("request") == "review":
            return _class_of(message.review.review_id, ends)
        case _:
            return _ENDS.get(message.DESCRIPTOR.name, _read)(sample.id, ends, kept)


def _class_of(review_id: str, ends: Ends) -> str:
    found = ends.classes.get(review_id, [])
    return (
        ""
        if len(found) == 1 and found[0].label
        else f"was classified {len(found)} times: {[each.error.message for each in found]}"
    )


def _answered(name: str, ends: Ends, _kept: Kept) -> str:
    found = ends.finals.get(name, [])
    right = len(found) == 1 and found[0].status == ResponseCompleted.ANSWERED
    return "" if right else f"was answered {len(found)} times: {[(each.status, each.error.message) for each in found]}"


def _read(name: str, _ends: Ends, kept: Kept) -> str:
    return "" if name in kept.read else "was never read"


_ENDS: dict[str, Callable[[str, Ends, Kept], str]] = {
    "PromptSubmitted": _answered,
    "Turn": _answered,
    "ReviewSubmitted": lambda name, ends, _: _class_of(name, ends),
    "FeedbackSubmitted": lambda name, _, kept: "" if name in kept.feedback else "was not kept",
    "KnowledgeDocument": lambda name, _, kept: "" if name in kept.documents else "was not indexed",
}
