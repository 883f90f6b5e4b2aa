"""Which engine a model runs on, where its YAML leaves it to the hardware."""

from pathlib import Path

from headrace.models.fetch import WEIGHTS_GGUF
from headrace.models.spec import ModelSpec

_OPENVINO_IR = "openvino_model.xml"


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
    readable = (folder / WEIGHTS_GGUF).is_file() or (folder / _OPENVINO_IR).is_file()
    return "openvino" if readable and not gpu else "transformers"
