"""What a consumer owes each message, judged on what a read-committed reader of its output saw."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class Seen:
    """A record of the output, and when the reader got it, in seconds of a steady clock."""

    key: str
    number: int
    at_s: float


@dataclass(frozen=True, slots=True)
class Judgement:
    """Counts of what went wrong, and the longest time without any output."""

    lost: int
    again: int
    out_of_order: int
    longest_silence_s: float


def judge(sent: Mapping[str, int], seen: Sequence[Seen]) -> Judgement:
    """`sent`: how many messages there were of each key, numbered from 0."""
    firsts: dict[str, list[int]] = {key: [] for key in sent}
    for each in seen:
        if each.number not in firsts[each.key]:
            firsts[each.key].append(each.number)
    whole = sum(map(len, firsts.values()))
    return Judgement(
        lost=sum(sent.values()) - whole,
        again=len(seen) - whole,
        out_of_order=sum(later < earlier for numbers in firsts.values() for earlier, later in pairwise(numbers)),
        longest_silence_s=max((later.at_s - earlier.at_s for earlier, later in pairwise(seen)), default=0.0),
    )
