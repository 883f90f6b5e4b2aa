"""The core of a sentence encoder: a few texts a step, of each request in turn."""

import base64
from collections import deque
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from headrace.models.embedder import Embedder
from services.inference.adapters.engines.wire import Embed, Embedded, Event

# What goes through the encoder together; a short request beside a long one waits for so many of its texts.
_TOGETHER: Final = 16


class SentenceEncoderCore:
    """Some milliseconds a text on a CPU."""

    device = "CPU"

    def __init__(self, folder: Path, *, threads: int) -> None:
        self._encoder = Embedder.load(folder, threads=threads)
        # What is left of each request, and what there is of it.
        self._waiting: deque[tuple[Embed, bytearray]] = deque()

    @property
    def busy(self) -> bool:
        return bool(self._waiting)

    def embed(self, request: Embed) -> None:
        self._waiting.append((request, bytearray()))

    def cancel(self, request_id: str) -> None:
        self._waiting = deque(each for each in self._waiting if each[0].request_id != request_id)

    def step(self) -> Iterable[Event]:
        request, made = self._waiting.popleft()
        done = len(made) // (4 * self._encoder.dimensions)
        made += self._encoder.embed(request.texts[done : done + _TOGETHER]).astype("<f4").tobytes()
        if done + _TOGETHER < len(request.texts):
            self._waiting.append((request, made))
        else:
            yield Embedded(request.request_id, base64.b64encode(made).decode())

    def close(self) -> None:
        """Nothing runs between steps."""
