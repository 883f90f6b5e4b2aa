"""A BERT encoder as an OpenVINO graph, drawn from its weights: hidden states without torch.

The drawing is that of Devlin et al. 2018 (post-norm, learned positions, exact GELU). Importing torch only to convert
would cost a service 600 MB for a 90 MB model.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from openvino import opset13 as ops

from headrace.messaging.errors import Fatal

Weights = Mapping[str, NDArray[Any]]
# Added to the attention scores of padding: far below any score, and still a number in every precision.
_MASKED: Final = np.float32(-3e4)


@dataclass(frozen=True, slots=True)
class BertConfig:
    """What of a `config.json` shapes the graph."""

    heads: int
    head_size: int
    layers: int
    layer_norm_eps: float

    @classmethod
    def read(cls, config: Mapping[str, Any]) -> "BertConfig":
        """Take a Hugging Face config; whatever this drawing does not cover is `Fatal`, never a wrong vector."""
        drawn = (config.get("hidden_act"), config.get("position_embedding_type", "absolute"))
        if drawn != ("gelu", "absolute"):
            raise Fatal(f"the embedding model is of kind {drawn}: use one with gelu and absolute positions")
        heads = int(config["num_attention_heads"])
        return cls(
            heads=heads,
            head_size=int(config["hidden_size"]) // heads,
            layers=int(config["num_hidden_layers"]),
            layer_norm_eps=float(config["layer_norm_eps"]),
        )


class Drawing:
    """The graph, part by part; a relative of BERT draws some of them in its own way."""

    def __init__(self, weights: Weights, config: BertConfig) -> None:
        self._weights = weights
        self._config = config

    def hidden(self, ids: Any, mask: Any) -> Any:
        """(n, tokens) int64 twice to the last layer's (n, tokens, hidden) float32."""
        real = ops.convert(mask, np.float32)
        hidden = self._embeddings(ids)
        padding = ops.multiply(ops.subtract(_float(1), real), ops.constant(_MASKED))
        scored_before = self._scored_before(ids, ops.unsqueeze(padding, ints(1, 2)))
        for layer in range(self._config.layers):
            hidden = self._layer(hidden, scored_before, self._names(layer))
        return hidden

    def _embeddings(self, ids: Any) -> Any:
        words = ops.gather(self._tensor("embeddings.word_embeddings.weight"), ids, _int(0))
        places = ops.gather(self._tensor("embeddings.position_embeddings.weight"), self._positions(ids), _int(0))
        first_segment = ops.constant(self._weights["embeddings.token_type_embeddings.weight"][0])
        return self._norm(ops.add(ops.add(words, places), first_segment), "embeddings.LayerNorm")

    def _positions(self, ids: Any) -> Any:
        length = ops.gather(ops.shape_of(ids), _int(1), _int(0))
        return ops.range(_int(0), length, _int(1), output_type="i64")

    def _scored_before(self, ids: Any, padding: Any) -> Any:
        """What is added to the attention scores of every layer."""
        return padding

    def _names(self, layer: int) -> dict[str, str]:
        """What the weights of a layer are called."""
        name = f"encoder.layer.{layer}"
        return {
            "query": f"{name}.attention.self.query",
            "key": f"{name}.attention.self.key",
            "value": f"{name}.attention.self.value",
            "joined": f"{name}.attention.output.dense",
            "attended": f"{name}.attention.output.LayerNorm",
            "inner": f"{name}.intermediate.dense",
            "outer": f"{name}.output.dense",
            "done": f"{name}.output.LayerNorm",
        }

    def _layer(self, hidden: Any, scored_before: Any, names: Mapping[str, str]) -> Any:
        query, key, value = (self._heads(self._linear(hidden, names[part])) for part in ("query", "key", "value"))
        attended = ops.transpose(ops.scaled_dot_product_attention(query, key, value, scored_before), ints(0, 2, 1, 3))
        joined = ops.reshape(attended, ints(0, 0, self._config.heads * self._config.head_size), special_zero=True)
        hidden = self._norm(ops.add(hidden, self._linear(joined, names["joined"])), names["attended"])
        inner = ops.gelu(self._linear(hidden, names["inner"]), "erf")
        return self._norm(ops.add(hidden, self._linear(inner, names["outer"])), names["done"])

    def _heads(self, hidden: Any) -> Any:
        split = ops.reshape(hidden, ints(0, 0, self._config.heads, self._config.head_size), special_zero=True)
        return ops.transpose(split, ints(0, 2, 1, 3))

    def _linear(self, value: Any, name: str) -> Any:
        product = ops.matmul(value, self._tensor(f"{name}.weight"), transpose_a=False, transpose_b=True)
        return ops.add(product, self._tensor(f"{name}.bias"))

    def _norm(self, value: Any, name: str) -> Any:
        normal = ops.mvn(
            value, ints(-1), normalize_variance=True, eps=self._config.layer_norm_eps, eps_mode="inside_sqrt"
        )
        return ops.add(ops.multiply(normal, self._tensor(f"{name}.weight")), self._tensor(f"{name}.bias"))

    def _tensor(self, name: str) -> Any:
        return ops.constant(self._weight(name))

    def _weight(self, name: str) -> NDArray[Any]:
        try:
            return self._weights[name]
        except KeyError:
            raise Fatal(
                f"the embedding model has no tensor {name!r}: its weights are not those of its config.json"
            ) from None


def ints(*values: int) -> Any:
    """A constant of whole numbers, one axis."""
    return ops.constant(np.array(values, dtype=np.int64))


def _int(value: int) -> Any:
    return ops.constant(np.int64(value))


def _float(value: float) -> Any:
    return ops.constant(np.float32(value))
