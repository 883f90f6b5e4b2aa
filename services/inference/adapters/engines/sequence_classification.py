"""The core of a transformers classifier: any hub model with a sequence-classification head."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, cast

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer
from transformers.utils.logging import disable_progress_bar

from headrace.messaging.errors import Fatal
from headrace.models.spec import ModelSpec
from services.inference.adapters.engines.waiting_texts import WaitingTexts
from services.inference.adapters.engines.wire import Classify, Event, Scored

# A tokenizer that was saved without a limit says a number with thirty digits.
_LONGEST_WINDOW: Final = 8192


class SequenceClassificationCore:
    """A text longer than the model reads is judged window by window, and gets the mean of what they say."""

    def __init__(self, spec: ModelSpec, folder: Path, *, threads: int) -> None:
        torch.set_num_threads(threads)
        disable_progress_bar()
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        dtype = torch.float32 if spec.dtype == "auto" else cast("torch.dtype", getattr(torch, spec.dtype))
        load = cast("Any", AutoModelForSequenceClassification.from_pretrained)
        self._model = load(folder, dtype=dtype).to(self.device).eval()
        self._tokenizer = cast("Any", AutoTokenizer).from_pretrained(folder)
        positions = getattr(self._model.config, "max_position_embeddings", _LONGEST_WINDOW)
        self._window = min(self._tokenizer.model_max_length, positions, _LONGEST_WINDOW, spec.limits.context_window)
        self._columns = _columns(spec, self._model.config.id2label)
        self.labels = tuple(label.name for label in spec.labels)
        self._waiting = WaitingTexts()

    @property
    def busy(self) -> bool:
        return bool(self._waiting)

    def classify(self, request: Classify) -> None:
        self._waiting.add(request)

    def cancel(self, request_id: str) -> None:
        self._waiting.drop(request_id)

    @torch.inference_mode()
    def step(self) -> Iterable[Event]:
        ids, texts = zip(*self._waiting.take(), strict=True)
        windows = self._tokenizer(
            list(texts),
            padding=True,
            truncation=True,
            max_length=self._window,
            return_overflowing_tokens=True,
            return_tensors="pt",
        )
        owners = windows.pop("overflow_to_sample_mapping")
        said = torch.log_softmax(self._model(**windows.to(self.device)).logits.float(), dim=-1).cpu()[:, self._columns]
        for index, request_id in enumerate(ids):
            own = owners == index
            tokens = int(windows["attention_mask"][own].sum())
            yield Scored(request_id, [[float(value)] for value in said[own].mean(dim=0)], tokens)

    def close(self) -> None:
        """Nothing runs between steps."""


def _columns(spec: ModelSpec, names: dict[int, str]) -> list[int]:
    """Where the model says what of the classes in its YAML."""
    places = {name.casefold(): place for place, name in names.items()}
    wanted = [label.output or label.name for label in spec.labels]
    if unknown := [name for name in wanted if name.casefold() not in places]:
        own = ", ".join(names.values())
        raise Fatal(f"model {spec.name} has no class {unknown[0]!r}, it has {own}: name one as `output` of its label")
    return [places[name.casefold()] for name in wanted]
