"""Which handler a turn is for: by what preprocessing made of its request."""

from headrace.messaging.contract import StageContext, StageResult
from headrace.v1.turns_pb2 import Turn
from services.inference.handlers.embedding import Embeddings
from services.inference.handlers.inference import Inferring


class Kinds:
    """Answers and classifications on one side, vectors on the other."""

    def __init__(self, inferring: Inferring, embeddings: Embeddings) -> None:
        self._inferring = inferring
        self._embeddings = embeddings

    async def turn(self, turn: Turn, context: StageContext) -> StageResult:
        """What the turn's own handler makes of it."""
        handler = self._embeddings if turn.prepared.input else self._inferring
        return await handler.turn(turn, context)
