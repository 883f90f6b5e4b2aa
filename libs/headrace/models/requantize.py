"""A GGUF in quantisations that openvino-genai reads: the file itself, or one that is made of it once."""

from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, GGUFReader, GGUFValueType, GGUFWriter, Keys
from gguf.quants import dequantize, quantize

from headrace.models.derived import made_once
from headrace.models.fetch import WEIGHTS_GGUF
from headrace.models.gguf_metadata import read_tensor_types

_MADE: Final = "openvino"
# Those of openvino-genai 2026.4.1. At another it ends with "gguf_tensor_to_f16 failed".
_READ: Final = frozenset(
    {
        GGMLQuantizationType.F32,
        GGMLQuantizationType.F16,
        GGMLQuantizationType.Q4_0,
        GGMLQuantizationType.Q4_1,
        GGMLQuantizationType.Q8_0,
        GGMLQuantizationType.Q4_K,
        GGMLQuantizationType.Q6_K,
    }
)
# Anything but bytes: the writer would take the shape for one of blocks, and here it is of numbers.
_UNSHAPED: Final = np.dtype(np.float32)
# What the writer says by itself.
_OWN: Final = frozenset({"GGUF.version", "GGUF.tensor_count", "GGUF.kv_count", Keys.General.ARCHITECTURE})


def openvino_weights(model_dir: Path) -> Path:
    """What openvino-genai loads: the folder itself where it holds no GGUF, else the file that it can read.

    Tensors in other quantisations are rewritten as Q8_0, others keep their bytes: 20 s and 640 MB for half a billion
    weights in Q4_K_M.
    """
    weights = model_dir / WEIGHTS_GGUF
    if not weights.is_file():
        return model_dir
    if read_tensor_types(weights) <= _READ:
        return weights
    return made_once(model_dir, _MADE, partial(_rewrite, weights)) / WEIGHTS_GGUF


def _rewrite(weights: Path, into: Path) -> None:
    reader = GGUFReader(weights)
    writer = GGUFWriter(into / WEIGHTS_GGUF, str(reader.fields[Keys.General.ARCHITECTURE].contents()))
    writer.data_alignment = reader.alignment
    for name, field in reader.fields.items():
        if name not in _OWN:
            inner = field.types[-1] if field.types[0] == GGUFValueType.ARRAY else None
            writer.add_key_value(name, field.contents(), field.types[0], sub_type=inner)
    for tensor in reader.tensors:
        kind = _readable(tensor.tensor_type)
        # The file counts from the fastest axis on, numpy from the slowest.
        shape = [int(length) for length in reversed(tensor.shape)]
        block, size = GGML_QUANT_SIZES[kind]
        writer.add_tensor_info(tensor.name, shape, _UNSHAPED, tensor.n_elements // block * size, kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    # One at a time: a model may have more weights than there is memory.
    for tensor in reader.tensors:
        kind = _readable(tensor.tensor_type)
        data = (
            tensor.data if kind == tensor.tensor_type else quantize(dequantize(tensor.data, tensor.tensor_type), kind)
        )
        writer.write_tensor_data(data)
    writer.close()


def _readable(kind: GGMLQuantizationType) -> GGMLQuantizationType:
    if kind in _READ:
        return kind
    block, _bytes = GGML_QUANT_SIZES[kind]
    # Numbers that stand alone, as in bfloat16, are of norms and biases, too.
    return GGMLQuantizationType.Q8_0 if block > 1 else GGMLQuantizationType.F16
