"""Sentence encoders as OpenVINO graphs: read where they were kept as ONNX, drawn from their weights where not."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import openvino as ov
from openvino import opset13 as ops
from safetensors.numpy import load_file

from headrace.messaging.errors import Fatal
from headrace.models.bert import BertConfig, Drawing
from headrace.models.mpnet import MpnetDrawing
from headrace.models.pooling import pooled, pooling_of

WEIGHTS: Final = "model.safetensors"
ONNX: Final = "model.onnx"
# By what their `config.json` calls them.
_DRAWINGS: Final[Mapping[str, type[Drawing]]] = {"bert": Drawing, "mpnet": MpnetDrawing}

# What goes in and the hidden states that come out: (n, tokens) int64 twice, (n, tokens, hidden) float32.
_Encoder = tuple[Any, Any, Any]


def sentence_encoder(model_dir: Path, config: Mapping[str, Any]) -> ov.Model:
    """`input_ids`, `attention_mask` (n, tokens) int64 in; unit vectors (n, hidden) float32 out."""
    if (model_dir / ONNX).is_file():
        ids, mask, hidden = _read(model_dir / ONNX)
    elif (model_dir / WEIGHTS).is_file():
        ids, mask, hidden = _drawn(model_dir / WEIGHTS, config)
    else:
        raise Fatal(f"no {WEIGHTS} and no {ONNX} in {model_dir}: run `headrace models pull` for the embedding model")
    return ov.Model([pooled(hidden, mask, pooling_of(model_dir))], [ids, mask], "sentence_encoder")


def _drawn(weights: Path, config: Mapping[str, Any]) -> _Encoder:
    kind = str(config.get("model_type"))
    if kind not in _DRAWINGS:
        raise Fatal(f"the embedding model is of kind {kind}: use one of {', '.join(_DRAWINGS)}, or one kept as {ONNX}")
    ids = ops.parameter([-1, -1], np.int64, name="input_ids")
    mask = ops.parameter([-1, -1], np.int64, name="attention_mask")
    return ids, mask, _DRAWINGS[kind](load_file(weights), BertConfig.read(config)).hidden(ids, mask)


def _read(path: Path) -> _Encoder:
    try:
        model = ov.Core().read_model(path)
        inputs = {node.friendly_name: node for node in model.get_parameters()}
        ids, mask = inputs.pop("input_ids"), inputs.pop("attention_mask")
        hidden = model.output("last_hidden_state").node.input_value(0)
    except (RuntimeError, KeyError) as exc:
        raise Fatal(
            f"{path} is no sentence encoder (input_ids, attention_mask to last_hidden_state): "
            "run `headrace models pull --force` for the embedding model, or name another one"
        ) from exc
    # One text a row: all of it is the first segment.
    if segments := inputs.pop("token_type_ids", None):
        segments.output(0).replace(ops.subtract(ids, ids).output(0))
    if inputs:
        raise Fatal(f"{path} asks for {', '.join(sorted(inputs))}, which a text has not: name another embedding model")
    return ids, mask, hidden
