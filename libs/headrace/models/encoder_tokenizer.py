"""Texts as a sentence encoder reads them: cut into windows, padded to the longest beside them."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from tokenizers import Encoding, Tokenizer

from headrace.messaging.errors import Fatal

CONFIG: Final = "config.json"
TOKENIZER: Final = "tokenizer.json"
_LIMITS: Final = "sentence_bert_config.json"


class EncoderTokenizer:
    """The tokenizer of one encoder."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer

    @classmethod
    def load(cls, model_dir: Path) -> "EncoderTokenizer":
        """Read what `prepare` left in the folder; `Fatal` names what it lacks."""
        for name in (CONFIG, TOKENIZER):
            if not (model_dir / name).is_file():
                raise Fatal(f"no {name} in {model_dir}: run `headrace models pull` for the embedding model")
        config = read_json(model_dir / CONFIG)
        tokenizer = Tokenizer.from_file(str(model_dir / TOKENIZER))
        limits = read_json(model_dir / _LIMITS) if (model_dir / _LIMITS).is_file() else {}
        # What lies beyond the limit was never seen in training; the tokenizer's own settings pad and cut otherwise.
        tokenizer.enable_truncation(int(limits.get("max_seq_length", config["max_position_embeddings"])))
        tokenizer.enable_padding(pad_id=int(config.get("pad_token_id", 0)))
        return cls(tokenizer)

    @property
    def max_tokens(self) -> int:
        """How many tokens of a text are read, its two end marks included; what is beyond does not shape the vector."""
        truncation = self._tokenizer.truncation or {}
        return int(truncation["max_length"])

    def count(self, text: str) -> int:
        """How many tokens the text has for this model, without the end marks; not bounded by `max_tokens`."""
        encoding = self._tokenizer.encode(text, add_special_tokens=False)
        # The tokenizer pads what it has cut: only what the mask shows is text.
        return sum(sum(window.attention_mask) for window in (encoding, *encoding.overflowing))

    def encode(self, texts: Sequence[str]) -> list[Encoding]:
        """The first window of each text; the others overflow from it."""
        encodings: list[Encoding] = self._tokenizer.encode_batch(list(texts))
        return encodings


def read_json(path: Path) -> dict[str, Any]:
    """A file of the model; `Fatal` where it is no JSON."""
    try:
        content: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except ValueError as exc:
        raise Fatal(f"{path} is no JSON: run `headrace models pull` for the embedding model again") from exc
    return content
