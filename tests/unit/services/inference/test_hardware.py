"""Which engine a model runs on, where its YAML leaves it to the hardware."""

from pathlib import Path
from typing import Any

import pytest
from gguf import GGUFWriter

from headrace.models.spec import ModelSpec
from services.inference.adapters.engines.hardware import choose_core, gpu_present


def spec(**changes: Any) -> ModelSpec:
    limits = {"context_window": 100, "max_new_tokens": 50}
    return ModelSpec.model_validate(
        {"name": "m", "task": "chat", "source": {"type": "builtin"}, "revision": "1", "limits": limits, **changes}
    )


def gguf(folder: Path, architecture: str) -> None:
    writer = GGUFWriter(folder / "model.gguf", architecture)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()


@pytest.mark.parametrize(
    ("architecture", "core"),
    [("llama", "openvino"), ("qwen2", "openvino"), ("qwen3", "openvino"), ("gemma3", "transformers")],
)
def test_a_gguf_that_openvino_cannot_build_runs_on_transformers(tmp_path: Path, architecture: str, core: str) -> None:
    gguf(tmp_path, architecture)
    assert choose_core(spec(), tmp_path, gpu=False) == core
    assert choose_core(spec(), tmp_path, gpu=True) == "transformers"
    assert choose_core(spec(engine="openvino"), tmp_path, gpu=True) == "openvino"


def test_exported_weights_run_on_openvino_and_all_others_on_transformers(tmp_path: Path) -> None:
    assert choose_core(spec(), tmp_path, gpu=False) == "transformers"
    (tmp_path / "openvino_model.xml").touch()
    assert choose_core(spec(), tmp_path, gpu=False) == "openvino"


def test_what_does_not_write_has_an_engine_of_its_own(tmp_path: Path) -> None:
    labels = [{"name": "good"}, {"name": "bad"}]
    assert choose_core(spec(task="embed"), tmp_path, gpu=True) == "sentence-encoder"
    assert choose_core(spec(task="classify", labels=labels), tmp_path, gpu=False) == "sequence-classification"
    assert choose_core(spec(task="classify", labels=labels, encoder="e"), tmp_path, gpu=False) == "embedding-head"
    assert choose_core(spec(base="b"), tmp_path, gpu=False) == "transformers"


def test_a_gpu_is_there_where_its_driver_says_so(tmp_path: Path) -> None:
    assert not gpu_present(tmp_path / "gpus")
    (tmp_path / "gpus").mkdir()
    assert not gpu_present(tmp_path / "gpus")
    (tmp_path / "gpus" / "0000:01:00.0").mkdir()
    assert gpu_present(tmp_path / "gpus")
