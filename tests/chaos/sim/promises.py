"""What is promised of every message of the delivery scenario, checked at each commit and at the end."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import pairwise
from typing import Final

from headrace.messaging import headers, topics
from headrace.messaging.records import Received, TopicPartition, header_int
from headrace.v1.dead_letters_pb2 import DeadLetter
from headrace.v1.feedback_pb2 import FeedbackSubmitted
from headrace.v1.responses_pb2 import ResponseCompleted, ResponseDelta
from headrace.v1.turns_pb2 import Turn
from tests.chaos.sim.effects import Store
from tests.chaos.sim.group import Group
from tests.chaos.sim.inputs import DELTAS, DELTAS_OUT, EVENTS, EVENTS_OUT, FIRST, LAST, Input
from tests.chaos.sim.process import Process
from tests.chaos.sim.run import Run

Origin = tuple[str, int, int]

_STAGED: Final = {topics.turns(stage, lane): stage for stage in (FIRST, LAST) for lane in topics.LANES}


class Promises:
    """Watches the log and the commits of one run."""

    def __init__(
        self, run: Run, store: Store, inputs: Iterable[Input], *, once: bool = False, flood: bool = False
    ) -> None:
        """`once`: what is published is there once, whatever went wrong; else at least once. `flood`: any may fail."""
        self._run, self._store, self._once, self._flood = run, store, once, flood
        self._inputs = {each.name: each for each in inputs}
        # What stands at each place of an input topic: (stage, name).
        self._at: dict[Origin, tuple[str, str]] = {}
        self._attempts: dict[Origin, int] = defaultdict(int)
        self._moves = 0
        self._letters: dict[Origin, int] = defaultdict(int)
        self.out: dict[str, int] = defaultdict(int)
        self._sent_on: Counter[str] = Counter()
        self._completed: Counter[str] = Counter()
        self._responses: Counter[str] = Counter()
        self.answers: dict[str, set[int]] = defaultdict(set)
        self.shown: dict[str, list[str]] = defaultdict(list)
        run.broker.log.listeners.append(self._appended)

    @property
    def moved(self) -> int:
        """How often a message was put on a retry topic or given up."""
        return self._moves + sum(self._letters.values())

    def watch(self, group: Group) -> None:
        """Check the commits of this group."""
        group.watchers.append(self._committed)

    def _appended(self, record: Received) -> None:
        value, origin = record.value or b"", (record.topic, record.partition, record.offset)
        self._run.note("append", f"{record.topic}:{record.partition}@{record.offset} key {record.key_text}")
        if record.topic in {EVENTS, DELTAS} or record.topic in _STAGED:
            self._at[origin] = self._identify(record, value)
        match record.topic:
            case topics.DEAD_LETTERS:
                letter = DeadLetter.FromString(value).origin
                self._letters[letter.topic, letter.partition, letter.offset] += 1
            case topics.RESPONSES:
                response = ResponseCompleted.FromString(value)
                self.answers[response.turn_id].add(response.status)
                self._responses[response.turn_id] += 1
            case topics.TURNS_COMPLETED:
                self._completed[Turn.FromString(value).turn_id] += 1
            case _ if record.topic == EVENTS_OUT:
                self.out[FeedbackSubmitted.FromString(value).feedback_id] += 1
            case _ if record.topic == DELTAS_OUT:
                delta = ResponseDelta.FromString(value)
                self.shown[delta.turn_id].append(delta.text)
            case _:
                self._note_retry(record)

    def _note_retry(self, record: Received) -> None:
        if headers.ORIGIN_TOPIC in record.headers:
            came_from, attempt = _origin(record), header_int(record.headers, headers.ATTEMPT)
            self._moves += 1
            self._attempts[came_from] = max(self._attempts[came_from], attempt)

    def _identify(self, record: Received, value: bytes) -> tuple[str, str]:
        stage = _STAGED.get(record.topic, record.topic)
        if value.startswith(b"\x0a\xff"):
            return stage, value[2:].decode()
        match stage:
            case _ if stage == EVENTS:
                return stage, FeedbackSubmitted.FromString(value).feedback_id
            case _ if stage == DELTAS:
                delta = ResponseDelta.FromString(value)
                return stage, f"{delta.turn_id}.{delta.seq}"
            case _:
                turn = Turn.FromString(value)
                if stage == LAST:
                    self._sent_on[turn.turn_id] += 1
                return stage, turn.turn_id

    def _committed(self, group: Group, place: TopicPartition, before: int, offset: int, process: Process) -> None:
        self._run.note("commit", f"{place.topic}:{place.partition}@{offset} by process {process.number}")
        if offset < before:
            self._run.violation(f"the commit of {place} went back from {before} to {offset}")
        for record in self._run.broker.log.read(place, before, max(0, offset - before)):
            if record.offset < offset and not self._done(record):
                name = self._at.get(_origin(record), ("?", "?"))
                self._run.violation(
                    f"{place} was committed up to {offset} while {name} at {record.offset} was not done"
                )

    def _done(self, record: Received) -> bool:
        origin = _origin(record)
        attempt = header_int(record.headers, headers.ATTEMPT, 1) if headers.ORIGIN_TOPIC in record.headers else 1
        if self._attempts[origin] > attempt:
            return True
        stage, name = self._at[origin]
        buried = bool(self._letters[origin])
        match stage:
            case _ if stage == EVENTS:
                return buried or bool(self._store.applied[name] and self.out[name])
            case _ if stage == DELTAS:
                key = name.partition(".")[0]
                return buried or self._broken(key) or any(text.endswith(".") for text in self.shown[key])
            case _ if stage == FIRST:
                if buried:
                    return self._inputs[name].behaviour.poison or name in self._sent_on
                return bool(self._store.applied[name]) and name in self._sent_on
            case _:
                return bool(self.answers[name]) and name in self._completed

    def _broken(self, stream: str) -> bool:
        return any(each.behaviour.buried for each in self._inputs.values() if each.key == stream)

    def conclude(self, *, quiet: bool) -> None:
        """What must hold once everything is drained."""
        letters = {self._at[origin][1]: count for origin, count in self._letters.items() if count}
        for name, each in self._inputs.items():
            buried = each.behaviour.buried
            if buried and name not in letters and not (each.stage == "delta" and self._broken_before(each)):
                self._run.violation(f"{name} should be a dead letter and is none")
            if name in letters and not buried and not (each.stage == "delta" and self._broken(each.key)):
                self._run.violation(f"{name} is a dead letter without a reason")
            match each.stage:
                case "event":
                    self._event(each, quiet=quiet)
                case "turn":
                    self._turn(each, quiet=quiet)
                case "delta":
                    self._delta(each, quiet=quiet)
        for key, numbers in self._store.arrivals.items():
            self._order(key, numbers)
        if self._once:
            self._no_more_than_once()

    def _no_more_than_once(self) -> None:
        letters = {str(self._at[origin]): count for origin, count in self._letters.items()}
        for what, counted in (("out", self.out), ("on its way", self._sent_on), ("answered", self._responses),
                              ("completed", self._completed), ("a dead letter", letters)):  # fmt: skip
            for name, count in counted.items():
                # Streams are not committed together with what they show.
                if count > 1 and not name.startswith(("d", "('sim.deltas")):
                    self._run.violation(f"{name} is {count} times {what}, though it was to be once")

    def _event(self, each: Input, *, quiet: bool) -> None:
        if each.behaviour.buried:
            return
        if not self._store.applied[each.name] or not self.out[each.name]:
            self._run.violation(f"event {each.name} was lost")
        if quiet and self._store.applied[each.name] + self.out[each.name] > 2:
            self._run.violation(f"event {each.name} was handled twice without a fault")

    def _turn(self, each: Input, *, quiet: bool) -> None:
        wanted = {ResponseCompleted.FAILED if each.behaviour.buried else ResponseCompleted.ANSWERED}
        if each.behaviour.poison:
            return
        if self.answers[each.name] != wanted:
            self._run.violation(f"turn {each.name} was answered {self.answers[each.name]} instead of {wanted}")
        if quiet and self._store.applied[each.name] > 1:
            self._run.violation(f"turn {each.name} was handled twice without a fault")

    def _delta(self, each: Input, *, quiet: bool) -> None:
        if not each.last or self._broken(each.key):
            return
        whole = "".join(f"{number} " for number in range(each.number)) + f"{each.number}."
        shown = self.shown[each.key]
        if whole not in shown:
            self._run.violation(f"stream {each.key} never came to its end: {shown}")
        if quiet and len(shown) != each.number + 1:
            self._run.violation(f"stream {each.key} was shown {len(shown)} times without a fault")
        for text in shown:
            if not whole.startswith(text):
                self._run.violation(f"stream {each.key} showed a mixed text: {text!r}")

    def _broken_before(self, each: Input) -> bool:
        return any(
            other.behaviour.buried for other in self._inputs.values()
            if other.stage == "delta" and other.key == each.key and other.number < each.number
        )  # fmt: skip

    def _order(self, key: str, numbers: list[int]) -> None:
        """First effects come in order; nothing that was waiting on the retry topic counts."""
        firsts = list(dict.fromkeys(numbers))
        moved = {name for origin, (_, name) in self._at.items() if self._attempts[origin]}
        if self._once:
            # A move that was never committed is not in the log, though others went on by it.
            moved |= {name for name, each in self._inputs.items() if each.behaviour.failing or self._flood}
        kept = [number for number in firsts if f"{key}.{number}" not in moved]
        for earlier, later in pairwise(kept):
            if earlier > later:
                self._run.violation(f"{key}.{later} took effect after {key}.{earlier}: {numbers}")
        if key.startswith("e") and self._store.latest[key][0] != max(numbers):
            self._run.violation(f"{key} ended as {self._store.latest[key][0]} instead of {max(numbers)}: {numbers}")


def _origin(record: Received) -> Origin:
    if headers.ORIGIN_TOPIC not in record.headers:
        return record.topic, record.partition, record.offset
    return (
        record.headers[headers.ORIGIN_TOPIC],
        header_int(record.headers, headers.ORIGIN_PARTITION),
        header_int(record.headers, headers.ORIGIN_OFFSET),
    )
