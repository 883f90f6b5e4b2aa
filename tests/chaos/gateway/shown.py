"""What one client was shown of one turn, judged frame by frame. Pure, so that it can be shown to fail."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Shown:
    """A turn on a client's screen: texts are appended, `restarted` voids them, nothing else changes them."""

    turn_id: str
    pieces: int
    accepted: bool = False
    attempt: int | None = None
    after_seq: int = -1
    text: str = ""
    ended: bool = False
    wrong: list[str] = field(default_factory=list)

    def take(self, frame: dict[str, Any]) -> bool:
        """Take a frame; True if it was fresh text."""
        if frame["id"] != self.turn_id:
            self._complain(f"a frame of another turn came: {frame['type']} of {frame['id']}")
            return False
        match frame["type"]:
            case "accepted":
                self.accepted = True
            case "restarted":
                self.attempt, self.after_seq, self.text = frame["attempt"], -1, ""
            case "delta":
                self._append(frame)
                return True
            case "done":
                self._end(frame)
            case "error":
                self.ended = True
                self._complain(f"an error came: {frame['code']}: {frame['message']}")
            case other:
                self._complain(f"an unexpected frame came: {other}")
        return False

    def resume(self) -> dict[str, Any]:
        """What to say on a new connection: a turn that may not have been taken is asked again by its id."""
        frame: dict[str, Any] = {"type": "resume", "id": self.turn_id, "after_seq": self.after_seq}
        return frame if self.attempt is None else {**frame, "attempt": self.attempt}

    def _append(self, frame: dict[str, Any]) -> None:
        if self.ended:
            self._complain(f"text came after the end: seq {frame['seq']}")
        if frame["seq"] <= self.after_seq:
            self._complain(f"seq {frame['seq']} came after {self.after_seq}: repeated or out of order")
        if self.attempt is not None and self.text and frame["attempt"] != self.attempt:
            self._complain(f"text of attempt {frame['attempt']} came among that of {self.attempt}")
        self.attempt, self.after_seq = frame["attempt"], frame["seq"]
        self.text += frame["text"]

    def _end(self, frame: dict[str, Any]) -> None:
        if self.ended:
            self._complain("it ended twice")
        self.ended = True
        if frame["status"] != "ANSWERED":
            self._complain(f"it ended as {frame['status']}")
        if self.text != frame["text"]:
            self._complain(f"{len(self.text)} characters were shown, the final has {len(frame['text'])} or others")
        places = [tuple(piece.split(" ")[:3]) for piece in self.text.strip("[]").split("][")]
        due = [(self.turn_id, str(self.attempt), str(seq)) for seq in range(self.pieces)]
        if places != due:
            missing, strange = len(set(due) - set(places)), len(set(places) - set(due))
            self._complain(f"of {self.pieces} pieces {missing} are missing, {strange} are strange, or their order is")

    def _complain(self, what: str) -> None:
        self.wrong.append(f"turn {self.turn_id}: {what}")


def said_at(text: str) -> float:
    """When the piece was said, in the machine's monotonic seconds."""
    return float(text.split("]", 1)[0].split(" ")[3])
