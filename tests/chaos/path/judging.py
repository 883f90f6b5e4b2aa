"""The promises, judged over what a run left behind. Pure, so that each of them can be seen to fail."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

from tests.chaos.path.journal import Line
from tests.chaos.path.observed import ClassSeen, FinalSeen, Observed

# So many of a kind are named; the rest is counted.
_NAMED = 5


class OnTopic(Protocol):
    """Something that a broker has taken."""

    @property
    def topic(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Accepted:
    """What the broker acknowledged to the clients: ids, and the turns of each conversation in their order."""

    turns: frozenset[str]
    reviews: frozenset[str]
    ratings: frozenset[str]
    conversations: Mapping[str, tuple[str, ...]]


def violations(accepted: Accepted, seen: Observed, *, in_order: bool = True) -> list[str]:
    """A sentence for each promise that was broken, with the ids that show it.

    `in_order`: the turns of a conversation were answered in the order they were asked in, since none was given up and
    sent again by hand.
    """
    return [
        *_told("lost: a turn was accepted and has no final", accepted.turns - seen.finals.keys()),
        *_told("lost: a review was accepted and has no class", accepted.reviews - seen.classes.keys()),
        *_told("lost: a rating was accepted and is not kept", accepted.ratings - set(seen.ratings)),
        *_told("lost: a turn was answered and is not kept for its ratings", accepted.turns - set(seen.turns_kept)),
        *_told("failed: a turn's final is no answer", _not_answered(seen.finals, accepted.turns)),
        *_told("failed: a review has no class but an error", _unclassified(seen.classes, accepted.reviews)),
        *_told("doubled: finals of one turn differ", _differing(seen.finals)),
        *_told("doubled: classes of one review differ", _differing(seen.classes)),
        *_told("mixed: a place of a stream holds two texts", _mixed(seen.pieces)),
        *_told("incoherent: the deltas of the final's attempt do not join to its text", _incoherent(seen)),
        *_told("doubled: a rating is kept twice", _twice(seen.ratings)),
        *_told("doubled: a turn is kept twice", _twice(seen.turns_kept)),
        *_told("counted wrong", _miscounted(seen)),
        *_told("memory", _misremembered(accepted.conversations, seen.remembered, in_order=in_order)),
        *_told("generated again after its result was final", generated_after_commit(seen.journal)),
        *_told("unseen: no engine is known to have been asked for it", _unwitnessed(accepted, seen)),
        *_told("dead letter", (f"{count} of {kind}" for kind, count in Counter(seen.dead_letters).items())),
    ]


def missing(acknowledged: Mapping[str, "OnTopic"], held: Mapping[str, Collection[str]]) -> list[str]:
    """A sentence if a producer was told that the broker has what its topic does not hold."""
    return _told(
        "lost: acknowledged and not on its topic",
        (f"{each} ({place.topic})" for each, place in acknowledged.items() if each not in held.get(place.topic, ())),
    )


def longest_silence_s(moments_ms: Collection[int]) -> float:
    """The longest time between two moments that follow each other."""
    ordered = sorted(moments_ms)
    return max((later - earlier for earlier, later in pairwise(ordered)), default=0) / 1000


def generated_after_commit(journal: Iterable[Line]) -> Iterator[str]:
    """Turns that an engine was asked for although the ledger had said that their result is final, and turns that have
    two results."""
    final: dict[str, Line] = {}
    for line in sorted(journal, key=lambda each: each.at_ns):
        earlier = final.get(line.turn_id)
        match line.deed:
            case "generated" if earlier:
                yield f"{line.turn_id} (after {(line.at_ns - earlier.at_ns) / 1e6:.0f} ms)"
            case "committed" if earlier and earlier.attempt != line.attempt:
                yield f"{line.turn_id} (attempts {earlier.attempt} and {line.attempt} both final)"
            case "committed":
                final[line.turn_id] = line
            case "generated":
                pass


def generations_repeated(journal: Iterable[Line]) -> int:
    """How often an engine was asked again for a turn that a kill had cut short: the price, not a violation."""
    asked = Counter(line.turn_id for line in journal if line.deed == "generated")
    return sum(asked.values()) - len(asked)


def repeated(messages: Mapping[str, Collection[object]]) -> int:
    """How many messages stand on a topic again: what a client has to drop by their ids."""
    return sum(len(each) - 1 for each in messages.values())


def generations(journal: Iterable[Line]) -> int:
    """How often an engine was asked in all."""
    return sum(line.deed == "generated" for line in journal)


def _told(what: str, ids: Iterable[str]) -> list[str]:
    found = sorted(ids)
    if not found:
        return []
    more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
    return [f"{what}: {', '.join(found[:_NAMED])}{more}"]


def _not_answered(finals: Mapping[str, list[FinalSeen]], accepted: Collection[str]) -> Iterator[str]:
    for turn, seen in finals.items():
        if turn in accepted and seen[-1].status != "ANSWERED":
            yield f"{turn} ({seen[-1].status} {seen[-1].error})"


def _unclassified(classes: Mapping[str, list[ClassSeen]], accepted: Collection[str]) -> Iterator[str]:
    for review, seen in classes.items():
        if review in accepted and not seen[-1].label:
            yield f"{review} ({seen[-1].error})"


def _differing(messages: Mapping[str, list[FinalSeen]] | Mapping[str, list[ClassSeen]]) -> Iterator[str]:
    return (key for key, each in messages.items() if len(set(each)) > 1)


def _mixed(pieces: Mapping[str, Mapping[tuple[int, int], set[str]]]) -> Iterator[str]:
    for turn, places in pieces.items():
        yield from (
            f"{turn} (attempt {attempt}, seq {seq})" for (attempt, seq), texts in places.items() if len(texts) > 1
        )


def _incoherent(seen: Observed) -> Iterator[str]:
    for turn, finals in seen.finals.items():
        final = finals[-1]
        if final.status != "ANSWERED":
            continue
        places = seen.pieces.get(turn, {})
        texts = [places.get((final.attempt, seq), {""}) for seq in range(final.delta_count)]
        if "".join(min(each) for each in texts) != final.text:
            missing = sum((final.attempt, seq) not in places for seq in range(final.delta_count))
            yield f"{turn} (attempt {final.attempt}, {missing} of {final.delta_count} deltas missing)"


def _unwitnessed(accepted: Accepted, seen: Observed) -> Iterator[str]:
    """A witness that is blind would find nothing and prove nothing."""
    asked = {line.turn_id for line in seen.journal if line.deed == "generated"}
    answered, classified = accepted.turns & seen.finals.keys(), accepted.reviews & seen.classes.keys()
    yield from answered - asked
    # A review's turn has an id of its own.
    if len(asked) < len(answered) + len(classified):
        yield f"{len(asked)} were asked for {len(answered)} turns and {len(classified)} reviews"


def _twice(ids: Iterable[str]) -> Iterator[str]:
    return (each for each, count in Counter(ids).items() if count > 1)


def _miscounted(seen: Observed) -> Iterator[str]:
    if seen.ratings_counted != len(seen.ratings):
        yield f"the report counts {seen.ratings_counted} ratings of {len(seen.ratings)}"
    if seen.turns_counted != len(seen.turns_kept):
        yield f"the report counts {seen.turns_counted} turns of {len(seen.turns_kept)}"


def _misremembered(
    conversations: Mapping[str, tuple[str, ...]], remembered: Mapping[str, Iterable[str]], *, in_order: bool
) -> Iterator[str]:
    for conversation, turns in conversations.items():
        kept = list(remembered.get(conversation, ()))
        if Counter(kept) != Counter(turns):
            yield f"{conversation} remembers {len(kept)} turns of {len(turns)}, {len(set(kept))} different ones"
        elif in_order and kept != list(turns):
            yield f"{conversation} remembers its turns in another order than they were asked in"
