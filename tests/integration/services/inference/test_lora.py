"""A LoRA adapter under a name of its own."""

import asyncio
import json
import math
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import torch
from pydantic import ValidationError
from safetensors.torch import save_file

from headrace.messaging.errors import Fatal, Retryable
from headrace.models.fetch import prepare
from headrace.models.spec import ModelSpec
from services.inference.adapters.engines.lora import Adapter
from services.inference.adapters.engines.opening import open_engine
from services.inference.adapters.engines.process_engine import ProcessEngine
from services.inference.ports import Chat, ScoreRequest
from tests.fakes.real_engines import WITHOUT_VLLM, ask, spec_for

pytestmark = [pytest.mark.integration, pytest.mark.slow]

RANK, WIDTH, LAYERS = 4, 576, 30
QUESTION = Chat((("user", "Is the sky blue? Say yes or no."),))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Noise on what every layer asks of the others: no improvement, and plain to see."""
    folder = tmp_path_factory.mktemp("adapter")
    chance = torch.Generator().manual_seed(7)
    weights = {}
    for layer in range(LAYERS):
        place = f"base_model.model.model.layers.{layer}.self_attn.q_proj"
        weights[f"{place}.lora_A.weight"] = torch.randn(RANK, WIDTH, generator=chance) * 0.2
        weights[f"{place}.lora_B.weight"] = torch.randn(WIDTH, RANK, generator=chance) * 0.2
    save_file(weights, folder / "adapter_model.safetensors")
    config = {"peft_type": "LORA", "r": RANK, "lora_alpha": 2 * RANK, "bias": "none", "target_modules": ["q_proj"]}
    (folder / "adapter_config.json").write_text(json.dumps(config), encoding="utf-8")
    return folder


def adapted(folder: Path, core: str = "transformers") -> ModelSpec:
    base = spec_for(core)
    source = {"type": "path", "path": str(folder)}
    changes = {"name": "adapted", "source": source, "revision": "1", "base": base.model_dump()}
    return ModelSpec.model_validate({**base.model_dump(), **changes})


@asynccontextmanager
async def running(spec: ModelSpec) -> AsyncIterator[ProcessEngine]:
    engine = open_engine(spec, await asyncio.to_thread(prepare, spec), gpu=False)
    assert isinstance(engine, ProcessEngine)
    try:
        await engine.start()
        yield engine
    finally:
        await engine.close()


async def leaning(engine: ProcessEngine) -> float:
    """By how much the model prefers yes to no, in nats."""
    scores = await engine.score(ScoreRequest("s", QUESTION, ("Yes", "No")))
    return math.log(scores.probabilities[0] / scores.probabilities[1])


@pytest.mark.timeout(420)
@pytest.mark.parametrize("core", ["transformers", pytest.param("vllm", marks=WITHOUT_VLLM)])
async def test_an_adapter_changes_what_its_base_says_by_as_much_as_it_says(
    folder: Path, tmp_path: Path, core: str
) -> None:
    shutil.copytree(folder, tmp_path / "still")
    config = json.loads((folder / "adapter_config.json").read_text("utf-8"))
    (tmp_path / "still" / "adapter_config.json").write_text(json.dumps({**config, "lora_alpha": 0}), encoding="utf-8")
    found = {}
    specs = {"base": spec_for(core), "still": adapted(tmp_path / "still", core), "other": adapted(folder, core)}
    for name, spec in specs.items():
        async with running(spec) as engine:
            found[name] = await leaning(engine), (await ask(engine, max_tokens=12)).text
    assert found["still"] == found["base"]
    assert abs(found["other"][0] - found["base"][0]) > 0.1
    assert found["other"][1] != found["base"][1]


def test_an_adapter_asks_for_the_engine_that_takes_it(folder: Path) -> None:
    with pytest.raises(ValidationError, match="engine: transformers"):
        ModelSpec.model_validate({**adapted(folder).model_dump(), "engine": "openvino"})


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"peft_type": "IA3"}, "only LoRA"),
        ({"bias": "all"}, "without biases"),
        ({"use_dora": True}, "uses use_dora"),
    ],
)
def test_what_is_no_plain_lora_is_named(folder: Path, tmp_path: Path, changes: dict[str, object], said: str) -> None:
    config = json.loads((folder / "adapter_config.json").read_text("utf-8"))
    (tmp_path / "adapter_config.json").write_text(json.dumps({**config, **changes}), encoding="utf-8")
    with pytest.raises(Fatal, match=said):
        Adapter.read(tmp_path)
    with pytest.raises(Fatal, match="save_pretrained"):
        Adapter.read(tmp_path / "nowhere")


async def test_an_adapter_of_another_model_is_named(folder: Path, tmp_path: Path) -> None:
    place = "base_model.model.model.layers.0.self_attn.q_proj"
    save_file(
        {f"{place}.lora_A.weight": torch.ones(RANK, 8), f"{place}.lora_B.weight": torch.ones(8, RANK)},
        tmp_path / "adapter_model.safetensors",
    )
    (tmp_path / "adapter_config.json").write_bytes((folder / "adapter_config.json").read_bytes())
    with pytest.raises(Retryable, match=r"does not fit its base at model\.layers\.0"):
        async with running(adapted(tmp_path)):
            pass
