"""An MPNet encoder (Song et al. 2020) as an OpenVINO graph: BERT's drawing with a bias for the distance of tokens.

One table of biases serves all layers; distances fall into buckets as in T5 (Raffel et al. 2020), near ones one by one,
far ones together. Positions count from 2, after the padding's own.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from openvino import opset13 as ops

from headrace.models.bert import Drawing, ints

_FIRST_POSITION: Final = 2
# Beyond it all distances share a bucket.
_FAR: Final = 128


class MpnetDrawing(Drawing):
    """As BERT, with MPNet's names, without segments."""

    def _embeddings(self, ids: Any) -> Any:
        words = ops.gather(self._tensor("embeddings.word_embeddings.weight"), ids, ints(0))
        places = self._weight("embeddings.position_embeddings.weight")[_FIRST_POSITION:]
        positions = ops.gather(ops.constant(places), self._positions(ids), ints(0))
        return self._norm(ops.add(words, positions), "embeddings.LayerNorm")

    def _scored_before(self, ids: Any, padding: Any) -> Any:
        table = self._weight("encoder.relative_attention_bias.weight")
        longest = len(self._weight("embeddings.position_embeddings.weight")) - _FIRST_POSITION
        bias = table[_buckets(longest, len(table))].transpose(2, 0, 1)[np.newaxis]
        length = ops.gather(ops.shape_of(ids), ints(1), ints(0))
        ends = ops.concat([length, length], 0)
        cut = ops.slice(ops.constant(np.ascontiguousarray(bias)), ints(0, 0), ends, ints(1, 1), ints(2, 3))
        return ops.add(cut, padding)

    def _names(self, layer: int) -> dict[str, str]:
        name = f"encoder.layer.{layer}"
        return {
            "query": f"{name}.attention.attn.q",
            "key": f"{name}.attention.attn.k",
            "value": f"{name}.attention.attn.v",
            "joined": f"{name}.attention.attn.o",
            "attended": f"{name}.attention.LayerNorm",
            "inner": f"{name}.intermediate.dense",
            "outer": f"{name}.output.dense",
            "done": f"{name}.output.LayerNorm",
        }


def _buckets(longest: int, buckets: int) -> NDArray[np.int64]:
    """The bucket of each pair of positions, (longest, longest): half of them for what stands after."""
    half = buckets // 2
    near = half // 2
    places = np.arange(longest)
    ahead = places[np.newaxis, :] - places[:, np.newaxis]
    distance = np.abs(ahead)
    with np.errstate(divide="ignore"):
        steps = np.log(distance / near) / np.log(_FAR / near) * (half - near)
    far = np.minimum(near + np.where(distance < near, 0, steps).astype(np.int64), half - 1)
    return np.asarray(np.where(distance < near, distance, far) + np.where(ahead > 0, half, 0), np.int64)
