"""Sentence encoders that can be drawn, by what their `config.json` calls them."""

from collections.abc import Mapping
from typing import Any, Final

import openvino as ov

from headrace.messaging.errors import Fatal
from headrace.models.bert import BertConfig, Drawing, Weights
from headrace.models.mpnet import MpnetDrawing

_DRAWINGS: Final[Mapping[str, type[Drawing]]] = {"bert": Drawing, "mpnet": MpnetDrawing}


def sentence_encoder(weights: Weights, config: Mapping[str, Any]) -> ov.Model:
    """`input_ids`, `attention_mask` (n, tokens) int64 in; unit vectors (n, hidden) float32 out."""
    kind = str(config.get("model_type"))
    if kind not in _DRAWINGS:
        raise Fatal(f"the embedding model is of kind {kind}: use one of {', '.join(_DRAWINGS)}")
    return _DRAWINGS[kind](weights, BertConfig.read(config)).model()
