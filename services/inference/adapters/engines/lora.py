"""LoRA adapters (Hu et al., https://arxiv.org/abs/2106.09685) as PEFT writes them: two files in a folder."""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from headrace.messaging.errors import Fatal

_CONFIG: Final = "adapter_config.json"
_WEIGHTS: Final = "adapter_model.safetensors"
_PREFIX: Final = "base_model.model."
# What of PEFT's kinds of LoRA changes more than a product of two matrices can.
_OTHER: Final = ("use_dora", "modules_to_save", "alpha_pattern", "rank_pattern", "trainable_token_indices")


@dataclass(frozen=True, slots=True)
class Adapter:
    """Where the matrices are, and by how much their product counts."""

    weights: Path
    rank: int
    scale: float

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read the configuration; `Fatal` for what is no LoRA, or one of a kind that is not known here."""
        try:
            config: dict[str, Any] = json.loads((folder / _CONFIG).read_text("utf-8"))
        except (OSError, ValueError) as exc:
            raise Fatal(f"no readable {_CONFIG} in {folder}: save the adapter with PEFT's `save_pretrained`") from exc
        if config.get("peft_type") != "LORA" or config.get("bias", "none") != "none":
            raise Fatal(f"{folder} holds a {config.get('peft_type')} adapter: only LoRA without biases is known here")
        if strange := [name for name in _OTHER if config.get(name)]:
            raise Fatal(f"{folder / _CONFIG} uses {', '.join(strange)}: train the adapter without")
        if not (folder / _WEIGHTS).is_file():
            raise Fatal(f"no {_WEIGHTS} in {folder}: save the adapter with PEFT's `save_pretrained`")
        rank = int(config["r"])
        scale = config["lora_alpha"] / (math.sqrt(rank) if config.get("use_rslora") else rank)
        return cls(folder / _WEIGHTS, rank, scale)

    def merge(self, model: Any) -> None:
        """Add the product of the matrices to the weights of a transformers model; after that it costs nothing."""
        import torch
        from safetensors.torch import load_file

        found = load_file(self.weights)
        names = sorted(name for name in found if name.endswith(".lora_A.weight"))
        if not names or len(found) != 2 * len(names):
            raise Fatal(f"{self.weights} holds more or less than pairs of lora_A and lora_B")
        with torch.no_grad():
            for name in names:
                module = name.removeprefix(_PREFIX).removesuffix(".lora_A.weight")
                try:
                    weight = model.get_submodule(module).weight
                    change = found[name.replace("lora_A", "lora_B")].float() @ found[name].float()
                    weight += (self.scale * change).to(weight.dtype)
                except (AttributeError, KeyError, RuntimeError) as exc:
                    raise Fatal(
                        f"{self.weights} does not fit its base at {module}: was it trained on another?"
                    ) from exc
