"""One admission for questions and one for texts to be made vectors.

A vector comes in milliseconds, an answer begins in hundreds: measured together, either would be judged by the other.
"""

from services.gateway.domain.admission import Admission, Admitted, Busy, Limits
from services.gateway.domain.requests import Question


class Doors:
    """Who is let in, by the measurements of their own kind."""

    def __init__(self, limits: Limits) -> None:
        self.answers = Admission(limits)
        self._vectors = Admission(limits)
        # Of the turns that wait for vectors.
        self._among_vectors: set[str] = set()

    def admit(self, question: Question, now: float, *, client: str, timeout_s: float | None) -> Admitted | Busy:
        """Take a place for this question, if there is one."""
        if not question.input:
            return self.answers.admit(question.turn_id, now, client=client, timeout_s=timeout_s)
        admitted = self._vectors.admit(question.turn_id, now, client=client, timeout_s=timeout_s)
        if isinstance(admitted, Admitted):
            self._among_vectors.add(question.turn_id)
        return admitted

    def replied(self, turn_id: str, now: float, *, has_begun: bool) -> None:
        """A reply came; what is of any use, such as a first word, is a measurement."""
        self._of(turn_id).replied(turn_id, now, has_begun=has_begun)

    def worked(self, turn_id: str, work_s: float) -> None:
        """Note how long the model worked on it."""
        self._of(turn_id).worked(work_s)

    def release(self, turn_id: str, now: float) -> None:
        """Give the place back; a second time changes nothing."""
        self._of(turn_id).release(turn_id, now)
        self._among_vectors.discard(turn_id)

    def _of(self, turn_id: str) -> Admission:
        return self._vectors if turn_id in self._among_vectors else self.answers
