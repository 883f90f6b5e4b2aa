"""Which engine a model runs on, where its YAML leaves it to the hardware."""

from pathlib import Path
from typing import Final

from headrace.models.fetch import WEIGHTS_GGUF
from headrace.models.gguf_metadata import read_metadata
from headrace.models.spec import ModelSpec

_OPENVINO_IR: Final = "openvino_model.xml"
# Those that openvino-genai 2026.4.1 builds from a GGUF (its gguf_modeling.cpp).
_GGUF_ARCHITECTURES: Final = frozenset({"llama", "qwen2", "qwen3"})


def gpu_present(driver: Path = Path("/proc/driver/nvidia/gpus")) -> bool:
    """Whether this machine has an NVIDIA GPU; asked without torch, whose import takes seconds."""
    return driver.is_dir() and any(driver.iterdir())


def choose_core(spec: ModelSpec, folder: Path, *, gpu: bool) -> str:
    """The YAML's word, else transformers on a GPU or for weights that OpenVINO cannot read, else openvino.

    A classifier with an encoder is a head on it.
    """
    if spec.engine != "auto":
        return spec.engine
    if spec.task == "classify":
        return "embedding-head" if spec.encoder else "sequence-classification"
    if spec.base:
        # openvino-genai gives the layers of a GGUF other names than adapters do, and passes over what it does not find.
        return "transformers"
    if spec.task == "embed":
        return "sentence-encoder"
    return "openvino" if _openvino_reads(folder) and not gpu else "transformers"


def _openvino_reads(folder: Path) -> bool:
    weights = folder / WEIGHTS_GGUF
    if not weights.is_file():
        return (folder / _OPENVINO_IR).is_file()
    return read_metadata(weights).get("general.architecture") in _GGUF_ARCHITECTURES
