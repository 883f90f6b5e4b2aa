"""Where a client stands in one turn, and what it says to go on from there. Pure: frames in, frames and events out."""

from collections.abc import Iterator, Mapping
from typing import Any

from headrace.client.answers import Answer, Citation, Event, Notice, Restarted, Text
from headrace.messaging.errors import Invalid, Retryable

Frame = Mapping[str, Any]


class NotYet(Exception):  # noqa: N818 - it is no error: the turn goes on
    """The gateway cannot go on with a turn that was accepted: another connection, in a moment, will."""


class Following:
    """One turn, over as many connections as it takes."""

    def __init__(self, ask: Frame) -> None:
        self._ask = ask
        self._accepted = False
        self._attempt: int | None = None
        self._seq = -1
        self._citations: list[Citation] = []
        self._notices: list[Notice] = []

    @property
    def turn_id(self) -> str:
        """The turn's id."""
        return str(self._ask["id"])

    def opening(self) -> Frame:
        """What to say over a new connection: the question again until it is known, which never runs it twice."""
        if not self._accepted:
            return self._ask
        # What ends an answer is told anew.
        self._citations.clear()
        self._notices.clear()
        place = {"type": "resume", "id": self.turn_id, "after_seq": self._seq}
        return place if self._attempt is None else {**place, "attempt": self._attempt}

    def take(self, frame: Frame) -> Iterator[Event]:
        """What a frame tells; raises where it says that there will be no answer."""
        if frame.get("id") not in {self.turn_id, None}:
            return
        match frame["type"]:
            case "accepted":
                self._accepted = True
            case "delta":
                self._accepted = True
                yield from self._delta(frame)
            case "restarted":
                self._attempt, self._seq = frame["attempt"], -1
                yield Restarted(frame["attempt"])
            case "citations":
                fresh = [_citation(item) for item in frame["items"]]
                self._citations += fresh
                yield from fresh
            case "notice":
                self._notices.append(Notice(frame["code"], frame["text"]))
                yield self._notices[-1]
            case "done":
                yield Answer.read(frame, self._citations, self._notices)
            case "error":
                if self._accepted and frame.get("retry_after") is not None and not frame.get("final"):
                    raise NotYet
                raise error_of(frame)
            case _:
                # A later gateway may say more than is known here.
                return

    def _delta(self, frame: Frame) -> Iterator[Event]:
        attempt, seq = frame.get("attempt"), frame["seq"]
        if attempt == self._attempt and seq <= self._seq:
            return
        self._attempt, self._seq = attempt, seq
        yield Text(frame["text"])


def error_of(frame: Frame) -> Invalid | Retryable:
    """The error that a frame tells of."""
    message, retry_after = str(frame.get("message") or "it failed"), frame.get("retry_after")
    if retry_after is None:
        return Invalid(message, code=frame.get("code") or "invalid", field=frame.get("field") or "")
    return Retryable(message, retry_after_ms=int(retry_after * 1000))


def _citation(item: Frame) -> Citation:
    return Citation(
        marker=item["marker"],
        document_id=item["document_id"],
        title=item["title"],
        uri=item["uri"],
        passage=item["text"],
        score=item["score"],
    )
