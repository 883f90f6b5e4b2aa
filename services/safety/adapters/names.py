"""Names of people and postal addresses, by a token classifier of the registry on OpenVINO."""

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from headrace.messaging.errors import Fatal
from headrace.models.fetch import prepare
from headrace.models.spec import ModelSpec
from services.safety.domain.findings import Finding
from services.safety.domain.names import Piece, addresses, people

_WEIGHTS: Final = "model.onnx"
_TOKENIZER: Final = "tokenizer.json"
_CONFIG: Final = "config.json"
# The context in which the model finds best; what straddles an edge is whole in one of two windows.
_WINDOW_TOKENS: Final = 126
_OVERLAP_TOKENS: Final = 32
# One text is asked about by several rules, once to judge and once to mask.
_REMEMBERED: Final = 64


@dataclass(frozen=True, slots=True)
class _Loaded:
    tokenizer: Any
    request: Any
    inputs: tuple[str, ...]
    labels: tuple[str, ...]
    first: int
    last: int


class NameModel:
    """One for all policies, loaded when it is first asked. Call it off the event loop; threads take turns."""

    def __init__(self, spec: Callable[[], ModelSpec], *, threads: int = 1) -> None:
        # Asked for when it is loaded: a service whose policies need no names reads no registry.
        self._spec = spec
        self._threads = threads
        self._loaded: _Loaded | None = None
        self._lock = threading.Lock()
        self._pieces = lru_cache(_REMEMBERED)(self._read)

    def warm_up(self) -> None:
        """Fetch and load it now."""
        with self._lock:
            self._model()

    def people(self, text: str) -> Iterator[Finding]:
        """Names of people."""
        return people(text, self._pieces(text))

    def addresses(self, text: str) -> Iterator[Finding]:
        """Postal addresses: a street or a postal code, with what stands around it."""
        return addresses(text, self._pieces(text))

    def _read(self, text: str) -> tuple[Piece, ...]:
        with self._lock:
            model = self._model()
            encoding = model.tokenizer.encode(text, add_special_tokens=False)
            ids, offsets = encoding.ids, encoding.offsets
            best: dict[int, Piece] = {}
            for start in range(0, max(1, len(ids)), _WINDOW_TOKENS - _OVERLAP_TOKENS):
                end = min(start + _WINDOW_TOKENS, len(ids))
                for at, (label, score) in enumerate(self._classify(model, ids[start:end]), start):
                    # Of two readings that of the window in whose middle the token stands.
                    if label != "O" and (at not in best or at - start > _OVERLAP_TOKENS // 2):
                        best[at] = Piece(offsets[at][0], offsets[at][1], label, score)
                    elif at in best and at - start > _OVERLAP_TOKENS // 2:
                        del best[at]
                if end == len(ids):
                    break
            return tuple(best[at] for at in sorted(best))

    def _classify(self, model: _Loaded, ids: Sequence[int]) -> Iterator[tuple[str, float]]:
        row = np.array([[model.first, *ids, model.last]], dtype=np.int64)
        feed = {"input_ids": row, "attention_mask": np.ones_like(row), "token_type_ids": np.zeros_like(row)}
        asked = {name: feed[name] for name in model.inputs}
        result = model.request.infer(asked, share_inputs=False, share_outputs=False)
        logits: NDArray[np.float32] = np.asarray(result[0])[0][1:-1]
        odds = np.exp(logits - logits.max(axis=-1, keepdims=True))
        shares = odds / odds.sum(axis=-1, keepdims=True)
        for share in shares:
            winner = int(share.argmax())
            yield model.labels[winner], float(share[winner])

    def _model(self) -> _Loaded:
        if self._loaded is None:
            self._loaded = _load(prepare(self._spec()), self._threads)
        return self._loaded


def _load(folder: Path, threads: int) -> _Loaded:
    import openvino as ov
    from tokenizers import Tokenizer

    for name in (_WEIGHTS, _TOKENIZER, _CONFIG):
        if not (folder / name).is_file():
            raise Fatal(f"no {name} in {folder}: run `headrace models pull` for the model of names and addresses")
    tokenizer = Tokenizer.from_file(str(folder / _TOKENIZER))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    named = json.loads((folder / _CONFIG).read_text(encoding="utf-8"))["id2label"]
    options = {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
    compiled = ov.Core().compile_model(str(folder / _WEIGHTS), "CPU", options)
    labels = tuple(named[str(index)] for index in range(len(named)))
    first, last = tokenizer.encode("").ids
    inputs = tuple(port.get_any_name() for port in compiled.inputs)
    return _Loaded(tokenizer, compiled.create_infer_request(), inputs, labels, first, last)
