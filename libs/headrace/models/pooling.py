"""From an encoder's hidden states to one unit vector a text (Reimers and Gurevych 2019), as an OpenVINO graph."""

from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from openvino import opset13 as ops

from headrace.messaging.errors import Fatal
from headrace.models.encoder_tokenizer import read_json

Pooling = Literal["mean", "cls"]

# As sentence-transformers keeps it, in the folder of the module or beside the weights.
_FILES: Final = ("1_Pooling/config.json", "pooling.json")
_MODE: Final = "pooling_mode_"
_DRAWN: Final[dict[str, Pooling]] = {"pooling_mode_mean_tokens": "mean", "pooling_mode_cls_token": "cls"}


def pooling_of(model_dir: Path) -> Pooling:
    """What the model was trained with, mean where nothing says otherwise; one that is not drawn here is `Fatal`."""
    for name in _FILES:
        if (path := model_dir / name).is_file():
            modes = [mode for mode, on in read_json(path).items() if mode.startswith(_MODE) and on is True]
            if len(modes) != 1 or modes[0] not in _DRAWN:
                raise Fatal(
                    f"{path} pools by {' and '.join(modes) or 'nothing'}: use a model with {' or '.join(_DRAWN)}"
                )
            return _DRAWN[modes[0]]
    return "mean"


def pooled(hidden: Any, mask: Any, pooling: Pooling) -> Any:
    """(n, tokens, hidden) float32 and (n, tokens) int64 to (n, hidden) float32, each row of unit length."""
    if pooling == "cls":
        vector = ops.gather(hidden, _int(0), _int(1))
    else:
        # The length of the sum does not matter: the vector is brought to unit length either way.
        real = ops.unsqueeze(ops.convert(mask, np.float32), ops.constant(np.array([2], dtype=np.int64)))
        vector = ops.reduce_sum(ops.multiply(hidden, real), ops.constant(np.array([1], dtype=np.int64)))
    return ops.normalize_l2(vector, ops.constant(np.array([1], dtype=np.int64)), 1e-12, "max")


def _int(value: int) -> Any:
    return ops.constant(np.int64(value))
