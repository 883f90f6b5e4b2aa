"""What is promised of every prompt, document and rating, checked on what a client would read."""

from collections import defaultdict
from typing import Any, Final

from headrace.messaging import headers, topics
from headrace.messaging.codec import decode
from headrace.messaging.records import Received, TopicPartition
from headrace.v1.dead_letters_pb2 import DeadLetter
from headrace.v1.responses_pb2 import ResponseCompleted, ResponseDelta
from headrace.v1.reviews_pb2 import ReviewClassified, ReviewSubmitted
from services.gateway.adapters.wire import content_of
from services.gateway.domain.answers import Answer, Piece
from services.gateway.domain.turn_log import TurnLog
from tests.chaos.sim.asked import Kind, Question, Script
from tests.chaos.sim.faults import Kinds
from tests.chaos.sim.group import Group
from tests.chaos.sim.process import Process
from tests.chaos.sim.run import Run
from tests.chaos.sim.services import Stores

_Status = ResponseCompleted
_ALLOWED: Final[dict[Kind, frozenset[int]]] = {
    "plain": frozenset({_Status.ANSWERED}),
    "masked": frozenset({_Status.ANSWERED}),
    "twice": frozenset({_Status.ANSWERED}),
    "cancelled": frozenset({_Status.ANSWERED, _Status.CANCELLED}),
    "late": frozenset({_Status.ANSWERED, _Status.EXPIRED}),
    "refused": frozenset({_Status.REFUSED}),
    "empty": frozenset({_Status.FAILED}),
    "poison": frozenset(),
}


