"""One turn's answer as it comes from the log, and what a client at some place in it is to see next.

Deltas and the final travel on different topics: they arrive in either order, more than once, and after a crash from
more than one attempt. Every client reads at its own pace by a cursor, so that a slow one holds up nobody.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum, auto

from services.gateway.domain.answers import Answer, Piece, Status
from services.gateway.domain.pieces import Pieces

# How far ahead of the next expected delta one may be and still be kept. Bounds the memory of a broken stream.
MAX_AHEAD = 4096


@dataclass(frozen=True, slots=True)
class Shown:
    """Text to append. `seq` rises within an attempt; the last one may stand for several."""

    attempt: int
    seq: int
    text: str


@dataclass(frozen=True, slots=True)
class Restarted:
    """All text shown so far is void; what follows is the answer of this attempt from its start."""

    attempt: int


@dataclass(frozen=True, slots=True)
class Ended:
    """Nothing follows."""

    answer: Answer


Event = Shown | Restarted | Ended


class Taken(Enum):
    """What became of a delta."""

    ADDED = auto()
    REPEATED = auto()
    SUPERSEDED = auto()
    UNJUDGED = auto()
    LATE = auto()


@dataclass(frozen=True, slots=True)
class Cursor:
    """A client's place: the last `seq` it has of `attempt`; -1: it has nothing. `revision` is the log's own count."""

    after_seq: int = -1
    attempt: int | None = None
    revision: int | None = None
    ended: bool = False


class TurnLog:
    """The deltas and the final of one turn."""

    def __init__(self) -> None:
        self._attempt: int | None = None
        # Rises whenever the text so far became void.
        self._revision = 0
        self._pieces = Pieces()
        # A piece's index is its seq, but for the last, whose seq may be higher.
        self._last_seq = -1
        self._ahead: dict[int, str] = {}
        self._answer: Answer | None = None
        self._closed = False
        self._rewritten = False
        # Whether there is anything to show.
        self.has_text = False

    @property
    def closed(self) -> bool:
        """Whether all that will ever be shown is here."""
        return self._closed

    @property
    def awaits_deltas(self) -> bool:
        """Whether the final is known and deltas of it are still missing."""
        return self._answer is not None and not self._closed

    @property
    def answer(self) -> Answer | None:
        """The final, once it is known."""
        return self._answer

    @property
    def text(self) -> str:
        """What a client who has read everything has on its screen."""
        return self._pieces.join()

    def add(self, piece: Piece) -> Taken:
        """Take a delta. One without a verdict is refused: nobody has judged that text."""
        if not piece.verdict_id:
            return Taken.UNJUDGED
        if self._closed:
            return Taken.LATE
        if self._attempt is not None and piece.attempt < self._attempt:
            return Taken.SUPERSEDED
        if self._attempt is None or piece.attempt > self._attempt:
            self._begin(piece.attempt)
        if piece.seq < len(self._pieces) or piece.seq in self._ahead:
            return Taken.REPEATED
        if piece.seq > len(self._pieces) + MAX_AHEAD:
            return Taken.LATE
        self._ahead[piece.seq] = piece.text
        while (text := self._ahead.pop(len(self._pieces), None)) is not None:
            self._append(len(self._pieces), text)
        self._close_if_whole()
        return Taken.ADDED

    def complete(self, answer: Answer) -> Taken:
        """Take the final. The first one counts: a repeat after a crash says the same."""
        if self._answer is not None:
            return Taken.REPEATED
        self._answer = answer
        self._close_if_whole()
        return Taken.ADDED

    def cut_short(self) -> None:
        """Stop waiting for deltas: the rest comes out of the final's text."""
        if self._answer is None or self._closed:
            return
        self._closed = True
        self._ahead.clear()
        self._amend(self._answer)
        self._pieces.seal(self._answer.text)

    def read(self, cursor: Cursor) -> tuple[list[Event], Cursor]:
        """What the client at this cursor has not seen yet, and its place after that."""
        if cursor.ended or self._must_wait(cursor):
            return [], cursor
        events: list[Event] = []
        if self._is_void(cursor):
            events.append(Restarted(self._attempt or 0))
            cursor = Cursor()
        events.extend(self._after(cursor.after_seq))
        after_seq = max(cursor.after_seq, self._last_seq)
        if self._closed and self._answer is not None:
            events.append(Ended(self._answer))
        return events, replace(
            cursor, after_seq=after_seq, attempt=self._attempt, revision=self._revision, ended=self._closed
        )

    def _after(self, after_seq: int) -> Iterator[Shown]:
        last = len(self._pieces) - 1
        first = max(min(after_seq + 1, last), 0)
        for index, text in enumerate(self._pieces.since(first), first):
            seq = self._last_seq if index == last else index
            if seq > after_seq:
                yield Shown(self._attempt or 0, seq, text)

    def _must_wait(self, cursor: Cursor) -> bool:
        # A client may be ahead of a log that is being read again from its start.
        if self._closed or cursor.after_seq < 0 or cursor.revision is not None:
            return False
        return self._attempt is None or (cursor.attempt is not None and cursor.attempt > self._attempt)

    def _is_void(self, cursor: Cursor) -> bool:
        if cursor.after_seq < 0 or self._attempt is None:
            return False
        # The last piece may stand for several deltas, of which the client has some from elsewhere.
        if len(self._pieces) - 1 <= cursor.after_seq < self._last_seq:
            return True
        if cursor.revision is not None:
            return cursor.revision != self._revision
        if cursor.attempt is None:
            return self._revision > 1
        return cursor.attempt != self._attempt or self._rewritten

    def _amend(self, answer: Answer) -> None:
        """Show what the final says, where that is something else than what was shown."""
        shown, text = self.text, answer.text
        # A turn that was broken off leaves what was shown, unless its final says what is to be there.
        if text == shown or (not text and answer.status is not Status.ANSWERED):
            return
        if not text.startswith(shown):
            self._rewritten = True
            shown = ""
        if not shown:
            self._begin(answer.attempt)
        if text:
            # It stands for every delta to the end, so that no other gateway sends a client any of them again.
            self._append(max(answer.delta_count - 1, len(self._pieces)), text[len(shown) :])

    def _begin(self, attempt: int) -> None:
        self._attempt = attempt
        self._revision += 1
        self._pieces.clear()
        self._ahead.clear()
        self._last_seq = -1
        self.has_text = False

    def _append(self, seq: int, text: str) -> None:
        self._pieces.append(text)
        self._last_seq = seq
        self.has_text = self.has_text or bool(text)

    def _close_if_whole(self) -> None:
        answer = self._answer
        if answer is None or self._closed:
            return
        whole = self._attempt == answer.attempt and len(self._pieces) >= answer.delta_count
        # The deltas of a superseded attempt have passed: waiting would bring none of them back.
        passed = self._attempt is not None and self._attempt > answer.attempt
        if whole or passed or answer.delta_count == 0:
            self.cut_short()
