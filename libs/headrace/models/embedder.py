"""Sentence embeddings on the CPU: texts in, unit vectors out, without torch."""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import openvino as ov
from numpy.typing import NDArray
from tokenizers import Encoding

from headrace.models.encoder_tokenizer import CONFIG, EncoderTokenizer, read_json
from headrace.models.encoders import sentence_encoder

Vectors = NDArray[np.float32]

# Texts that go through the encoder together, of like length: larger batches gain nothing on a CPU and take memory.
_BATCH: Final = 16


class Embedder:
    """One encoder. `embed` blocks, so call it off the event loop; threads take turns."""

    def __init__(self, tokenizer: EncoderTokenizer, encoder: ov.CompiledModel, dimensions: int) -> None:
        self.tokenizer = tokenizer
        self.dimensions = dimensions
        self._request = encoder.create_infer_request()
        # An infer request serves one caller at a time.
        self._lock = threading.Lock()

    @classmethod
    def load(cls, model_dir: Path, *, threads: int = 2, dtype: str = "auto") -> "Embedder":
        """Read a sentence encoder; `Fatal` names what the folder lacks.

        `dtype` bfloat16 takes less time where the CPU has units for it, and is float32 where it has none.
        """
        tokenizer = EncoderTokenizer.load(model_dir)
        config = read_json(model_dir / CONFIG)
        model = sentence_encoder(model_dir, config)
        # float32, so that vectors do not depend on whether this CPU has bfloat16 units: an index outlives its machine.
        precision = "bf16" if dtype == "bfloat16" else "f32"
        options = {
            "INFERENCE_NUM_THREADS": threads,
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": precision,
        }
        return cls(tokenizer, ov.Core().compile_model(model, "CPU", options), int(config["hidden_size"]))

    @property
    def max_tokens(self) -> int:
        """How many tokens of a text are read, its two end marks included; what is beyond does not shape the vector."""
        return self.tokenizer.max_tokens

    def count(self, text: str) -> int:
        """How many tokens the text has for this model, without the end marks; not bounded by `max_tokens`."""
        return self.tokenizer.count(text)

    def embed(self, texts: Sequence[str]) -> Vectors:
        """(n, dimensions) float32, each row of unit length, in the order of the texts."""
        vectors = np.empty((len(texts), self.dimensions), dtype=np.float32)
        by_length = sorted(range(len(texts)), key=lambda index: len(texts[index]))
        for first in range(0, len(texts), _BATCH):
            batch = by_length[first : first + _BATCH]
            vectors[batch] = self._encode([texts[index] for index in batch])
        return vectors

    def embed_whole(self, texts: Sequence[str]) -> Vectors:
        """As `embed`, for texts longer than the encoder reads: the mean direction of all their windows."""
        windows: list[Encoding] = []
        owners: list[int] = []
        for owner, encoding in enumerate(self.tokenizer.encode(texts)):
            own = (encoding, *encoding.overflowing)
            windows += own
            owners += [owner] * len(own)
        sums = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        by_length = sorted(range(len(windows)), key=lambda index: sum(windows[index].attention_mask))
        for first in range(0, len(windows), _BATCH):
            batch = by_length[first : first + _BATCH]
            vectors = self._infer([windows[index] for index in batch])
            np.add.at(sums, [owners[index] for index in batch], vectors)
        lengths = np.linalg.norm(sums, axis=1, keepdims=True)
        return np.asarray(sums / np.maximum(lengths, np.finfo(np.float32).tiny), dtype=np.float32)

    def _encode(self, texts: list[str]) -> Vectors:
        return self._infer(self.tokenizer.encode(texts))

    def _infer(self, encodings: list[Encoding]) -> Vectors:
        longest = max(sum(encoding.attention_mask) for encoding in encodings)
        ids = np.array([encoding.ids[:longest] for encoding in encodings], dtype=np.int64)
        mask = np.array([encoding.attention_mask[:longest] for encoding in encodings], dtype=np.int64)
        with self._lock:
            result = self._request.infer([ids, mask], share_inputs=False, share_outputs=False)
            return np.asarray(result[0], dtype=np.float32)