class Answers:
    """Reads what the path says, as a gateway does, and judges it in the end."""

    def __init__(self, run: Run, script: Script, stores: Stores, kinds: Kinds) -> None:
        self._run, self._script, self._stores, self._kinds = run, script, stores, kinds
        # Finals with the time at which they came.
        self._finals: dict[str, list[tuple[float, ResponseCompleted]]] = defaultdict(list)
        self._deltas: dict[str, dict[tuple[int, int], str]] = defaultdict(dict)
        self._clients: dict[str, TurnLog] = defaultdict(TurnLog)
        self._classes: dict[str, list[ReviewClassified]] = defaultdict(list)
        self._letters: list[DeadLetter] = []
        run.broker.log.listeners.append(self._appended)

    def watch(self, group: Group) -> None:
        """Check the commits of this group."""
        group.watchers.append(self._committed)

    def began(self, turn_id: str) -> None:
        """A generation begins: never after a result that is final. A ledger that was not reached cannot say so."""
        if self._stores.ledger.committed(turn_id) and not self._kinds.troubles:
            self._run.violation(f"turn {turn_id} was generated again after its result was final")

    def _appended(self, record: Received) -> None:
        self._run.note("append", f"{record.topic}:{record.partition}@{record.offset} key {record.key_text[:8]}")
        match record.topic:
            case topics.RESPONSES:
                final = _decoded(record, ResponseCompleted)
                self._finals[final.turn_id].append((self._run.loop.time(), final))
                self._run.note("final", f"{final.turn_id} {final.status} attempt {final.attempt} {final.text!r}")
                self._read(record)
            case topics.RESPONSE_DELTAS:
                delta = _decoded(record, ResponseDelta)
                self._run.note("delta", f"{delta.turn_id} {delta.attempt}/{delta.seq} {delta.text!r}")
                known = self._deltas[delta.turn_id].setdefault((delta.attempt, delta.seq), delta.text)
                if known != delta.text:
                    self._run.violation(
                        f"delta {delta.attempt}/{delta.seq} of {delta.turn_id} was {known!r} and is {delta.text!r} now"
                    )
                self._read(record)
            case topics.REVIEWS_CLASSIFIED:
                classified = _decoded(record, ReviewClassified)
                self._classes[classified.review_id].append(classified)
                self._run.note("class", f"{classified.review_id} {classified.label!r} {classified.error.code}")
            case topics.DEAD_LETTERS:
                self._letters.append(_decoded(record, DeadLetter))
            case _:
                pass

    def _read(self, record: Received) -> None:
        turn_id, content = content_of(record)
        match content:
            case Piece():
                self._clients[turn_id].add(content)
            case Answer():
                self._clients[turn_id].complete(content)
            case None:
                self._run.violation(f"{record.topic}@{record.offset} cannot be read")

    def _committed(self, group: Group, place: TopicPartition, before: int, offset: int, process: Process) -> None:
        self._run.note("commit", f"{place.topic}:{place.partition}@{offset} by process {process.number}")
        if offset < before:
            self._run.violation(f"the commit of {place} went back from {before} to {offset}")

    def conclude(self) -> None:
        """What must hold once everything is drained."""
        for question in self._script.questions:
            if question.kind != "poison":
                self._answered(question)
        wanted = sum(question.kind == "poison" for question in self._script.questions)
        origins = {(each.origin.topic, each.origin.partition, each.origin.offset) for each in self._letters}
        if len(origins) != wanted:
            self._run.violation(f"{wanted} dead letters were due, there are: {sorted(origins)}")
        self._known()
        self._kept()
        self._classified()

    def _answered(self, question: Question) -> None:
        run, turn_id, finals = self._run, question.turn_id, self._finals[question.turn_id]
        if not finals:
            run.violation(f"{question.kind} turn {turn_id} was never answered")
            return
        # The first one counts, for every client that reads the log.
        at_s, final = finals[0]
        for later_s, later in finals[1:]:
            if _content(later) != _content(final):
                self._differs(question, final, later, later_s)
        allowed = _ALLOWED[question.kind]
        if at_s >= question.due_s:
            allowed |= {ResponseCompleted.EXPIRED}
        if final.status not in allowed:
            run.violation(f"{question.kind} turn {turn_id} ended {_content(final)}: {final.error.message}")
        if final.status == ResponseCompleted.ANSWERED:
            self._streamed(turn_id, final)
        if self._kinds.quiet and len(finals) > (2 if question.kind == "twice" else 1):
            run.violation(f"{turn_id} has {len(finals)} finals without a fault")
        if self._kinds.quiet and self._stores.engine.generations[turn_id] > 1:
            run.violation(f"{turn_id} was generated {self._stores.engine.generations[turn_id]} times without a fault")

    def _differs(self, question: Question, first: ResponseCompleted, later: ResponseCompleted, later_s: float) -> None:
        """A turn that is redelivered once its time is over ends as what it is by then, and nobody reads it."""
        self._run.figures["later_finals_that_differ"] += 1
        over = later_s >= question.due_s or question.kind == "cancelled"
        if not over or later.status == first.status:
            self._run.violation(f"{question.turn_id} ended {_content(first)} and again {_content(later)}")

    def _streamed(self, turn_id: str, final: ResponseCompleted) -> None:
        run, deltas, client = self._run, self._deltas[turn_id], self._clients[turn_id]
        streamed = "".join(deltas.get((final.attempt, seq), "<missing>") for seq in range(final.delta_count))
        if streamed != final.text:
            run.violation(f"{turn_id} streamed {streamed!r} and ended as {final.text!r}: {sorted(deltas)}")
        later = [place for place in deltas if place[0] > final.attempt]
        # Without its ledger inference cannot know that it has answered.
        if later and not self._kinds.troubles:
            run.violation(f"{turn_id} ended with attempt {final.attempt} and showed {later} as well")
        if not client.closed or client.text != final.text:
            run.violation(f"the client of {turn_id} has {client.text!r} before it, not {final.text!r}")

    def _classified(self) -> None:
        """Each review once, whatever went wrong: a read-committed consumer sees no more and no less."""
        for _, topic, review_id, review in self._script.others:
            if topic != topics.REVIEWS or not isinstance(review, ReviewSubmitted):
                continue
            found = self._classes[review_id]
            if len(found) != 1:
                self._run.violation(f"{review_id} was classified {len(found)} times")
            elif bool(review.text) == bool(found[0].error.code):
                self._run.violation(
                    f"{review_id}, {review.text!r}, was classified {found[0].label!r}: {found[0].error}"
                )

    def _known(self) -> None:
        last = {version.document_id: version.text for version in self._script.versions}
        for document_id, text in last.items():
            found = self._stores.points.texts(document_id)
            if ("".join(found) if found else "") != text:
                self._run.violation(f"the index has {found} of {document_id}, whose last state is {text!r}")

    def _kept(self) -> None:
        for question in self._script.questions:
            if question.kind != "poison" and question.turn_id not in self._stores.feedback.turns:
                self._run.violation(f"the feedback store never heard of turn {question.turn_id}")
        for _, topic, _, message in self._script.others:
            feedback_id = getattr(message, "feedback_id", "")
            if topic == topics.FEEDBACK and feedback_id not in self._stores.feedback.said:
                self._run.violation(f"rating {feedback_id} was lost")


def _content(final: ResponseCompleted) -> tuple[str, str, int, str]:
    return ResponseCompleted.Status.Name(final.status), final.text, final.delta_count, final.error.code


def _decoded(record: Received, kind: Any) -> Any:
    return decode(record.value or b"", kind, record.headers.get(headers.CONTENT_TYPE, ""))
