"""Weights in the form that transformers loads: as they are, or once made from a GGUF."""

import shutil
from functools import partial
from pathlib import Path
from typing import Any, Final, cast

from headrace.models.derived import made_once
from headrace.models.fetch import WEIGHTS_GGUF
from headrace.models.tokenizer import CONFIG, TEMPLATE, TOKENIZER

_MADE: Final = "transformers"


def transformers_dir(model_dir: Path) -> Path:
    """The folder itself, or `transformers/` in it: bfloat16 safetensors, made from the GGUF once, in 12 to 25 s."""
    if (model_dir / "config.json").is_file() or not (model_dir / WEIGHTS_GGUF).is_file():
        return model_dir
    return made_once(model_dir, _MADE, partial(_convert, model_dir))


def _convert(model_dir: Path, into: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    # The auto classes answer with whatever class fits; their types say less.
    load = cast("Any", AutoModelForCausalLM.from_pretrained)
    model = load(model_dir, gguf_file=WEIGHTS_GGUF, dtype=torch.bfloat16)
    # The weights are whole numbers no longer; saved as quantised, they could not be loaded again.
    del model.config.quantization_config
    model.is_quantized = False
    model.hf_quantizer = None
    model.save_pretrained(into)
    for name in (TOKENIZER, TEMPLATE, CONFIG):
        shutil.copyfile(model_dir / name, into / name)
